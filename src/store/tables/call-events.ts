/** `call_events`: what happened on a call besides turns and tools: ringing, answered, held, digits … */
import type { Selectable } from 'kysely';
import type { Database } from '../schema.ts';
import type { TenantRows } from '../store.ts';
import { addOnce, rowsOfCall } from './rows-of-call.ts';

export type CallEvent = Selectable<Database['call_events']>;

export function addCallEvents(unit: TenantRows, events: readonly Omit<CallEvent, 'tenant'>[]): Promise<void> {
  const rows = events.map((event) => ({ ...event, fact: JSON.stringify(event.fact ?? null) }));
  return addOnce(unit, 'call_events', rows);
}

export function callEventsOf(unit: TenantRows, callId: string): Promise<CallEvent[]> {
  return rowsOfCall(unit, 'call_events', callId);
}
