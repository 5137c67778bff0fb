/**
 * `dead_letters`: jobs that were given up, whole, with the reason, until somebody replays or discards them.
 */
import { sql, type Selectable } from 'kysely';
import { newId } from '../../base/ids.ts';
import { pageOf, placeOf, rowsToFetch, type Page, type PageQuestion } from '../page.ts';
import type { Database } from '../schema.ts';
import type { TenantRows } from '../store.ts';

export type DeadLetter = Selectable<Database['dead_letters']>;

export interface NewDeadLetter {
  readonly queue: string;
  /** Unique per queue: a job that dies again after a replay is the same dead letter. */
  readonly jobKey: string;
  readonly payload: unknown;
  readonly code: string;
  readonly detail: string;
  readonly attempts: number;
}

const detail_characters_max = 4000;

export async function addDeadLetter({ tenant, rows }: TenantRows, given: NewDeadLetter): Promise<DeadLetter> {
  const content = {
    payload: JSON.stringify(given.payload ?? null),
    code: given.code,
    detail: given.detail.slice(0, detail_characters_max),
    attempts: given.attempts,
  };
  return rows
    .insertInto('dead_letters')
    .values({
      tenant,
      dead_letter_id: newId('letter'),
      queue: given.queue,
      job_key: given.jobKey,
      ...content,
    })
    .onConflict((conflict) =>
      conflict
        .constraint('one_dead_letter_per_job')
        .doUpdateSet({ ...content, died_at: sql`now()`, replayed_at: null, discarded_at: null }),
    )
    .returningAll()
    .executeTakeFirstOrThrow();
}

export async function findDeadLetter(
  { tenant, rows }: TenantRows,
  deadLetterId: string,
): Promise<DeadLetter | undefined> {
  return rows
    .selectFrom('dead_letters')
    .selectAll()
    .where('tenant', '=', tenant)
    .where('dead_letter_id', '=', deadLetterId)
    .executeTakeFirst();
}

/** Marks it as given back to its queue, or put away. Undefined when it is neither waiting nor there. */
export async function settleDeadLetter(
  { tenant, rows }: TenantRows,
  deadLetterId: string,
  how: 'replayed' | 'discarded',
): Promise<DeadLetter | undefined> {
  return rows
    .updateTable('dead_letters')
    .set(
      how === 'replayed'
        ? { replayed_at: sql`now()`, replays: sql`replays + 1` }
        : { discarded_at: sql`now()` },
    )
    .where('tenant', '=', tenant)
    .where('dead_letter_id', '=', deadLetterId)
    .where('replayed_at', 'is', null)
    .where('discarded_at', 'is', null)
    .returningAll()
    .executeTakeFirst();
}

/** Those that wait, newest first. @throws TrunklineError STORE_CURSOR_INVALID */
export async function listDeadLetters(
  { tenant, rows }: TenantRows,
  question: PageQuestion & { readonly queue?: string | undefined },
): Promise<Page<DeadLetter>> {
  const place = placeOf(question.cursor);
  let query = rows
    .selectFrom('dead_letters')
    .selectAll()
    .where('tenant', '=', tenant)
    .where('replayed_at', 'is', null)
    .where('discarded_at', 'is', null);
  if (question.queue !== undefined) query = query.where('queue', '=', question.queue);
  if (place !== undefined)
    query = query.where((eb) =>
      eb(eb.refTuple('died_at', 'dead_letter_id'), '<', eb.tuple(place.at, place.id)),
    );
  const fetched = await query
    .orderBy('died_at', 'desc')
    .orderBy('dead_letter_id', 'desc')
    .limit(rowsToFetch(question))
    .execute();
  return pageOf(fetched, question, (row) => ({ at: row.died_at, id: row.dead_letter_id }));
}
