/** Appointments of an older gateway come into the store once, and its file is never lost. */
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { Writable } from 'node:stream';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { newId } from '../../../src/base/ids.ts';
import { configSchema } from '../../../src/config-schema.ts';
import { readEnvironment, type Settings } from '../../../src/config.ts';
import { ClosingOrder } from '../../../src/gateway/closing-order.ts';
import { importAppointments } from '../../../src/gateway/import-appointments.ts';
import { keepTrying } from '../../../src/gateway/keep-trying.ts';
import type { Enqueue } from '../../../src/jobs/enqueue.ts';
import type { Store } from '../../../src/store/store.ts';
import { bookSlot, listAppointments } from '../../../src/store/tables/appointments.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { openStore, silent, startDatabase, type TestDatabase } from '../../support/store/databases.ts';
import { until } from '../../support/until.ts';

let database: TestDatabase;
let store: Store;
beforeAll(async () => {
  database = await startDatabase('PGlite');
  store = openStore(database.url);
  await store.migrate();
});
afterAll(async () => {
  await store.close();
  await database.close();
});

let folder: string;
let tenant: string;
let order: ClosingOrder;
let told: string;
/** Jobs that were asked for. */
let asked: { queue: string; tenant: string; key: string; data: unknown }[];
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'trunkline-import-'));
  tenant = `t${newId('x').replaceAll(/[^a-z0-9]/g, '')}`.toLowerCase();
  order = new ClosingOrder(silent);
  told = '';
  asked = [];
});
afterEach(async () => {
  await order.close();
  await rm(folder, { recursive: true });
});

const line = (confirmation: string, time: string): string =>
  JSON.stringify({
    ...{ confirmation, callId: `call_${confirmation}`, name: 'Emily Wilson', day: '2030-01-02', time },
    bookedAt: '2026-01-01T08:00:00.000Z',
  });

/** Writes the file, lets it be imported, and waits for what is said of it. */
async function bring(lines: readonly string[], told_: string, tenants = [tenant]): Promise<void> {
  await writeFile(join(folder, 'appointments.jsonl'), lines.map((one) => `${one}\n`).join(''));
  const config = configSchema.parse({
    trunks: [{ name: 'local', tenant, allow: ['127.0.0.1/32'] }],
    numbers: tenants.map((one, nth) => ({ number: `+1555010${nth}`, tenant: one, profile: 'desk' })),
  });
  const settings: Settings = {
    ...{ config, profiles: new Map(), dataDir: folder, environment: readEnvironment({}) },
  };
  told = '';
  const sink = new Writable({
    write: (chunk: Buffer, _encoding, done) => {
      told += String(chunk);
      done();
    },
  });
  const enqueue: Enqueue = {
    enqueue: (queue, { tenant: owner, key, data }) => {
      asked.push({ queue, tenant: owner, key, data });
      return Promise.resolve();
    },
  };
  importAppointments({ settings, store, enqueue, log: pino({ base: null }, sink), order });
  await until(told_, () => told.includes(told_));
}

const rows = async (): Promise<[string, string][]> => {
  const all = await store.tenant(tenant, (unit) => listAppointments(unit, { limit: 50 }));
  return all.map((row) => [row.confirmation, row.time] as [string, string]).sort();
};

describe('the import of appointments', () => {
  it('brings each into the store as it was told to the caller, and puts the file aside', async () => {
    await bring([line('AB123', '10:00'), line('CD456', '11:00')], 'appointments were imported');
    expect(await rows()).toEqual([
      ['AB123', '10:00'],
      ['CD456', '11:00'],
    ]);
    const [first] = await store.tenant(tenant, (unit) => listAppointments(unit, { limit: 1 }));
    expect(first?.booked_at).toEqual(new Date('2026-01-01T08:00:00.000Z'));
    expect(await readdir(folder)).toEqual(['appointments.jsonl.imported']);
  });

  it('asks for each to be written into the other calendar, under one key however often', async () => {
    await bring([line('AB123', '10:00')], '"imported":1');
    const [row] = await store.tenant(tenant, (unit) => listAppointments(unit, { limit: 2 }));
    const appointmentId = row?.appointment_id ?? 'none';
    const key = `${appointmentId}/import/AB123`;
    const job = { queue: 'calendar', tenant, key, data: { type: 'sync', appointmentId } };
    expect(asked).toEqual([job]);
    await bring([line('AB123', '10:00')], '"imported":1');
    expect(asked).toEqual([job, job]);
  });

  it('brings none twice, and overwrites no file that was put aside before', async () => {
    await bring([line('AB123', '10:00')], '"imported":1');
    await bring([line('AB123', '10:00'), line('EF789', '12:00')], '"imported":2');
    expect((await rows()).map(([confirmation]) => confirmation)).toEqual(['AB123', 'EF789']);
    const names = await readdir(folder);
    expect(names.sort()).toEqual(['appointments.jsonl.imported', 'appointments.jsonl.imported-2']);
  });

  it('leaves out, and names, what has no place in the store any more', async () => {
    await store.ensureTenants([tenant]);
    const slot = { calendar: 'default', callId: 'call_new', attemptId: 'a', name: 'Ada', timeZone: 'UTC' };
    await store.tenant(tenant, (unit) =>
      bookSlot(unit, { ...slot, day: '2030-01-02', time: '10:00', confirmation: 'ZZ999' }),
    );
    await bring(
      [line('AB123', '10:00'), line('ZZ999', '11:00'), line('CD456', '12:00')],
      '"imported":1,"leftOut":2',
    );
    expect(told).toContain('AB123');
    expect(asked.map(({ key }) => key.split('/').at(-1))).toEqual(['CD456']);
    expect(await rows()).toEqual([
      ['CD456', '12:00'],
      ['ZZ999', '10:00'],
    ]);
  });

  it('gives nobody what could be of somebody else', async () => {
    await bring([line('AB123', '10:00')], 'could be of several tenants', [tenant, 'other']);
    expect(await readdir(folder)).toEqual(['appointments.jsonl']);
  });

  it('leaves a file alone that somebody wrote into', async () => {
    await bring(['{"name":"Ada"}', line('AB123', '10:00')], 'mend the file');
    expect(await readFile(join(folder, 'appointments.jsonl'), 'utf8')).toContain('AB123');
  });
});

describe('work that is tried until it can be done', () => {
  it('is run again a second later, and no more once it is done', async () => {
    const clock = new ManualClock();
    let tries = 0;
    const attempt = (): Promise<void> => {
      tries += 1;
      return tries < 3 ? Promise.reject(new Error('not there')) : Promise.resolve();
    };
    keepTrying('a test', attempt, { log: silent, order, clock });
    for (const wanted of [2, 3]) {
      await until(`try ${wanted}`, () => {
        clock.advance(1000);
        return tries === wanted;
      });
    }
    await order.close();
    clock.advance(10_000);
    expect(tries).toBe(3);
  });

  it('is waited for at the end, and not begun again', async () => {
    const clock = new ManualClock();
    const { promise, reject } = Promise.withResolvers<undefined>();
    let tries = 0;
    const attempt = async (): Promise<void> => {
      tries += 1;
      await promise;
    };
    keepTrying('a test', attempt, { log: silent, order, clock });
    const closed = order.close();
    reject(new Error('the database went first'));
    await closed;
    clock.advance(10_000);
    expect(tries).toBe(1);
  });
});
