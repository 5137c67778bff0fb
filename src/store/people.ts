/**
 * One person's data, named by their number: all of it for the person to see, or gone (GDPR, articles 15 and
 * 17). What stays after an erasure says nothing of the person: that there was a call, how long, what it cost.
 */
import { sql, type Selectable } from 'kysely';
import type { Database } from './schema.ts';
import type { TenantRows } from './store.ts';
import { activitiesOf } from './tables/activities.ts';
import { findContact, type Contact } from './tables/contacts.ts';

type Rows<Table extends keyof Database> = Selectable<Database[Table]>[];

export interface PersonalData {
  readonly contact: Contact | null;
  readonly activities: Rows<'activities'>;
  readonly calls: Rows<'calls'>;
  readonly turns: Rows<'turns'>;
  readonly toolCalls: Rows<'tool_calls'>;
  readonly callEvents: Rows<'call_events'>;
  readonly messages: Rows<'messages'>;
  readonly appointments: Rows<'appointments'>;
  readonly optOuts: Rows<'opt_outs'>;
}

/** What takes the place of words that were erased. */
export const ERASED = '[erased]';

/** Calls from or to the number, by whichever way it was written: `+1555…`, `1555…`, `sip:+1555…@…`. */
async function callIdsOf({ tenant, rows }: TenantRows, e164: string): Promise<string[]> {
  const written = [e164, e164.slice(1)];
  const found = await rows
    .selectFrom('calls')
    .select('call_id')
    .where('tenant', '=', tenant)
    .where((eb) => eb.or([eb('from_number', 'in', written), eb('to_number', 'in', written)]))
    .execute();
  return found.map((row) => row.call_id);
}

export async function personalDataOf(unit: TenantRows, e164: string): Promise<PersonalData> {
  const { tenant, rows } = unit;
  const contact = (await findContact(unit, { e164 })) ?? null;
  const callIds = await callIdsOf(unit, e164);
  const ofCalls = async <Table extends 'calls' | 'turns' | 'tool_calls' | 'call_events'>(
    table: Table,
  ): Promise<Rows<Table>> => {
    if (callIds.length === 0) return [];
    const found = await rows
      .selectFrom(table as 'turns')
      .selectAll()
      .where('tenant', '=', tenant)
      .where('call_id', 'in', callIds)
      .execute();
    return found as unknown as Rows<Table>;
  };
  const activities = contact === null ? [] : await activitiesOf(unit, { contactId: contact.contact_id });
  return {
    contact,
    activities,
    calls: await ofCalls('calls'),
    turns: await ofCalls('turns'),
    toolCalls: await ofCalls('tool_calls'),
    callEvents: await ofCalls('call_events'),
    messages: await rows
      .selectFrom('messages')
      .selectAll()
      .where('tenant', '=', tenant)
      .where((eb) => eb.or([eb('from_number', '=', e164), eb('to_number', '=', e164)]))
      .execute(),
    appointments: await rows
      .selectFrom('appointments')
      .selectAll()
      .where('tenant', '=', tenant)
      .where((eb) =>
        eb.or([eb('e164', '=', e164), ...(callIds.length ? [eb('call_id', 'in', callIds)] : [])]),
      )
      .execute(),
    optOuts: await rows
      .selectFrom('opt_outs')
      .selectAll()
      .where('tenant', '=', tenant)
      .where('e164', '=', e164)
      .execute(),
  };
}

/**
 * Erases it, and returns how many rows of each kind were met. An opt-out stays: it is what keeps the person
 * from being written to again. Appointments that are still to come keep their slot, without a name.
 */
export async function erasePerson(unit: TenantRows, e164: string): Promise<Record<string, number>> {
  const { tenant, rows } = unit;
  const data = await personalDataOf(unit, e164);
  const callIds = data.calls.map((call) => call.call_id);
  if (data.contact !== null)
    await rows
      .deleteFrom('contacts')
      .where('tenant', '=', tenant)
      .where('contact_id', '=', data.contact.contact_id)
      .execute();
  if (callIds.length > 0) await eraseCalls(unit, callIds, e164);
  await rows
    .updateTable('messages')
    .set({ body: ERASED, attributes: '{}', error_detail: null })
    .set({ from_number: sql`CASE WHEN from_number = ${e164} THEN '' ELSE from_number END` })
    .set({ to_number: sql`CASE WHEN to_number = ${e164} THEN '' ELSE to_number END` })
    .where('tenant', '=', tenant)
    .where((eb) => eb.or([eb('from_number', '=', e164), eb('to_number', '=', e164)]))
    .execute();
  const appointmentIds = data.appointments.map((one) => one.appointment_id);
  if (appointmentIds.length > 0)
    await rows
      .updateTable('appointments')
      .set({ name: ERASED, e164: null, notes: null })
      .where('tenant', '=', tenant)
      .where('appointment_id', 'in', appointmentIds)
      .execute();
  await eraseCopies(unit, e164, callIds);
  const { contact, optOuts: _kept, ...lists } = data;
  const counts = Object.entries(lists).map(([kind, found]) => [kind, found.length] as const);
  return { contacts: contact === null ? 0 : 1, ...Object.fromEntries(counts) };
}

async function eraseCalls({ tenant, rows }: TenantRows, callIds: string[], e164: string): Promise<void> {
  const written = [e164, e164.slice(1)];
  const blank = (column: 'from_number' | 'to_number') =>
    sql<string>`CASE WHEN ${sql.ref(column)} IN (${sql.join(written)}) THEN '' ELSE ${sql.ref(column)} END`;
  await rows
    .updateTable('calls')
    .set({ from_number: blank('from_number'), to_number: blank('to_number') })
    .set({ summary: null, ending_detail: null, sip_call_id: '' })
    .where('tenant', '=', tenant)
    .where('call_id', 'in', callIds)
    .execute();
  const nothing = JSON.stringify(null);
  const ours = { tenant, callIds };
  await rows
    .updateTable('turns')
    .set({ text: ERASED })
    .where('tenant', '=', ours.tenant)
    .where('call_id', 'in', ours.callIds)
    .execute();
  await rows
    .updateTable('tool_calls')
    .set({ arguments: nothing, result: nothing })
    .where('tenant', '=', ours.tenant)
    .where('call_id', 'in', ours.callIds)
    .execute();
  await rows
    .updateTable('call_events')
    .set({ fact: nothing })
    .where('tenant', '=', ours.tenant)
    .where('call_id', 'in', ours.callIds)
    .execute();
}

/** Jobs that were given up, and answers that were kept, hold what they were about. */
async function eraseCopies({ tenant, rows }: TenantRows, e164: string, callIds: string[]): Promise<void> {
  const names = [e164, ...callIds].map((name) => `%${name.replaceAll(/[\\%_]/g, '\\$&')}%`);
  const speaksOf = (column: string) =>
    sql<boolean>`${sql.ref(column)}::text LIKE ANY (ARRAY[${sql.join(names)}]::text[])`;
  await rows.deleteFrom('dead_letters').where('tenant', '=', tenant).where(speaksOf('payload')).execute();
  await rows
    .deleteFrom('idempotency_keys')
    .where('tenant', '=', tenant)
    .where(speaksOf('response'))
    .execute();
}
