/** `usage`: what calls consumed: tokens of models, minutes of carriers, messages. */
import type { Insertable, Selectable } from 'kysely';
import type { Database } from '../schema.ts';
import type { TenantRows } from '../store.ts';
import { addOnce } from './rows-of-call.ts';

export type Usage = Selectable<Database['usage']>;
export type NewUsage = Omit<Insertable<Database['usage']>, 'tenant'>;

/** Told twice, counted once. */
export function addUsage(unit: TenantRows, usage: readonly NewUsage[]): Promise<void> {
  return addOnce(unit, 'usage', usage);
}

export async function usageOf({ tenant, rows }: TenantRows, callId: string): Promise<Usage[]> {
  return rows
    .selectFrom('usage')
    .selectAll()
    .where('tenant', '=', tenant)
    .where('call_id', '=', callId)
    .orderBy('usage_key')
    .orderBy('unit')
    .execute();
}
