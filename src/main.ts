/** The gateway process: configuration, start, signals, exit code. No logic. */
import { createLog } from './base/log.ts';
import { messageOf } from './base/errors.ts';
import { loadSettings, readEnvironment, type Settings } from './config.ts';
import { startGateway, type Gateway } from './gateway.ts';

const EXIT_CONFIGURATION = 78; // EX_CONFIG of sysexits.h
const EXIT_START_FAILED = 1;

function configured(): Settings {
  try {
    return loadSettings(readEnvironment());
  } catch (error) {
    process.stderr.write(`${messageOf(error)}\n`);
    process.exit(EXIT_CONFIGURATION);
  }
}

/** For the person who started it; the log on standard output is for machines. */
function greet(gateway: Gateway, settings: Settings): void {
  const lines = [
    'Trunkline is ready.',
    ...gateway.sipAddresses.map((address) => `  SIP       ${address}`),
    ...settings.config.numbers.map((route) => `  number    ${route.number} -> profile ${route.profile}`),
    `  web       ${gateway.webUrl}/   (people at /desk, operators at /console)`,
    `  operator  ${gateway.operatorUrl}/v1/calls`,
    'Call it from another terminal: npm run call',
  ];
  process.stderr.write(`${lines.join('\n')}\n`);
}

const settings = configured();
const log = createLog({ level: settings.config.log.level });
let timesAsked = 0;

process.on('uncaughtException', (error) => {
  log.fatal({ err: error }, 'uncaught exception');
  process.exit(EXIT_START_FAILED);
});

try {
  const gateway = await startGateway(settings, log);
  greet(gateway, settings);
  const stop = (signal: string): void => {
    timesAsked += 1;
    if (timesAsked > 2) process.exit(EXIT_START_FAILED);
    if (timesAsked === 2) {
      log.info({ signal }, 'stopping at once: open calls are hung up; again to leave them as they are');
      // Draining ends with the last call, and the process with it.
      void gateway.close();
      return;
    }
    log.info({ signal }, 'stopping: new calls are refused, open calls may finish; again to stop at once');
    void gateway.drain().then(
      () => process.exit(0),
      (error: unknown) => {
        log.error({ err: error }, 'stopping failed');
        process.exit(EXIT_START_FAILED);
      },
    );
  };
  process.on('SIGTERM', stop);
  process.on('SIGINT', stop);
} catch (error) {
  log.fatal({ err: error }, 'the gateway cannot start');
  process.stderr.write(`${messageOf(error)}\n`);
  process.exit(EXIT_START_FAILED);
}
