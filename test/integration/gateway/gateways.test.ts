/** The gateways that share a store, as operators see them and declare them gone: real rows, jobs by hand. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { gatewayDesk } from '../../../src/gateway/gateways.ts';
import { auditHandler } from '../../../src/jobs/work/audit.ts';
import { transcriptsHandler } from '../../../src/jobs/work/transcripts.ts';
import { SYSTEM_TENANT, type Store } from '../../../src/store/store.ts';
import { listAudit } from '../../../src/store/tables/audit.ts';
import { findCall, openCalls } from '../../../src/store/tables/calls.ts';
import { hearRun } from '../../../src/store/tables/gateway-runs.ts';
import type { GatewayDesk, KnownGateway } from '../../../src/web/operator-gateways.ts';
import { HandQueue } from '../../support/jobs/hand-queue.ts';
import { DATABASES, openStore, startDatabase, type TestDatabase } from '../../support/store/databases.ts';

const LONG_AGO = new Date('2026-03-02T10:00:00.000Z');

describe.each(DATABASES)('gateways on %s', (kind) => {
  let database: TestDatabase;
  let store: Store;
  let queue: HandQueue;
  let desk: GatewayDesk;
  let tests = 0;
  let name: string;
  beforeAll(async () => {
    database = await startDatabase(kind);
    store = openStore(database.url);
    await store.migrate();
    await store.ensureTenants(['acme', 'other', 'elsewhere']);
  });
  afterAll(async () => {
    await store.close();
    await database.close();
  });
  beforeEach(async () => {
    name = `gw_${(tests += 1)}`;
    queue = new HandQueue(store);
    queue.handlers = { transcripts: transcriptsHandler({ settleMs: 0 }), audit: auditHandler() };
    desk = gatewayDesk({ store, enqueue: queue, gateway: 'gw_own', tenants: ['acme', 'other'] });
    await hear('gw_own', ['acme', 'other']);
  });

  const hear = (gateway: string, tenants: string[], run = 'run_1'): Promise<boolean> =>
    store.tenant(SYSTEM_TENANT, (unit) => hearRun(unit, { gateway, run, tenants }));
  /** The life said nothing since. */
  const silence = (gateway: string, run = 'run_1'): Promise<unknown> =>
    store.tenant(SYSTEM_TENANT, ({ rows }) =>
      rows
        .updateTable('gateway_runs')
        .set({ heard_at: LONG_AGO })
        .where('gateway', '=', gateway)
        .where('run', '=', run)
        .execute(),
    );
  const open = (
    tenant: string,
    callId: string,
    { run = 'run_1', gateway = name, started_at = LONG_AGO } = {},
  ): Promise<void> =>
    store.tenant(tenant, (unit) =>
      openCalls(unit, {
        ...{ call_id: callId, gateway, run, source: 'phone', sip_call_id: '', trunk: '', profile: '' },
        ...{ from_number: '', to_number: '', started_at },
      }),
    );
  const endingOf = async (tenant: string, callId: string): Promise<string | null | undefined> =>
    (await store.tenant(tenant, (unit) => findCall(unit, callId)))?.ending;
  const known = async (gateway = name): Promise<KnownGateway | undefined> =>
    (await desk.list()).find((one) => one.gateway === gateway);
  /** Keys of the jobs that were given, with their tenants. */
  const given = (queueName: string): string[] =>
    [...queue.given.keys()].filter((key) => key.startsWith(`${queueName} `)).sort();

  it('are all that were heard of, with their latest life and the open calls of all of them', async () => {
    await hear(name, ['acme', 'elsewhere']);
    await hear(name, ['acme', 'elsewhere'], 'run_0');
    await silence(name, 'run_0');
    await open('acme', `${name} 1`);
    await open('acme', `${name} 2`, { run: 'run_0' });
    // A tenant that this gateway does not know by its own configuration.
    await open('elsewhere', `${name} 3`);
    expect(await known()).toEqual({
      ...{ gateway: name, run: 'run_1', overAt: null, openCalls: 3, isThis: false },
      heardAt: expect.stringMatching(/^\d{4}-.*Z$/) as string,
    });
    expect(await known('gw_own')).toMatchObject({ isThis: true, openCalls: 0 });
    expect(Math.abs(Date.parse((await known())?.heardAt ?? '') - Date.now())).toBeLessThan(60_000);
  });

  it('are known by their open calls when they never told of themselves', async () => {
    await open('other', `${name} call`, { run: '' });
    expect(await known()).toEqual({
      ...{ gateway: name, run: '', overAt: null, openCalls: 1, isThis: false },
      heardAt: LONG_AGO.toISOString(),
    });
    expect(await desk.declareGone(name, { evenIfHeard: false })).toMatchObject({ openCalls: 1 });
    await queue.drain();
    expect(await endingOf('other', `${name} call`)).toBe('gateway-died');
    expect(await known()).toBeUndefined();
  });

  it('are not gone when they are unknown, were heard of lately, or are the one that is asked', async () => {
    await hear(name, ['acme']);
    const declare = (gateway: string, evenIfHeard: boolean): Promise<unknown> =>
      desk.declareGone(gateway, { evenIfHeard });
    await expect(declare('gw_unknown', true)).rejects.toMatchObject({ code: 'GATEWAY_UNKNOWN' });
    await expect(declare('gw_own', true)).rejects.toMatchObject({ code: 'GATEWAY_IS_THIS' });
    await expect(declare(name, false)).rejects.toMatchObject({
      code: 'GATEWAY_HEARD',
      detail: expect.stringMatching(/was heard of \d+ s ago, and should be silent for 60 s$/) as string,
    });
    expect(queue.given.size).toBe(0);
    await silence(name);
    expect(await declare(name, false)).toMatchObject({ gateway: name, heardAt: LONG_AGO.toISOString() });
  });

  it('are not silent while facts of an open call come, whatever they say of themselves', async () => {
    await hear(name, ['acme']);
    await silence(name);
    const justNow = new Date();
    await open('acme', `${name} call`, { started_at: justNow });
    expect(await known()).toMatchObject({ run: 'run_1', heardAt: justNow.toISOString(), openCalls: 1 });
    await expect(desk.declareGone(name, { evenIfHeard: false })).rejects.toMatchObject({
      code: 'GATEWAY_HEARD',
    });
  });

  it('that are declared gone have all their calls ended, of every tenant, and others have not', async () => {
    await hear(name, ['acme', 'other', 'elsewhere'], 'run_0');
    await hear(name, ['acme', 'elsewhere']);
    await open('acme', `${name} 1`);
    await open('other', `${name} 2`, { run: 'run_0' });
    await open('elsewhere', `${name} 3`);
    await open('acme', `${name} another's`, { gateway: `${name} another` });
    expect(await desk.declareGone(name, { evenIfHeard: true })).toMatchObject({ openCalls: 3, overAt: null });
    await queue.drain();
    for (const [tenant, call] of [['acme', 1] as const, ['other', 2] as const, ['elsewhere', 3] as const])
      expect(await endingOf(tenant, `${name} ${call}`), tenant).toBe('gateway-died');
    expect(await endingOf('acme', `${name} another's`)).toBeNull();
    expect(queue.dead).toEqual([]);
    expect(given('webhooks')).toEqual([
      `webhooks acme ${name} 1/ended`,
      ...[`webhooks elsewhere ${name} 3/ended`, `webhooks other ${name} 2/ended`],
    ]);
    expect(await known()).toMatchObject({ openCalls: 0, overAt: expect.any(String) as string });
    const [entry] = await store.tenant(SYSTEM_TENANT, (unit) => listAudit(unit, { limit: 1 }));
    expect(entry).toMatchObject({ actor: 'operator', action: 'gateway.gone', target: name });
    expect(entry?.detail).toEqual({ evenIfHeard: true });
  });

  it('are ended by the very jobs of their next start, so that both may be', async () => {
    await hear(name, ['acme']);
    await open('acme', `${name} call`);
    await desk.declareGone(name, { evenIfHeard: true });
    const jobs = [`transcripts ${SYSTEM_TENANT} ${name}/over/run_1`, `transcripts acme ${name}/over/run_1`];
    expect(given('transcripts')).toEqual(jobs);
    await queue.drain();
    // Its next start, and an operator who asks again.
    await hear(name, ['acme'], 'run_2');
    await queue.again('transcripts', `acme ${name}/over/run_1`);
    await desk.declareGone(name, { evenIfHeard: true });
    expect(given('transcripts').filter((one) => one.includes('run_1'))).toEqual(jobs);
    expect(given('webhooks')).toEqual([`webhooks acme ${name} call/ended`]);
    await queue.drain();
    expect(given('webhooks')).toHaveLength(1);
    expect(queue.dead).toEqual([]);
  });
});
