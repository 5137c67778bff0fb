/**
 * What all tables of a call have in common: its rows, in order, and that a row which is told twice is kept
 * once.
 */
import { sql, type Insertable, type InsertObject, type Selectable } from 'kysely';
import type { Database } from '../schema.ts';
import type { TenantRows } from '../store.ts';

type OfTimeline = 'turns' | 'tool_calls' | 'call_events';

/** Rows are named by their place in the call's timeline. */
export async function addOnce<Table extends OfTimeline | 'usage'>(
  { tenant, rows }: TenantRows,
  table: Table,
  given: readonly Omit<Insertable<Database[Table]>, 'tenant'>[],
): Promise<void> {
  if (given.length === 0) return;
  await rows
    .insertInto<Table>(table)
    .values(given.map((one) => ({ tenant, ...one }) as unknown as InsertObject<Database, Table>))
    .onConflict((conflict) => conflict.doNothing())
    .execute();
}

/** Call by call, in the order of the timeline. */
export async function rowsOfCalls<Table extends OfTimeline>(
  { tenant, rows }: TenantRows,
  table: Table,
  callIds: readonly string[],
): Promise<Selectable<Database[Table]>[]> {
  // One of them stands for all: what they share is all that is asked for here.
  const found = await rows
    .selectFrom(table as 'turns')
    .selectAll()
    .where('tenant', '=', tenant)
    .where('call_id', '=', sql<string>`ANY (${callIds}::text[])`)
    .orderBy('call_id')
    .orderBy('seq')
    .execute();
  return found as unknown as Selectable<Database[Table]>[];
}
