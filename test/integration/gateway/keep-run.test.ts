/** What a gateway tells a real store of its own life, and what it does when that is over by the store. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { KeptRun } from '../../../src/gateway/keep-run.ts';
import { unwrap } from '../../../src/jobs/envelope.ts';
import { Spool } from '../../../src/jobs/spool/spool.ts';
import { SYSTEM_TENANT, type Store } from '../../../src/store/store.ts';
import { endRun, heardRuns, type HeardRun } from '../../../src/store/tables/gateway-runs.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { openStore, silent, startDatabase, type TestDatabase } from '../../support/store/databases.ts';
import { eventually } from '../../support/until.ts';

let database: TestDatabase;
let store: Store;
let folder: string;
let spool: Spool;
let clock: ManualClock;
let run: KeptRun;
beforeAll(async () => {
  database = await startDatabase('PGlite');
  store = openStore(database.url);
});
afterAll(async () => {
  await store.close();
  await database.close();
});
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'trunkline-run-'));
  spool = await Spool.open({
    ...{ folder, fsync: 'never', fsyncIntervalMs: 5, segmentBytes: 100_000, bytesMax: 1_000_000 },
    log: silent,
  });
  clock = new ManualClock();
  run = await KeptRun.begin({ spool, store, folder, tenants: ['acme', 'other'], log: silent, clock });
});
afterEach(async () => {
  await run.close();
  expect(clock.pending).toBe(0);
  await spool.close();
  await rm(folder, { recursive: true });
});

async function heard(): Promise<HeardRun[]> {
  const all = await store.tenant(SYSTEM_TENANT, heardRuns);
  return all.filter((one) => one.gateway === spool.gateway);
}

/** Goes on for as long as there is a pause between two words, until the store knows what is waited for. */
function heardOf(what: string, isIt: (found: HeardRun[]) => boolean): Promise<HeardRun[]> {
  const ask = (): Promise<HeardRun[]> => {
    clock.advance(10_000);
    return heard();
  };
  return eventually(what, ask, isIt);
}

describe('a gateway', () => {
  it('tells of itself as soon as the database knows how, and from then on every few seconds', async () => {
    // No migration has run: it asks again.
    await expect(heard()).rejects.toThrow();
    await eventually(
      'a pause',
      () => Promise.resolve(clock.pending),
      (pending) => pending === 1,
    );
    await store.migrate();
    const [first] = await heardOf('the first word', (found) => found.length === 1);
    expect(first).toMatchObject({ run: run.name, tenants: ['acme', 'other'], overAt: null });
    const told = first?.heardAt.getTime() ?? Number.NaN;
    await heardOf('another word', ([one]) => (one?.heardAt.getTime() ?? 0) > told);
    expect(await heard()).toHaveLength(1);
  });

  it('goes on as another run when it was declared gone, and leaves the old one to be ended', async () => {
    await heardOf('the first word', (found) => found.length === 1);
    const before = run.name;
    await store.tenant(SYSTEM_TENANT, (unit) => endRun(unit, { gateway: spool.gateway, run: before }));
    const both = await heardOf('the next run', (found) => found.length === 2);
    const [now, old] = [run.name, before].map((name) => both.find((one) => one.run === name));
    expect(old).toMatchObject({ run: before, overAt: expect.any(Date) as Date });
    expect(now).toMatchObject({ run: run.name, tenants: ['acme', 'other'], overAt: null });
    expect(run.name).not.toBe(before);
    await spool.settled();
    const told = ((await spool.next()) ?? []).map(({ content }) => {
      if (content.type !== 'job') return 'a word';
      const { tenant, key } = unwrap('transcripts', content.envelope);
      return `${tenant} ${key}`;
    });
    const key = `${spool.gateway}/over/${before}`;
    expect(told).toEqual(['acme', 'other', SYSTEM_TENANT].map((tenant) => `${tenant} ${key}`));
    const { name } = run;
    await heardOf('a word of it', ([one]) => one?.run === name && one.heardAt > (now?.heardAt ?? 0));
    expect(await heard()).toHaveLength(2);
    expect(run.name).toBe(name);
  });
});
