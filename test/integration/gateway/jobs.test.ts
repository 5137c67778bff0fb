/**
 * What the gateway keeps of calls, while Redis and the database are not there, and when nothing is to be
 * kept.
 */
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ending } from '../../../src/base/ending.ts';
import { configSchema } from '../../../src/config-schema.ts';
import { readEnvironment } from '../../../src/config.ts';
import { ClosingOrder } from '../../../src/gateway/closing-order.ts';
import { startJobs, type Jobs } from '../../../src/gateway/start-jobs.ts';
import { Journal } from '../../../src/room/journal.ts';
import { silent } from '../../support/store/databases.ts';
import { until } from '../../support/until.ts';

let folder: string;
let order: ClosingOrder;
let journal: Journal;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'trunkline-jobs-'));
  order = new ClosingOrder(silent);
  journal = new Journal();
});
afterEach(async () => {
  await order.close();
  await rm(folder, { recursive: true });
});

function start(jobs: object): Promise<Jobs | undefined> {
  const config = configSchema.parse({
    // Nobody listens there: what is kept is kept all the same.
    redis: { url: 'redis://127.0.0.1:1' },
    database: { url: 'postgres://nobody@127.0.0.1:1/none' },
    jobs,
    trunks: [{ name: 'local', allow: ['127.0.0.1/32'] }],
    numbers: [{ number: '+15550100', profile: 'desk' }],
  });
  const settings = { config, profiles: new Map(), dataDir: folder, environment: readEnvironment({}) };
  return startJobs({ settings, journal, log: silent, order });
}

function call(callId: string): void {
  const origin = { sipCallId: 's', tenant: 'acme', trunk: 'local', from: '+1', to: '+2', profile: 'desk' };
  journal.open({ callId, ...origin });
  journal.add(callId, { type: 'heard', text: 'Hello?' });
  journal.close(callId, ending('caller-hung-up'));
}

describe('a gateway that keeps its calls', () => {
  it('takes them without Redis and database, says so, and has them after a restart', async () => {
    const jobs = await start({ worker: 'none' });
    call('call_1');
    await jobs?.spool.settled();
    await until('it noticed', () => (jobs?.warnings() ?? []).length > 0);
    expect(jobs?.warnings()).toEqual(['Redis takes no jobs: 3 wait in the spool']);
    expect(jobs?.children()).toEqual({});
    await expect(jobs?.store.ping()).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' });
    await order.close();
    order = new ClosingOrder(silent);
    const again = await start({ worker: 'none' });
    // And the word that the life of before is over, for the tenant and for operators.
    expect(again?.spool.waiting).toBe(5);
    expect(again?.spool.gateway).toBe(jobs?.spool.gateway);
  });

  it('takes jobs that are asked for, too', async () => {
    const jobs = await start({ worker: 'none' });
    const data = { type: 'call-ended', callId: 'call_1' } as const;
    await jobs?.enqueue.enqueue('crm', { tenant: 'acme', key: 'k', data });
    expect(jobs?.spool.waiting).toBe(1);
  });
});

describe('a gateway that keeps nothing', () => {
  it('writes nothing, and starts nothing', async () => {
    expect(await start({ keep: false })).toBeUndefined();
    call('call_1');
    expect(await readdir(folder)).toEqual([]);
  });
});
