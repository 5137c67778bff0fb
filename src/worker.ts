/** The job process: configuration, start, signals, exit code. `npm run worker`, or a child of the gateway. */
import { createLog } from './base/log.ts';
import { messageOf } from './base/errors.ts';
import { whenParentGoes } from './base/parent.ts';
import { createTracer } from './base/tracing.ts';
import { loadSettings, packageVersion, readEnvironment, type Settings } from './config.ts';
import { addressesOf } from './jobs/addresses.ts';
import { startJobProcess, type JobProcess } from './jobs/job-process.ts';
import { handlersOf } from './jobs/work/handlers.ts';
import { startProviders } from './worker/providers.ts';

const EXIT_CONFIGURATION = 78; // EX_CONFIG of sysexits.h
const EXIT_START_FAILED = 1;

/** Beyond the patience for jobs, in ms. */
const end_after_ms = 3000;

function configured(): Settings {
  try {
    const environment = readEnvironment();
    // The gateway names the file that it was started with itself.
    return loadSettings({ ...environment, configFile: process.argv[2] ?? environment.configFile });
  } catch (error) {
    process.stderr.write(`${messageOf(error)}\n`);
    process.exit(EXIT_CONFIGURATION);
  }
}

const settings = configured();
const { config } = settings;
const log = createLog({ level: config.log.level });
process.on('uncaughtException', (error) => {
  log.fatal({ err: error }, 'uncaught exception');
  process.exit(EXIT_START_FAILED);
});

let running: JobProcess | undefined;
let timesAsked = 0;
const stop = (): void => {
  timesAsked += 1;
  if (timesAsked > 2) process.exit(EXIT_START_FAILED);
  if (timesAsked > 1) return;
  // A queue whose Redis is gone for good would be waited for as long.
  setTimeout(() => process.exit(0), config.jobs.patience_ms + end_after_ms).unref();
  // Whatever does not end in time is taken up by the next job process.
  void (running?.close(config.jobs.patience_ms) ?? Promise.resolve()).finally(() => process.exit(0));
};
process.on('SIGTERM', stop);
// A terminal's Ctrl-C reaches the gateway, too, which then asks us in its own good time.
if (process.send === undefined) process.on('SIGINT', stop);
else process.on('SIGINT', () => undefined);
whenParentGoes(stop);

try {
  const { trunks, numbers, web, crm, sms, calendar, webhooks } = config;
  const { lock_ms: lockMs } = config.jobs;
  const after = [...crm.tenants, ...sms.tenants, ...calendar.tenants, ...webhooks.tenants];
  const tenants = [...trunks, ...numbers, ...web.widget_keys, ...web.tenant_keys, ...after];
  running = await startJobProcess({
    ...(await addressesOf(settings)),
    tenants: tenants.map((one) => one.tenant),
    provide: (tools) => startProviders(config, tools),
    tracer: createTracer({
      service: 'trunkline-worker',
      version: packageVersion(),
      otlpUrl: config.telemetry.otlp_url,
    }),
    ...{ handlers: handlersOf({ lockMs }), lockMs, paces: config.limits.providers, log },
  });
} catch (error) {
  log.fatal({ err: error }, 'the job process cannot start');
  process.stderr.write(`${messageOf(error)}\n`);
  process.exit(EXIT_START_FAILED);
}
