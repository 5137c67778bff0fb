/** Lives of gateways: whoever writes of one and whoever ends it cannot miss each other. */
import { sql } from 'kysely';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { SYSTEM_TENANT, type Store, type TenantRows } from '../../../src/store/store.ts';
import { addCallEvents } from '../../../src/store/tables/call-events.ts';
import { endCall, findCall, openCalls, updateCalls, type Call } from '../../../src/store/tables/calls.ts';
import {
  endCallsOfRun,
  endRun,
  heardRuns,
  hearRun,
  holdRuns,
  openRuns,
  settleRun,
  type HeardRun,
} from '../../../src/store/tables/gateway-runs.ts';
import { legsOf, putLeg } from '../../../src/store/tables/legs.ts';
import { addToolCalls } from '../../../src/store/tables/tool-calls.ts';
import { addTurns } from '../../../src/store/tables/turns.ts';
import { DATABASES, openStore, startDatabase, type TestDatabase } from '../../support/store/databases.ts';
import { eventually } from '../../support/until.ts';

const AT = new Date('2026-11-26T10:00:00.500Z');
const calls_together = 12;

describe.each(DATABASES)('runs of gateways on %s', (kind) => {
  let database: TestDatabase;
  let store: Store;
  let tests = 0;
  let run: string;
  beforeAll(async () => {
    database = await startDatabase(kind);
    store = openStore(database.url, { connectionsMax: 2 * calls_together });
    await store.migrate();
    await store.ensureTenants(['acme', 'other']);
  });
  beforeEach(() => {
    run = `run_${(tests += 1)}`;
  });
  afterAll(async () => {
    await store.close();
    await database.close();
  });

  const name = (): { gateway: string; run: string } => ({ gateway: 'gw', run });
  const unit = <T>(work: (of: TenantRows) => Promise<T>, tenant = 'acme'): Promise<T> =>
    store.tenant(tenant, work);
  const open = (of: TenantRows, callId: string, source: 'phone' | 'web' = 'phone'): Promise<void> =>
    openCalls(of, {
      ...{ call_id: callId, gateway: 'gw', run, source, sip_call_id: '', trunk: '', profile: '' },
      ...{ from_number: '', to_number: '', started_at: AT },
    });
  const call = (callId: string): Promise<Call | undefined> => unit((of) => findCall(of, callId));

  it('are known from their first word, and over once and for all', async () => {
    const state = (): Promise<unknown> => unit((of) => holdRuns(of, 'gw', [run]));
    expect(await state()).toEqual([{ ...name(), isOver: false, isSettled: false }]);
    const first = await unit((of) => endRun(of, name()));
    expect(first).toBeGreaterThanOrEqual(0);
    expect(await state()).toEqual([{ ...name(), isOver: true, isSettled: false }]);
    expect(await unit((of) => endRun(of, name()))).toBeGreaterThanOrEqual(first);
    const settle = (): Promise<boolean> => unit((of) => settleRun(of, name()));
    expect([await settle(), await settle()]).toEqual([true, false]);
    expect(await state()).toEqual([{ ...name(), isOver: true, isSettled: true }]);
    expect(await unit((of) => holdRuns(of, 'other', [run]))).toMatchObject([{ isOver: false }]);
    expect(await unit((of) => holdRuns(of, 'gw', [run]), 'other')).toMatchObject([{ isOver: false }]);
  });

  it('tell of themselves in rows of the system, and learn that they are over', async () => {
    const gateway = `gw ${run}`;
    const hear = (tenants: string[], of = run): Promise<boolean> =>
      unit((rows) => hearRun(rows, { gateway, run: of, tenants }), SYSTEM_TENANT);
    const heard = async (): Promise<HeardRun[]> =>
      (await unit(heardRuns, SYSTEM_TENANT)).filter((one) => one.gateway === gateway);
    const ago = { heardAt: expect.any(Date) as Date, heardAgoMs: expect.any(Number) as number };
    expect(await hear(['acme'])).toBe(false);
    expect(await hear(['acme', 'other'])).toBe(false);
    const first = { ...ago, gateway, run, tenants: ['acme', 'other'], overAt: null };
    expect(await heard()).toEqual([first]);
    await hear(['acme'], `${run} next`);
    expect((await heard()).map((one) => one.run).sort()).toEqual([run, `${run} next`]);
    await unit((of) => endRun(of, { gateway, run }), SYSTEM_TENANT);
    expect(await hear([])).toBe(true);
    const isOver = async (of: string): Promise<unknown> =>
      (await heard()).find((one) => one.run === of)?.overAt instanceof Date;
    expect([await isOver(run), await isOver(`${run} next`)]).toEqual([true, false]);
    // Where words are kept nobody told of himself.
    await unit((of) => holdRuns(of, gateway, [run]));
    expect(await unit(heardRuns)).toEqual([]);
  });

  it('have calls that are open, of one tenant, until the last of their facts', async () => {
    const mine = async (tenant = 'acme'): Promise<unknown[]> =>
      (await unit(openRuns, tenant)).filter((one) => one.run.startsWith(run));
    await unit(async (of) => {
      await open(of, `${run} silent`);
      await open(of, `${run} talking`);
      await open(of, `${run} over`);
      await addCallEvents(of, [
        { call_id: `${run} talking`, seq: 0, at_ms: 2500, type: 'held', fact: {} },
        { call_id: `${run} over`, seq: 0, at_ms: 9000, type: 'held', fact: {} },
      ]);
      await endCall(of, `${run} over`, {
        ...{ ended_at: AT, duration_ms: 7, ending: 'caller-hung-up', ending_class: 'success' },
        ...{ ending_detail: null, media: null },
      });
    });
    const heardAt = new Date(AT.getTime() + 2500);
    expect(await mine()).toEqual([
      { ...name(), openCalls: 2, heardAt, heardAgoMs: expect.any(Number) as number },
    ]);
    expect(await mine('other')).toEqual([]);
    await unit((of) => endCallsOfRun(of, name()));
    expect(await mine()).toEqual([]);
  });

  it('end their calls at the last fact of any kind', async () => {
    const ids = ['turn', 'tool', 'event', 'none'].map((one) => `${run} ${one}`);
    const [turn = '', tool = '', event = '', none = ''] = ids;
    await unit(async (of) => {
      for (const id of ids) await open(of, id);
      const early = ids
        .slice(0, 3)
        .map((call_id) => ({ call_id, seq: 0, at_ms: 10, type: 'ringing', fact: {} }));
      await addCallEvents(of, early);
      const words = { who: 'caller', text: 'x', heard_ms: null, response_ms: null } as const;
      await addTurns(of, [{ call_id: turn, seq: 1, at_ms: 2345, ...words }]);
      const act = { name: 'x', arguments: {}, result: {}, ok: true, code: null, took_ms: 1 };
      await addToolCalls(of, [{ call_id: tool, seq: 1, at_ms: 3000, ...act }]);
      await addCallEvents(of, [{ call_id: event, seq: 1, at_ms: 4000, type: 'held', fact: {} }]);
    });
    const dead = await unit((of) => endCallsOfRun(of, name()));
    const lengths = [
      ...[[event, 4000] as const, [none, 0] as const, [tool, 3000] as const, [turn, 2345] as const],
    ];
    expect(dead).toEqual(
      lengths.map(([callId, durationMs]) => ({
        ...{ callId, durationMs, wasOpen: true },
        endedAt: new Date(AT.getTime() + durationMs),
      })),
    );
    const again = await unit((of) => endCallsOfRun(of, name()));
    expect(again).toEqual(dead.map((one) => ({ ...one, wasOpen: false })));
    expect(await call(turn)).toMatchObject({
      ending: 'gateway-died',
      ending_class: 'server',
      duration_ms: 2345,
    });
  });

  it('end legs that are open, and make that of an answered phone call', async () => {
    const [phone, web, legged] = [`${run} phone`, `${run} web`, `${run} legged`];
    await unit(async (of) => {
      await open(of, phone);
      await open(of, web, 'web');
      await open(of, legged);
      await updateCalls(of, 'answered_ms', new Map([phone, web, legged].map((id) => [id, 50])));
      await putLeg(of, {
        ...{ leg_id: `${legged}/phone`, call_id: legged, kind: 'phone', codec: 'pcma', opened_at: AT },
        ...{ closed_at: null, stats: { lost: 1 } },
      });
      await endCallsOfRun(of, name());
    });
    const legs = (id: string): Promise<unknown> => unit((of) => legsOf(of, id));
    expect(await legs(phone)).toMatchObject([{ kind: 'phone', opened_at: AT, closed_at: AT }]);
    expect(await legs(web)).toEqual([]);
    expect(await legs(legged)).toMatchObject([{ codec: 'pcma', closed_at: AT, stats: { lost: 1 } }]);
  });

  it('leave calls alone that ended otherwise, that are another run’s, and another tenant’s', async () => {
    await unit(async (of) => {
      await open(of, `${run} over`);
      await endCall(of, `${run} over`, {
        ...{ ended_at: AT, duration_ms: 7, ending: 'caller-hung-up', ending_class: 'success' },
        ...{ ending_detail: null, media: null },
      });
      await open(of, `${run} open`);
    });
    const others = [
      { gateway: 'gw', run: `${run} next` },
      { gateway: 'other', run },
    ];
    for (const other of others) expect(await unit((of) => endCallsOfRun(of, other))).toEqual([]);
    expect(await unit((of) => endCallsOfRun(of, name()), 'other')).toEqual([]);
    expect(await unit((of) => endCallsOfRun(of, name()))).toMatchObject([{ callId: `${run} open` }]);
    expect(await call(`${run} over`)).toMatchObject({ ending: 'caller-hung-up', duration_ms: 7 });
  });

  it('leave no call open, whoever comes first', async () => {
    const writing = Array.from({ length: calls_together }, (_, n) =>
      unit(async (of) => {
        const held = holdRuns(of, 'gw', [run]);
        await open(of, `${run} ${n}`);
        const [state] = await held;
        if (state?.isOver === true) await endCallsOfRun(of, name());
      }),
    );
    const ending = unit(async (of) => {
      await endRun(of, name());
      return endCallsOfRun(of, name());
    });
    await Promise.all([...writing, ending]);
    for (let n = 0; n < calls_together; n += 1)
      expect((await call(`${run} ${n}`))?.ending, `call ${n}`).toBe('gateway-died');
  });

  // The embedded database has one session: its units of work come one after the other by themselves.
  if (kind === 'PGlite') return;

  it('wait for whoever writes of them', async () => {
    const [written, maySay] = [Promise.withResolvers<undefined>(), Promise.withResolvers<undefined>()];
    const writing = unit(async (of) => {
      await holdRuns(of, 'gw', [run]);
      await open(of, `${run} call`);
      written.resolve(undefined);
      await maySay.promise;
    });
    await written.promise;
    const ending = unit(async (of) => {
      await endRun(of, name());
      return endCallsOfRun(of, name());
    });
    const waiting = (): Promise<{ rows: unknown[] }> =>
      unit(({ rows }) => sql`SELECT 1 FROM pg_locks WHERE NOT granted`.execute(rows));
    await eventually('the end of the run to wait', waiting, (found) => found.rows.length > 0, 10_000);
    maySay.resolve(undefined);
    await writing;
    expect(await ending).toMatchObject([{ callId: `${run} call` }]);
  });

  it('wait for a call that is being ended in truth, and leave it alone', async () => {
    await unit((of) => open(of, `${run} call`));
    const [written, maySay] = [Promise.withResolvers<undefined>(), Promise.withResolvers<undefined>()];
    const closing = unit(async (of) => {
      await endCall(of, `${run} call`, {
        ...{ ended_at: AT, duration_ms: 7, ending: 'caller-hung-up', ending_class: 'success' },
        ...{ ending_detail: null, media: null },
      });
      written.resolve(undefined);
      await maySay.promise;
    });
    await written.promise;
    const ending = unit((of) => endCallsOfRun(of, name()));
    const waiting = (): Promise<{ rows: unknown[] }> =>
      unit(({ rows }) => sql`SELECT 1 FROM pg_locks WHERE NOT granted`.execute(rows));
    await eventually('the end of the run to wait', waiting, (found) => found.rows.length > 0, 10_000);
    maySay.resolve(undefined);
    await closing;
    expect(await ending).toEqual([]);
    expect(await call(`${run} call`)).toMatchObject({ ending: 'caller-hung-up', duration_ms: 7 });
  });
});
