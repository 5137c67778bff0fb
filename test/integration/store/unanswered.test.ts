// What a receipt without a name is matched with, and what a lost answer is not mistaken for.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Store } from '../../../src/store/store.ts';
import { appointmentOfAttempt, bookSlot, withdrawAttempt } from '../../../src/store/tables/appointments.ts';
import {
  addMessage,
  changeMessage,
  providerIdsTo,
  unansweredMessages,
} from '../../../src/store/tables/messages.ts';
import { DATABASES, openStore, startDatabase, type TestDatabase } from '../../support/store/databases.ts';

const TO = '+442079460123';
const WHERE = { provider: 'smpp', to: TO };

describe.each(DATABASES)('on %s', (kind) => {
  let database: TestDatabase;
  let store: Store;
  beforeAll(async () => {
    database = await startDatabase(kind);
    store = openStore(database.url);
    await store.migrate();
    await store.ensureTenants(['a', 'b']);
  });
  afterAll(async () => {
    await store.close();
    await database.close();
  });

  async function message(key: string, to = TO, tenant = 'a'): Promise<string> {
    const row = {
      direction: 'outbound',
      status: 'queued',
      body: key,
      to_number: to,
      provider: 'smpp',
    } as const;
    const made = await store.tenant(tenant, (unit) => addMessage(unit, { ...row, idempotency_key: key }));
    return made.message.message_id;
  }

  it('messages without an answer are those that were handed over and have no id', async () => {
    const [never, lost, answered] = [
      await message('never'),
      await message('lost'),
      await message('answered'),
    ];
    const [elsewhere, foreign] = [
      await message('elsewhere', '+442079460124'),
      await message('foreign', TO, 'b'),
    ];
    const handed = { handed_at: new Date('2026-01-15T10:00:00Z') };
    await store.tenant('a', async (unit) => {
      for (const messageId of [lost, answered, elsewhere]) await changeMessage(unit, { messageId }, handed);
      await changeMessage(unit, { messageId: answered }, { provider_message_id: 'id-1', status: 'sent' });
    });
    await store.tenant('b', (unit) => changeMessage(unit, { messageId: foreign }, handed));
    const found = await store.tenant('a', (unit) => unansweredMessages(unit, WHERE));
    expect(found.map((one) => one.message_id)).toEqual([lost]);
    expect(found[0]?.handed_at).toEqual(handed.handed_at);
    expect(await store.tenant('a', (unit) => providerIdsTo(unit, WHERE))).toEqual(new Set(['id-1']));
    expect(await store.tenant('b', (unit) => providerIdsTo(unit, WHERE))).toEqual(new Set());
    expect(never).not.toBe(lost);
  });

  it('the appointment of a try is found, withdrawn or not, and by its tenant alone', async () => {
    const slot = { calendar: 'default', callId: null, attemptId: 'try-1', name: 'L', timeZone: 'UTC' };
    const made = await store.tenant('a', (unit) =>
      bookSlot(unit, { ...slot, day: '2026-07-15', time: '10:00' }),
    );
    const find = (tenant: string, attempt: string): Promise<string | undefined> =>
      store.tenant(tenant, async (unit) => (await appointmentOfAttempt(unit, attempt))?.appointment_id);
    expect(await find('a', 'try-1')).toBe(made?.appointment_id);
    expect(await find('a', 'try-2')).toBeUndefined();
    expect(await find('b', 'try-1')).toBeUndefined();
    await store.tenant('a', (unit) => withdrawAttempt(unit, 'try-1'));
    expect(await find('a', 'try-1')).toBe(made?.appointment_id);
  });
});
