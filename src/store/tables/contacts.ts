/** `contacts`: people by their number in E.164. */
import { sql, type Selectable } from 'kysely';
import { newId } from '../../base/ids.ts';
import { pageOf, placeOf, rowsToFetch, type Page, type PageQuestion } from '../page.ts';
import type { Database } from '../schema.ts';
import type { TenantRows } from '../store.ts';

export type Contact = Selectable<Database['contacts']>;

/** What a caller said of themselves; what is left out stays as it was. */
export interface ContactChange {
  readonly e164: string;
  readonly name?: string | undefined;
  readonly email?: string | undefined;
  readonly company?: string | undefined;
  readonly notes?: string | undefined;
  /** Merged into those that are there, key by key. */
  readonly attributes?: Readonly<Record<string, unknown>> | undefined;
}

/**
 * Makes or changes the one contact of a number, and returns it. The same change twice changes nothing more.
 */
export async function upsertContact(unit: TenantRows, change: ContactChange): Promise<Contact> {
  const [contact] = await upsertContacts(unit, [change]);
  if (contact === undefined) throw new Error('a contact that was written is not there');
  return contact;
}

/** As `upsertContact`, several at once, each of another number. In no order. */
export async function upsertContacts(
  { tenant, rows }: TenantRows,
  changes: readonly ContactChange[],
): Promise<Contact[]> {
  if (changes.length === 0) return [];
  return rows
    .insertInto('contacts')
    .values(
      // Whoever changes the same ones at the same time takes them in the same order.
      changes
        .toSorted((one, other) => (one.e164 < other.e164 ? -1 : 1))
        .map(({ attributes = {}, ...given }) => ({
          ...{ tenant, contact_id: newId('contact'), ...given, attributes: JSON.stringify(attributes) },
        })),
    )
    .onConflict((conflict) =>
      conflict.constraint('one_contact_per_number').doUpdateSet({
        name: sql`coalesce(excluded.name, contacts.name)`,
        email: sql`coalesce(excluded.email, contacts.email)`,
        company: sql`coalesce(excluded.company, contacts.company)`,
        notes: sql`coalesce(excluded.notes, contacts.notes)`,
        attributes: sql`contacts.attributes || excluded.attributes`,
        updated_at: sql`now()`,
      }),
    )
    .returningAll()
    .execute();
}

/** Remembers what another system calls this contact: `{hubspot: '123'}`. */
export async function linkContact(
  { tenant, rows }: TenantRows,
  contactId: string,
  external: Readonly<Record<string, string>>,
): Promise<void> {
  await rows
    .updateTable('contacts')
    .set({ external: sql`external || ${JSON.stringify(external)}::jsonb` })
    .where('tenant', '=', tenant)
    .where('contact_id', '=', contactId)
    .execute();
}

export async function findContact(
  { tenant, rows }: TenantRows,
  by: { readonly e164: string } | { readonly contactId: string },
): Promise<Contact | undefined> {
  const query = rows.selectFrom('contacts').selectAll().where('tenant', '=', tenant);
  return (
    'e164' in by ? query.where('e164', '=', by.e164) : query.where('contact_id', '=', by.contactId)
  ).executeTakeFirst();
}

/** Latest change first. @throws TrunklineError STORE_CURSOR_INVALID */
export async function listContacts(
  { tenant, rows }: TenantRows,
  question: PageQuestion,
): Promise<Page<Contact>> {
  const place = placeOf(question.cursor);
  let query = rows.selectFrom('contacts').selectAll().where('tenant', '=', tenant);
  if (place !== undefined)
    query = query.where((eb) =>
      eb(eb.refTuple('updated_at', 'contact_id'), '<', eb.tuple(place.at, place.id)),
    );
  const fetched = await query
    .orderBy('updated_at', 'desc')
    .orderBy('contact_id', 'desc')
    .limit(rowsToFetch(question))
    .execute();
  return pageOf(fetched, question, (row) => ({ at: row.updated_at, id: row.contact_id }));
}
