/** `messages`: short messages in both directions, and notes that callers left for a person. */
import { sql, type Insertable, type Selectable, type Updateable } from 'kysely';
import { newId } from '../../base/ids.ts';
import { pageOf, placeOf, rowsToFetch, type Page, type PageQuestion } from '../page.ts';
import type { Database } from '../schema.ts';
import type { TenantRows } from '../store.ts';

/** More of them to one number do not matter: a receipt is for a message of the last days. */
const unanswered_max = 100;

export type Message = Selectable<Database['messages']>;

export type NewMessage = Omit<
  Insertable<Database['messages']>,
  'tenant' | 'message_id' | 'attributes' | 'created_at' | 'updated_at'
> & { readonly attributes?: Readonly<Record<string, unknown>> };

/**
 * The message of this idempotency key: made when it is not there yet. `isNew` tells which.
 */
export async function addMessage(
  unit: TenantRows,
  given: NewMessage,
): Promise<{ message: Message; isNew: boolean }> {
  const [added] = await addMessages(unit, [given]);
  if (added === undefined) throw new Error('a message that was added is not there');
  return added;
}

/** As `addMessage`, several at once, in the order of `given`. */
export async function addMessages(
  { tenant, rows }: TenantRows,
  given: readonly NewMessage[],
): Promise<{ message: Message; isNew: boolean }[]> {
  if (given.length === 0) return [];
  const values = given.map(({ attributes = {}, ...content }) => ({
    ...{ tenant, message_id: newId('message'), ...content, attributes: JSON.stringify(attributes) },
  }));
  const made = await rows
    .insertInto('messages')
    // Whoever adds the same ones at the same time takes them in the same order.
    .values(values.toSorted((one, other) => (one.idempotency_key < other.idempotency_key ? -1 : 1)))
    .onConflict((conflict) => conflict.constraint('one_message_per_key').doNothing())
    .returningAll()
    .execute();
  const byKey = new Map(made.map((message) => [message.idempotency_key, { message, isNew: true }]));
  const before = values.map((one) => one.idempotency_key).filter((key) => !byKey.has(key));
  const found = before.length === 0 ? [] : await messagesOf({ tenant, rows }, before);
  for (const message of found) byKey.set(message.idempotency_key, { message, isNew: false });
  return values.map(({ idempotency_key: key }) => {
    const one = byKey.get(key);
    if (one === undefined) throw new Error('a message that was added is not there');
    return one;
  });
}

function messagesOf({ tenant, rows }: TenantRows, keys: readonly string[]): Promise<Message[]> {
  return rows
    .selectFrom('messages')
    .selectAll()
    .where('tenant', '=', tenant)
    .where('idempotency_key', '=', sql<string>`ANY (${keys}::text[])`)
    .execute();
}

export type MessageChange = Pick<
  Updateable<Database['messages']>,
  | 'status'
  | 'provider'
  | 'provider_message_id'
  | 'segments'
  | 'error_code'
  | 'error_detail'
  | 'send_after'
  | 'handed_at'
  | 'sent_at'
  | 'delivered_at'
>;

/** Returns the changed message; undefined when there is none, or it is not in one of the states `from`. */
export async function changeMessage(
  { tenant, rows }: TenantRows,
  which: { readonly messageId: string } | { readonly provider: string; readonly providerMessageId: string },
  change: MessageChange,
  from?: readonly Message['status'][],
): Promise<Message | undefined> {
  let query = rows
    .updateTable('messages')
    .set({ ...change, updated_at: sql`now()` })
    .where('tenant', '=', tenant);
  query =
    'messageId' in which
      ? query.where('message_id', '=', which.messageId)
      : query
          .where('provider', '=', which.provider)
          .where('provider_message_id', '=', which.providerMessageId);
  if (from !== undefined) query = query.where('status', 'in', from);
  return query.returningAll().executeTakeFirst();
}

/** The same change of several messages. */
export async function changeMessages(
  { tenant, rows }: TenantRows,
  messageIds: readonly string[],
  change: MessageChange,
): Promise<void> {
  if (messageIds.length === 0) return;
  await rows
    .updateTable('messages')
    .set({ ...change, updated_at: sql`now()` })
    .where('tenant', '=', tenant)
    .where('message_id', '=', sql<string>`ANY (${messageIds}::text[])`)
    .execute();
}

/**
 * Says that a provider is asked from now on. False when somebody else has said so since `handed_at` was
 * `seen`: of two that want to send a message, one does.
 */
export async function claimMessage(
  { tenant, rows }: TenantRows,
  given: {
    readonly messageId: string;
    readonly seen: Date | null;
    readonly at: Date;
    readonly provider: string;
  },
): Promise<boolean> {
  const { messageId, seen, at: handed_at, provider } = given;
  const claimed = await rows
    .updateTable('messages')
    .set({ handed_at, provider, updated_at: sql`now()` })
    .where('tenant', '=', tenant)
    .where('message_id', '=', messageId)
    .where('handed_at', 'is not distinct from', seen)
    .returning('message_id')
    .executeTakeFirst();
  return claimed !== undefined;
}

export async function findMessage(
  { tenant, rows }: TenantRows,
  messageId: string,
): Promise<Message | undefined> {
  return rows
    .selectFrom('messages')
    .selectAll()
    .where('tenant', '=', tenant)
    .where('message_id', '=', messageId)
    .executeTakeFirst();
}

/**
 * Messages to a number that a provider was given and did not answer for: one of a receipt's may be among
 * them.
 */
export async function unansweredMessages(
  { tenant, rows }: TenantRows,
  given: { readonly provider: string; readonly to: string },
): Promise<Message[]> {
  return rows
    .selectFrom('messages')
    .selectAll()
    .where('tenant', '=', tenant)
    .where('provider', '=', given.provider)
    .where('to_number', '=', given.to)
    .where('handed_at', 'is not', null)
    .where('provider_message_id', 'is', null)
    .orderBy('handed_at', 'desc')
    .limit(unanswered_max)
    .execute();
}

/**
 * How many text messages the tenant asked for since then, those that were refused for their number not among
 * them. Whoever asks next waits until this transaction has ended, and counts what it added.
 */
export async function countTextsSince({ tenant, rows }: TenantRows, since: Date): Promise<number> {
  await sql`SELECT pg_advisory_xact_lock(hashtextextended(${`texts of ${tenant}`}, 0))`.execute(rows);
  const counted = await rows
    .selectFrom('messages')
    .select(({ fn }) => fn.countAll<number>().as('texts'))
    .where('tenant', '=', tenant)
    .where('channel', '=', 'sms')
    .where('direction', '=', 'outbound')
    .where('created_at', '>=', since)
    .where((is) => is.or([is('error_code', 'is', null), is('error_code', '!=', 'SMS_DAY_LIMIT_REACHED')]))
    .executeTakeFirstOrThrow();
  return counted.texts;
}

/** What a provider calls the messages to a number that it is known to have taken: the newest ones. */
export async function providerIdsTo(
  { tenant, rows }: TenantRows,
  given: { readonly provider: string; readonly to: string },
): Promise<Set<string>> {
  const found = await rows
    .selectFrom('messages')
    .select('provider_message_id')
    .where('tenant', '=', tenant)
    .where('provider', '=', given.provider)
    .where('to_number', '=', given.to)
    .where('provider_message_id', 'is not', null)
    .orderBy('created_at', 'desc')
    .limit(unanswered_max)
    .execute();
  return new Set(found.map((one) => one.provider_message_id ?? ''));
}

/** Newest first. @throws TrunklineError STORE_CURSOR_INVALID */
export async function listMessages(
  { tenant, rows }: TenantRows,
  question: PageQuestion & {
    readonly callId?: string | undefined;
    readonly channel?: 'sms' | 'note' | undefined;
  },
): Promise<Page<Message>> {
  const place = placeOf(question.cursor);
  let query = rows.selectFrom('messages').selectAll().where('tenant', '=', tenant);
  if (question.callId !== undefined) query = query.where('call_id', '=', question.callId);
  if (question.channel !== undefined) query = query.where('channel', '=', question.channel);
  if (place !== undefined)
    query = query.where((eb) =>
      eb(eb.refTuple('created_at', 'message_id'), '<', eb.tuple(place.at, place.id)),
    );
  const fetched = await query
    .orderBy('created_at', 'desc')
    .orderBy('message_id', 'desc')
    .limit(rowsToFetch(question))
    .execute();
  return pageOf(fetched, question, (row) => ({ at: row.created_at, id: row.message_id }));
}
