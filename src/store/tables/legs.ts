/** `legs`: the dialogs of a call with the statistics of their sound. */
import type { Selectable } from 'kysely';
import type { Database } from '../schema.ts';
import type { TenantRows } from '../store.ts';

export type Leg = Selectable<Database['legs']>;

/** Kept once per leg; told again, the later word counts. */
export async function putLeg({ tenant, rows }: TenantRows, leg: Omit<Leg, 'tenant'>): Promise<void> {
  const stats = leg.stats === null || leg.stats === undefined ? null : JSON.stringify(leg.stats);
  const { leg_id: _key, call_id: _call, ...rest } = leg;
  await rows
    .insertInto('legs')
    .values({ tenant, ...leg, stats })
    .onConflict((conflict) => conflict.columns(['tenant', 'leg_id']).doUpdateSet({ ...rest, stats }))
    .execute();
}

export async function legsOf({ tenant, rows }: TenantRows, callId: string): Promise<Leg[]> {
  return rows
    .selectFrom('legs')
    .selectAll()
    .where('tenant', '=', tenant)
    .where('call_id', '=', callId)
    .orderBy('opened_at')
    .execute();
}
