/** What tools do, kept in a real database; the queues are a list that may refuse. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { ActOrigin } from '../../../src/agent/tools/act-records.ts';
import { TrunklineError } from '../../../src/base/errors.ts';
import { appointmentsOf, keptActs, type Acts } from '../../../src/gateway/kept-acts.ts';
import type { Enqueue } from '../../../src/jobs/enqueue.ts';
import { wrap } from '../../../src/jobs/envelope.ts';
import type { Store } from '../../../src/store/store.ts';
import { listAppointments } from '../../../src/store/tables/appointments.ts';
import { listMessages } from '../../../src/store/tables/messages.ts';
import { openStore, startDatabase, type TestDatabase } from '../../support/store/databases.ts';

interface Asked {
  readonly queue: string;
  readonly tenant: string;
  readonly key: string;
  readonly data: unknown;
}

let database: TestDatabase;
let store: Store;
let asked: Asked[];
let acts: Acts;

const enqueue: Enqueue = {
  enqueue: (queue, job) => {
    // As the spool does it: what does not fit is refused at once.
    const { tenant, key, data } = wrap(queue, job);
    asked.push({ queue, tenant, key, data });
    return Promise.resolve();
  },
};

beforeAll(async () => {
  database = await startDatabase('PGlite');
  store = openStore(database.url);
  await store.migrate();
  await store.ensureTenants(['acme', 'other']);
});
afterAll(async () => {
  await store.close();
  await database.close();
});
beforeEach(() => {
  asked = [];
  acts = keptActs({ store, enqueue });
});

const origin = (key: string, tenant = 'acme'): ActOrigin => ({
  key,
  callId: 'call_1',
  tenant,
  profile: 'clinic',
});
const TEN = { name: 'Emily Wilson', day: '2030-01-02', time: '10:00' };

describe('an appointment', () => {
  const book = (tenant = 'acme') => acts.bookOf({ tenant, timeZone: 'Europe/London' });

  it('is in the store when the caller is told, and goes to the calendar outside', async () => {
    const booking = await book().book(TEN, 'call_1');
    expect(booking).toMatchObject({ ...TEN, callId: 'call_1' });
    expect(booking?.confirmation).toMatch(/^[A-Z]{2}\d{3}$/);
    const filter = { fromDay: TEN.day, toDay: TEN.day, limit: 10 };
    const rows = await store.tenant('acme', (unit) => listAppointments(unit, filter));
    expect(rows).toMatchObject([{ name: TEN.name, time: '10:00', time_zone: 'Europe/London' }]);
    expect(asked).toMatchObject([
      { queue: 'calendar', tenant: 'acme', data: { type: 'sync', appointmentId: rows[0]?.appointment_id } },
    ]);
  });

  it('is the same one when the call books it again, and taken for every other', async () => {
    const again = await book().book(TEN, 'call_1');
    expect(again).toMatchObject(TEN);
    expect(await book().book(TEN, 'call_2')).toBeNull();
    expect(await book().taken(TEN.day)).toEqual(['10:00']);
  });

  it('of one tenant takes no time of another', async () => {
    expect(await book('other').taken(TEN.day)).toEqual([]);
    expect(await book('other').book(TEN, 'call_3')).toMatchObject(TEN);
  });

  it('is won by exactly one of many who want it at the same time', async () => {
    const wish = { ...TEN, time: '11:00' };
    const answers = await Promise.all(
      Array.from({ length: 20 }, (_, at) => book().book(wish, `call_at_once_${at}`)),
    );
    expect(answers.filter((one) => one !== null)).toHaveLength(1);
  });

  it('that nobody could confirm is taken back as soon as that can be done', async () => {
    const away = new TrunklineError('STORE_UNAVAILABLE', 'gone in the middle');
    const broken = keptActs({ store: { tenant: () => Promise.reject(away) }, enqueue });
    const tried = broken.bookOf({ tenant: 'acme', timeZone: 'UTC' }).book(TEN, 'call_1');
    await expect(tried).rejects.toBe(away);
    expect(asked).toMatchObject([{ queue: 'calendar', data: { type: 'withdraw' } }]);
  });

  it('is shown to operators, of every tenant that they have', async () => {
    const shown = await appointmentsOf(store, ['acme', 'other', 'acme']);
    expect(shown.length).toBe(3);
    expect(shown[0]).toMatchObject({ ...TEN, callId: 'call_1' });
  });
});

describe('a text message', () => {
  it('is a job with the number in one form', async () => {
    await acts.sms.send({ to: '+44 20 7946 0123', text: 'See you' }, origin('k1'));
    expect(asked).toEqual([
      {
        ...{ queue: 'sms', tenant: 'acme', key: 'k1' },
        data: { callId: 'call_1', to: '+442079460123', body: 'See you' },
      },
    ]);
  });

  it('to nobody is refused, and the tool can say so', async () => {
    const sent = acts.sms.send({ to: 'anonymous', text: 'See you' }, origin('k2'));
    await expect(sent).rejects.toMatchObject({ code: 'JOB_PAYLOAD_INVALID' });
    expect(asked).toEqual([]);
  });
});

describe('a contact', () => {
  it('is a job, without what is not known', async () => {
    const contact = { name: 'Emily Wilson', phone: '+442079460123', email: '', note: 'Mornings' };
    expect(await acts.contacts.save(contact, origin('c1'))).toEqual({ id: 'c1' });
    expect(asked).toMatchObject([
      { queue: 'crm', key: 'c1', data: { type: 'contact', name: 'Emily Wilson', notes: 'Mornings' } },
    ]);
    expect(asked[0]?.data).not.toHaveProperty('email');
  });

  it('without a number is left for a person to read', async () => {
    const contact = { name: 'Ben', phone: 'anonymous', email: 'ben@example.org', note: '' };
    await acts.contacts.save(contact, origin('c2'));
    expect(asked).toEqual([]);
    const { rows } = await store.tenant('acme', (unit) => listMessages(unit, { limit: 10, channel: 'note' }));
    expect(rows[0]).toMatchObject({ body: 'New contact: Ben ben@example.org', status: 'received' });
  });
});

describe('a message for a person', () => {
  it('is kept once for one key, for its tenant', async () => {
    const message = { name: 'Ann', phone: '+442079460123', text: 'Please call back', urgent: true };
    const [first, second] = [
      await acts.messages.take(message, origin('m1', 'other')),
      await acts.messages.take(message, origin('m1', 'other')),
    ];
    expect(second).toEqual(first);
    const { rows } = await store.tenant('other', (unit) => listMessages(unit, { limit: 10 }));
    expect(rows).toMatchObject([
      { body: 'Please call back', from_number: '+442079460123', attributes: { name: 'Ann', urgent: true } },
    ]);
  });
});
