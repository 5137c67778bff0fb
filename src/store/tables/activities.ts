/** `activities`: what happened with a contact; one of each kind per call. */
import { sql, type Selectable } from 'kysely';
import { newId } from '../../base/ids.ts';
import type { Database } from '../schema.ts';
import type { TenantRows } from '../store.ts';

export type Activity = Selectable<Database['activities']>;

export interface NewActivity {
  readonly contactId: string;
  readonly callId: string;
  readonly kind: string;
  readonly summary: string;
  readonly outcome: string | null;
  readonly occurredAt: Date;
}

/** Several, each of another call or kind. Told twice, one is one with the later summary. In no order. */
export async function putActivities(
  { tenant, rows }: TenantRows,
  given: readonly NewActivity[],
): Promise<Activity[]> {
  if (given.length === 0) return [];
  return rows
    .insertInto('activities')
    .values(
      given.map(({ contactId, callId, occurredAt, ...content }) => ({
        ...{ tenant, activity_id: newId('activity'), contact_id: contactId, call_id: callId },
        ...{ occurred_at: occurredAt, ...content },
      })),
    )
    .onConflict((conflict) =>
      conflict.constraint('one_activity_per_call').doUpdateSet((eb) => ({
        contact_id: eb.ref('excluded.contact_id'),
        summary: eb.ref('excluded.summary'),
        outcome: eb.ref('excluded.outcome'),
      })),
    )
    .returningAll()
    .execute();
}

export async function linkActivity(
  { tenant, rows }: TenantRows,
  activityId: string,
  external: Readonly<Record<string, string>>,
): Promise<void> {
  await rows
    .updateTable('activities')
    .set({ external: sql`external || ${JSON.stringify(external)}::jsonb` })
    .where('tenant', '=', tenant)
    .where('activity_id', '=', activityId)
    .execute();
}

/** Newest first. */
export async function activitiesOf(
  { tenant, rows }: TenantRows,
  of: { readonly contactId: string } | { readonly callId: string },
): Promise<Activity[]> {
  const query = rows.selectFrom('activities').selectAll().where('tenant', '=', tenant);
  return (
    'callId' in of ? query.where('call_id', '=', of.callId) : query.where('contact_id', '=', of.contactId)
  )
    .orderBy('occurred_at', 'desc')
    .execute();
}
