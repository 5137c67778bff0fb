/** What the calls of journal-gateway.ts left in a store, as it names it. */
import { sql } from 'kysely';
import type { TenantRows } from '../../../src/store/store.ts';
import { listAppointments } from '../../../src/store/tables/appointments.ts';
import { callEventsOf } from '../../../src/store/tables/call-events.ts';
import { listCalls } from '../../../src/store/tables/calls.ts';
import { listDeadLetters } from '../../../src/store/tables/dead-letters.ts';
import { toolCallsOf } from '../../../src/store/tables/tool-calls.ts';
import { turnsOf } from '../../../src/store/tables/turns.ts';
import { openStore } from '../store/databases.ts';

export const TENANTS = ['acme', 'default'];

/** How often each fact is there. */
export type Facts = Map<string, number>;

export async function factsInStore(url: string): Promise<Facts> {
  const facts: Facts = new Map();
  const add = (fact: string): void => void facts.set(fact, (facts.get(fact) ?? 0) + 1);
  const store = openStore(url);
  for (const tenant of TENANTS)
    await store.tenant(tenant, async (unit) => {
      await addCalls(unit, add);
      await addActs(unit, add);
      for (const { queue, code } of (await listDeadLetters(unit, { limit: 50 })).rows)
        add(`dead letter of ${queue}: ${code}`);
    });
  await store.close();
  return facts;
}

async function addCalls(unit: TenantRows, add: (fact: string) => void): Promise<void> {
  let cursor: string | undefined;
  do {
    const page = await listCalls(unit, { limit: 100, cursor });
    for (const { call_id: callId, ending } of page.rows) {
      if (ending === 'caller-hung-up') add(`${callId}/closed`);
      else add(`${callId}/${ending ?? 'open'}`);
      const turns = await turnsOf(unit, callId);
      const others = [...(await toolCallsOf(unit, callId)), ...(await callEventsOf(unit, callId))];
      for (const { seq } of [...turns, ...others]) add(`${callId}/${seq}`);
    }
    cursor = page.next ?? undefined;
  } while (cursor !== undefined);
}

async function addActs(unit: TenantRows, add: (fact: string) => void): Promise<void> {
  // One without a name follows from a call whose gateway died before its agent could save it.
  const { rows: contacts } = await sql<{ name: string }>`
    SELECT name FROM contacts WHERE name IS NOT NULL`.execute(unit.rows);
  for (const { name } of contacts) add(`${name.replace('Caller ', 'call_')}/contact`);
  const { rows: activities } = await sql<{ call_id: string }>`SELECT call_id FROM activities`.execute(
    unit.rows,
  );
  for (const { call_id: callId } of activities) add(`${callId}/followed`);
  const { rows: texts } = await sql<{ body: string; status: string }>`
    SELECT body, status FROM messages WHERE channel = 'sms'`.execute(unit.rows);
  for (const { body, status } of texts)
    add(`${body.replace('The text of call ', 'call_')}/${status === 'sent' ? 'sms' : status}`);
  for (const { call_id: callId, confirmation } of await listAppointments(unit, { limit: 1000 })) {
    add(`${callId ?? '?'}/booked ${confirmation}`);
    add(`${callId ?? '?'}/appointments`);
  }
}
