/** `calls`: one row per call or visit, made when it opens and completed when it ends. */
import type { Selectable, Updateable } from 'kysely';
import { pageOf, placeOf, rowsToFetch, type Page, type PageQuestion } from '../page.ts';
import type { Database } from '../schema.ts';
import type { TenantRows } from '../store.ts';

export type Call = Selectable<Database['calls']>;

/** The life of the gateway's process; none: of a version whose runs had no name. */
type OfRun = Partial<Pick<Call, 'run'>>;

/** What is known when a call opens. */
export type NewCall = Pick<
  Call,
  | 'call_id'
  | 'gateway'
  | 'source'
  | 'sip_call_id'
  | 'trunk'
  | 'profile'
  | 'from_number'
  | 'to_number'
  | 'started_at'
> &
  OfRun;

/** Told twice, it is kept once. A row that its facts made before it (`ensureCalls`) gets its particulars. */
export async function openCalls({ tenant, rows }: TenantRows, ...calls: readonly NewCall[]): Promise<void> {
  const byId = new Map(calls.map((call) => [call.call_id, { tenant, ...call }]));
  if (byId.size === 0) return;
  await rows
    .insertInto('calls')
    .values([...byId.values()])
    .onConflict((conflict) =>
      conflict.columns(['tenant', 'call_id']).doUpdateSet((eb) => ({
        gateway: eb.ref('excluded.gateway'),
        run: eb.ref('excluded.run'),
        source: eb.ref('excluded.source'),
        sip_call_id: eb.ref('excluded.sip_call_id'),
        trunk: eb.ref('excluded.trunk'),
        profile: eb.ref('excluded.profile'),
        from_number: eb.ref('excluded.from_number'),
        to_number: eb.ref('excluded.to_number'),
        started_at: eb.ref('excluded.started_at'),
      })),
    )
    .execute();
}

/**
 * Rows for facts to stand on, when the opening of their call has not come (it may be in the dead letters).
 */
export async function ensureCalls(
  { tenant, rows }: TenantRows,
  ...calls: readonly (Pick<NewCall, 'call_id' | 'gateway' | 'started_at'> & OfRun)[]
): Promise<void> {
  if (calls.length === 0) return;
  await rows
    .insertInto('calls')
    .values(calls.map((call) => ({ tenant, ...call })))
    .onConflict((conflict) => conflict.doNothing())
    .execute();
}

export interface CallEnd {
  readonly ended_at: Date;
  readonly duration_ms: number;
  readonly ending: string;
  readonly ending_class: string;
  readonly ending_detail: string | null;
  readonly media: unknown;
  /** How many facts there are of it; none: nobody knows. */
  readonly facts_told?: number | null;
}

export async function endCall({ tenant, rows }: TenantRows, callId: string, end: CallEnd): Promise<void> {
  const media = end.media === null || end.media === undefined ? null : JSON.stringify(end.media);
  await rows
    .updateTable('calls')
    .set({ ...end, media })
    .where('tenant', '=', tenant)
    .where('call_id', '=', callId)
    .execute();
}

export async function updateCall(
  { tenant, rows }: TenantRows,
  callId: string,
  change: Pick<Updateable<Database['calls']>, 'answered_ms' | 'summary'>,
): Promise<void> {
  await rows
    .updateTable('calls')
    .set(change)
    .where('tenant', '=', tenant)
    .where('call_id', '=', callId)
    .execute();
}

export async function findCall({ tenant, rows }: TenantRows, callId: string): Promise<Call | undefined> {
  return rows
    .selectFrom('calls')
    .selectAll()
    .where('tenant', '=', tenant)
    .where('call_id', '=', callId)
    .executeTakeFirst();
}

export interface CallFilter {
  readonly fromNumber?: string | undefined;
  readonly sipCallId?: string | undefined;
  readonly ending?: string | undefined;
}

/** Newest first. @throws TrunklineError STORE_CURSOR_INVALID */
export async function listCalls(
  { tenant, rows }: TenantRows,
  question: PageQuestion & CallFilter,
): Promise<Page<Call>> {
  const place = placeOf(question.cursor);
  let query = rows.selectFrom('calls').selectAll().where('tenant', '=', tenant);
  if (question.fromNumber !== undefined) query = query.where('from_number', '=', question.fromNumber);
  if (question.sipCallId !== undefined) query = query.where('sip_call_id', '=', question.sipCallId);
  if (question.ending !== undefined) query = query.where('ending', '=', question.ending);
  if (place !== undefined)
    query = query.where((eb) => eb(eb.refTuple('started_at', 'call_id'), '<', eb.tuple(place.at, place.id)));
  const fetched = await query
    .orderBy('started_at', 'desc')
    .orderBy('call_id', 'desc')
    .limit(rowsToFetch(question))
    .execute();
  return pageOf(fetched, question, (row) => ({ at: row.started_at, id: row.call_id }));
}
