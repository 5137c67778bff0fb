/** The first keys: whoever owns the data folder can come in, and nobody else. */
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Metrics } from '../../../src/base/metrics.ts';
import { configSchema } from '../../../src/config-schema.ts';
import { readEnvironment, type Settings } from '../../../src/config.ts';
import { ClosingOrder } from '../../../src/gateway/closing-order.ts';
import { KEY_FILE, startApi } from '../../../src/gateway/start-api.ts';
import type { Jobs } from '../../../src/gateway/start-jobs.ts';
import { Journal } from '../../../src/room/journal.ts';
import type { Store } from '../../../src/store/store.ts';
import { findApiKey, listApiKeys, revokeApiKey } from '../../../src/store/tables/api-keys.ts';
import type { ApiParts } from '../../../src/web/api/ports.ts';
import { openStore, silent, startDatabase, type TestDatabase } from '../../support/store/databases.ts';
import { until } from '../../support/until.ts';

let folder: string;
let database: TestDatabase;
let store: Store;
let order: ClosingOrder;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'trunkline-api-'));
  database = await startDatabase('PGlite');
  store = openStore(database.url);
  order = new ClosingOrder(silent);
});
afterEach(async () => {
  await order.close();
  await store.close();
  await database.close();
  await rm(folder, { recursive: true });
});

function start(sms: object = {}): ApiParts {
  const config = configSchema.parse({
    trunks: [{ name: 'local', tenant: 'acme', allow: ['127.0.0.1/32'] }],
    numbers: [
      { number: '+15550100', tenant: 'acme', profile: 'desk' },
      { number: '+15550200', tenant: 'other', profile: 'desk' },
    ],
    sms,
  });
  const settings: Settings = {
    ...{ config, profiles: new Map(), dataDir: folder, environment: readEnvironment({}) },
  };
  const enqueue = { enqueue: () => Promise.resolve() };
  const jobs = { store, enqueue, queues: { all: [] } } as unknown as Jobs;
  const metrics = new Metrics({ ofProcess: false });
  const shared = { settings, jobs, metrics, order, version: '1', journal: new Journal(), log: silent };
  return startApi(shared);
}

const keyFile = (): Promise<string> => readFile(join(folder, KEY_FILE), 'utf8').catch(() => '');

/** Lines of the key file, once there are some that `isIt`. */
async function lines(isIt: (lines: string[]) => boolean = (all) => all.length > 0): Promise<string[]> {
  let found: string[] = [];
  let reading = false;
  await until('the key file', () => {
    if (!reading) {
      reading = true;
      void keyFile().then((text) => {
        found = text.split('\n').filter((line) => line !== '');
        reading = false;
      });
    }
    return isIt(found);
  });
  return found;
}

describe('the first keys', () => {
  it('are one for each tenant, live, and readable by their owner alone', async () => {
    await store.migrate();
    start();
    const [acme = '', other = ''] = await lines((all) => all.length === 2);
    expect(acme).toMatch(/^acme tl\.acme\.key_/);
    expect(other).toMatch(/^other tl\.other\.key_/);
    const key = await findApiKey(store, acme.split(' ')[1] ?? '');
    expect(key).toMatchObject({ tenant: 'acme', scopes: ['admin'] });
    expect((await stat(join(folder, KEY_FILE))).mode & 0o777).toBe(0o600);
  });

  it('come when the database does, and stay the same at the next start', async () => {
    start();
    await store.migrate();
    const before = await lines((all) => all.length === 2);
    await order.close();
    order = new ClosingOrder(silent);
    start();
    await until('the keys to be looked at', () => true);
    expect(await lines((all) => all.length === 2)).toEqual(before);
    expect(await store.tenant('acme', listApiKeys)).toHaveLength(1);
  });

  it('are made anew when they were revoked, or the file was damaged', async () => {
    await store.migrate();
    start();
    const [acme = '', other = ''] = await lines((all) => all.length === 2);
    const keyId = (await findApiKey(store, acme.split(' ')[1] ?? ''))?.key_id ?? '';
    await store.tenant('acme', (unit) => revokeApiKey(unit, keyId, { at: new Date() }));
    await writeFile(join(folder, KEY_FILE), `${acme}\nnonsense\n\n${other}\n`);
    await order.close();
    order = new ClosingOrder(silent);
    start();
    const now = await lines((all) => all.length === 2 && !all.includes(acme));
    expect(now).toContain(other);
  });
});

describe('what a provider posts', () => {
  const hook = { path: '/hooks/sms/twilio/acme', headers: {}, body: 'MessageSid=SM1' };
  it('is for a tenant that has this provider, and signed', async () => {
    await store.migrate();
    const twilio = { account_sid: 'AC1', auth_token: 'token', base_url: 'http://127.0.0.1:1' };
    const parts = start({
      public_url: 'https://gw.example',
      tenants: [{ tenant: 'acme', from: '+15550100', twilio }],
    });
    await expect(parts.takeHook({ ...hook, provider: 'twilio', tenant: 'other' })).rejects.toMatchObject({
      code: 'API_NOT_FOUND',
    });
    await expect(parts.takeHook({ ...hook, provider: 'telnyx', tenant: 'acme' })).rejects.toMatchObject({
      code: 'API_NOT_FOUND',
    });
    await expect(parts.takeHook({ ...hook, provider: 'twilio', tenant: 'acme' })).rejects.toMatchObject({
      code: 'SIGNATURE_INVALID',
    });
  });
});
