/** `call_events`: what happened on a call besides turns and tools: ringing, answered, held, digits … */
import { sql, type Selectable } from 'kysely';
import type { Database } from '../schema.ts';
import type { TenantRows } from '../store.ts';
import { addOnce, rowsOfCalls } from './rows-of-call.ts';

export type CallEvent = Selectable<Database['call_events']>;

export function addCallEvents(unit: TenantRows, events: readonly Omit<CallEvent, 'tenant'>[]): Promise<void> {
  const rows = events.map((event) => ({ ...event, fact: JSON.stringify(event.fact ?? null) }));
  return addOnce(unit, 'call_events', rows);
}

export function callEventsOf(unit: TenantRows, ...callIds: readonly string[]): Promise<CallEvent[]> {
  return rowsOfCalls(unit, 'call_events', callIds);
}

/** How many there are of each call that has any. */
export async function countCallEvents(
  { tenant, rows }: TenantRows,
  callIds: readonly string[],
): Promise<Map<string, number>> {
  const counted = await rows
    .selectFrom('call_events')
    .select(({ fn }) => ['call_id', fn.countAll<number>().as('events')])
    .where('tenant', '=', tenant)
    .where('call_id', '=', sql<string>`ANY (${callIds}::text[])`)
    .groupBy('call_id')
    .execute();
  return new Map(counted.map(({ call_id, events }) => [call_id, events]));
}
