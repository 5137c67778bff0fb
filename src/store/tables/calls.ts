/** `calls`: one row per call or visit, made when it opens and completed when it ends. */
import { sql, type Selectable } from 'kysely';
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

export function endCall(unit: TenantRows, callId: string, end: CallEnd): Promise<void> {
  return endCalls(unit, [[callId, end]]);
}

/** Several at once; of those that are told twice, the later end counts. One statement, however many. */
export async function endCalls(
  { tenant, rows }: TenantRows,
  ended: Iterable<readonly [callId: string, end: CallEnd]>,
): Promise<void> {
  const ends = [...new Map(ended)];
  if (ends.length === 0) return;
  const column = <T>(of: (end: CallEnd) => T): T[] => ends.map(([, end]) => of(end));
  const media = column((end) =>
    end.media === null || end.media === undefined ? null : JSON.stringify(end.media),
  );
  await sql`
    UPDATE calls SET
      ended_at = given.ended_at, duration_ms = given.duration_ms, ending = given.ending,
      ending_class = given.ending_class, ending_detail = given.ending_detail, media = given.media::jsonb,
      facts_told = given.facts_told
    FROM unnest(
      ${ends.map(([callId]) => callId)}::text[], ${column((end) => end.ended_at)}::timestamptz[],
      ${column((end) => end.duration_ms)}::integer[], ${column((end) => end.ending)}::text[],
      ${column((end) => end.ending_class)}::text[], ${column((end) => end.ending_detail)}::text[],
      ${media}::text[], ${column((end) => end.facts_told ?? null)}::integer[]
    ) AS given (call_id, ended_at, duration_ms, ending, ending_class, ending_detail, media, facts_told)
    WHERE calls.tenant = ${tenant} AND calls.call_id = given.call_id`.execute(rows);
}

/** What became known of calls after they opened, call by call: the same column of all of them. */
export async function updateCalls<Column extends 'answered_ms' | 'summary'>(
  { tenant, rows }: TenantRows,
  column: Column,
  values: ReadonlyMap<string, Call[Column]>,
): Promise<void> {
  if (values.size === 0) return;
  const type = sql.raw(column === 'summary' ? 'text[]' : 'integer[]');
  await sql`
    UPDATE calls SET ${sql.ref(column)} = given.value
    FROM unnest(${[...values.keys()]}::text[], ${[...values.values()]}::${type}) AS given (call_id, value)
    WHERE calls.tenant = ${tenant} AND calls.call_id = given.call_id`.execute(rows);
}

export async function findCalls({ tenant, rows }: TenantRows, callIds: readonly string[]): Promise<Call[]> {
  return rows
    .selectFrom('calls')
    .selectAll()
    .where('tenant', '=', tenant)
    .where('call_id', '=', sql<string>`ANY (${callIds}::text[])`)
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
