/** `turns`: what was said on a call, by whom, and how much of it was heard. */
import type { Insertable, Selectable } from 'kysely';
import type { Database } from '../schema.ts';
import type { TenantRows } from '../store.ts';
import { addOnce, rowsOfCalls } from './rows-of-call.ts';

export type Turn = Selectable<Database['turns']>;
export type NewTurn = Omit<Insertable<Database['turns']>, 'tenant'>;

export function addTurns(unit: TenantRows, turns: readonly NewTurn[]): Promise<void> {
  return addOnce(unit, 'turns', turns);
}

export function turnsOf(unit: TenantRows, ...callIds: readonly string[]): Promise<Turn[]> {
  return rowsOfCalls(unit, 'turns', callIds);
}
