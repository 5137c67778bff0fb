/** The HTTP API's side of the gateway: what it stands on, and the keys by which its owners come in first. */
import { chmod, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { systemClock } from '../base/clock.ts';
import { TrunklineError } from '../base/errors.ts';
import type { Log } from '../base/log.ts';
import type { Metrics } from '../base/metrics.ts';
import type { Settings } from '../config.ts';
import { readTelnyx } from '../jobs/drivers/sms/telnyx.ts';
import { readTwilio } from '../jobs/drivers/sms/twilio.ts';
import { envelopeSchema } from '../jobs/envelope.ts';
import { isQueueName } from '../jobs/queues.ts';
import { takeNotice } from '../jobs/work/sms-notices.ts';
import { smsRules } from '../jobs/work/sms-rules.ts';
import type { Journal } from '../room/journal.ts';
import type { Store } from '../store/store.ts';
import { createApiKey, findApiKey } from '../store/tables/api-keys.ts';
import type { ApiParts, HookRequest, QueueDesk } from '../web/api/ports.ts';
import type { ClosingOrder } from './closing-order.ts';
import { keepTrying } from './keep-trying.ts';
import type { Jobs } from './start-jobs.ts';

export function startApi(parts: {
  readonly settings: Settings;
  readonly jobs: Jobs;
  readonly journal: Journal;
  readonly version: string;
  readonly metrics: Metrics;
  readonly log: Log;
  readonly order: ClosingOrder;
}): ApiParts {
  const { settings, jobs, journal, version, metrics, log, order } = parts;
  const { config, profiles } = settings;
  ensureFirstKeys({ settings, store: jobs.store, log, order });
  return {
    store: jobs.store,
    queues: queueDesk(jobs),
    sendSms: ({ tenant, key, ...data }) =>
      jobs.enqueue.enqueue('sms', { tenant, key, data: { callId: null, ...data } }),
    takeHook: (request) => takeHook(request, settings, jobs),
    numbers: config.numbers,
    profiles: [...profiles.values()].map(({ name, model, language, tools }) => ({
      ...{ name, adapter: model.adapter, language, tools },
    })),
    requestsPerSecondMax: config.api.requests_per_second,
    clock: systemClock,
    refused: (code) => metrics.count('trunkline_refusals_total', { code }),
    ...{ journal, version, log },
  };
}

/** Receipts and replies of the providers, into the store. */
async function takeHook(request: HookRequest, { config }: Settings, jobs: Jobs): Promise<void> {
  const { provider, tenant, path, headers, body } = request;
  const { sms } = config;
  const entry = sms.tenants.find((one) => one.tenant === tenant);
  const inbound = { url: `${sms.public_url.replace(/\/$/, '')}${path}`, headers, body };
  const secret = provider === 'twilio' ? entry?.twilio?.auth_token : entry?.telnyx?.public_key;
  if (secret === undefined) throw new TrunklineError('API_NOT_FOUND', `${provider} of ${tenant}`);
  const notices = provider === 'twilio' ? readTwilio(inbound, secret) : readTelnyx(inbound, secret);
  const origin = { tenant, provider, rules: smsRules(sms, tenant) };
  for (const notice of notices) await takeNotice(notice, origin, { store: jobs.store, jobs: jobs.enqueue });
}

function queueDesk({ queues }: Pick<Jobs, 'queues'>): QueueDesk {
  return {
    counts: () =>
      Promise.all(
        queues.all.map(async (queue) => {
          const counts = await queue.getJobCounts('waiting', 'prioritized', 'active', 'delayed', 'failed');
          const { waiting = 0, prioritized = 0, active = 0, delayed = 0, failed = 0 } = counts;
          return { queue: queue.name, waiting: waiting + prioritized, active, delayed, failed };
        }),
      ),
    ofCall: (of) => queues.ofCall(of),
    replay: async (letter) => {
      const envelope = envelopeSchema.parse(letter.payload);
      if (isQueueName(letter.queue)) await queues.replay(letter.queue, envelope, letter.replays + 1);
    },
  };
}

/** One line for each tenant: its name and a key that may do everything. Read by its owner alone. */
export const KEY_FILE = 'console-key';

/**
 * Makes sure that somebody can come in: every tenant of the configuration has a live key in the key file.
 * Tried until the database is there; ends with the gateway.
 */
function ensureFirstKeys(parts: {
  readonly settings: Settings;
  readonly store: Store;
  readonly log: Log;
  readonly order: ClosingOrder;
}): void {
  keepTrying('first keys', () => writeFirstKeys(parts.settings, parts.store), parts);
}

async function writeFirstKeys({ config, dataDir }: Settings, store: Store): Promise<void> {
  const file = join(dataDir, KEY_FILE);
  const known = await readFile(file, 'utf8').catch(() => '');
  const kept: string[] = [];
  const tenants = new Set([...config.numbers, ...config.trunks].map((one) => one.tenant));
  for (const line of known.split('\n')) {
    const [tenant = '', key = ''] = line.split(' ');
    if (key === '' || (await findApiKey(store, key)) === undefined) continue;
    kept.push(line);
    tenants.delete(tenant);
  }
  if (tenants.size === 0) return;
  await store.ensureTenants(tenants);
  for (const tenant of tenants) {
    const made = await store.tenant(tenant, (unit) =>
      createApiKey(unit, { name: 'first key, of the key file', scopes: ['admin'] }),
    );
    kept.push(`${tenant} ${made.key}`);
  }
  await writeFile(file, `${kept.join('\n')}\n`, { mode: 0o600 });
  await chmod(file, 0o600);
}
