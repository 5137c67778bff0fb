/**
 * `audit`: who did what, append-only. Each entry holds the hash of the one before it, so that one changed
 * or missing row breaks the chain from there on.
 */
import { createHash } from 'node:crypto';
import { sql, type Insertable, type Selectable } from 'kysely';
import type { Database } from '../schema.ts';
import type { TenantRows } from '../store.ts';

export type AuditEntry = Selectable<Database['audit']>;

export interface NewAuditEntry {
  /** The same key twice is one entry. */
  readonly key: string;
  readonly at: Date;
  /** `key:tk_x`, `operator`, `worker`, `agent:profile` … */
  readonly actor: string;
  /** Such as `api-key.created`. */
  readonly action: string;
  readonly target?: string;
  readonly detail?: Readonly<Record<string, unknown>>;
}

/** `prev_hash` of the first entry. */
const CHAIN_START = '0'.repeat(64);

/** JSON whose keys are in order: the database keeps `jsonb` in an order of its own. */
function canonical(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join(',')}]`;
  if (typeof value === 'object' && value !== null) {
    const entries = Object.entries(value).sort(([one], [other]) => (one < other ? -1 : 1));
    return `{${entries.map(([key, one]) => `${JSON.stringify(key)}:${canonical(one)}`).join(',')}}`;
  }
  return JSON.stringify(value ?? null);
}

type Hashed = Omit<AuditEntry, 'hash' | 'at'> & { readonly at: Date };

function hashOf(entry: Hashed): string {
  const { tenant, seq, audit_key, at, actor, action, target, detail, prev_hash } = entry;
  const content = [tenant, seq, audit_key, at.toISOString(), actor, action, target, detail, prev_hash];
  return createHash('sha256').update(canonical(content)).digest('hex');
}

/** Appends to the tenant's chain; writers of one tenant take turns until their transactions end. */
export function appendAudit(unit: TenantRows, entry: NewAuditEntry): Promise<void> {
  return appendAudits(unit, [entry]);
}

/** As `appendAudit`, several at once, in their order. */
export async function appendAudits(
  { tenant, rows }: TenantRows,
  given: readonly NewAuditEntry[],
): Promise<void> {
  // The same key twice is one entry: the first.
  const byKey = new Map([...given].reverse().map((entry) => [entry.key, entry]));
  // In this order, and sent together: what follows the first sees what whoever had the lock has committed.
  const [, last, known] = await Promise.all([
    sql`SELECT pg_advisory_xact_lock(hashtextextended(${`audit:${tenant}`}, 0))`.execute(rows),
    rows
      .selectFrom('audit')
      .select(['seq', 'hash'])
      .where('tenant', '=', tenant)
      .orderBy('seq', 'desc')
      .limit(1)
      .executeTakeFirst(),
    rows
      .selectFrom('audit')
      .select('audit_key')
      .where('tenant', '=', tenant)
      .where('audit_key', 'in', [...byKey.keys()])
      .execute(),
  ]);
  for (const { audit_key } of known) byKey.delete(audit_key);
  const fresh = given.filter((entry) => byKey.get(entry.key) === entry);
  const chained = chain(tenant, last, fresh);
  if (chained.length > 0) await rows.insertInto('audit').values(chained).execute();
}

function chain(
  tenant: string,
  last: Pick<AuditEntry, 'seq' | 'hash'> | undefined,
  entries: readonly NewAuditEntry[],
): Insertable<Database['audit']>[] {
  let [seq, prev_hash] = [last?.seq ?? 0, last?.hash ?? CHAIN_START];
  return entries.map(({ key: audit_key, at, actor, action, target = '', detail: given }) => {
    seq += 1;
    // What JSON cannot say (undefined, functions) is dropped before it is hashed, as when it is stored.
    const detail: unknown = JSON.parse(JSON.stringify(given ?? {}));
    const entry = { tenant, seq, audit_key, at, actor, action, target, detail, prev_hash };
    prev_hash = hashOf(entry);
    return { ...entry, detail: JSON.stringify(detail), hash: prev_hash };
  });
}

/** The first entry of the tenant's chain that does not fit; undefined when all do. */
export async function brokenAudit({ tenant, rows }: TenantRows): Promise<number | undefined> {
  let expected = { seq: 1, prev: CHAIN_START };
  for (;;) {
    const entries = await rows
      .selectFrom('audit')
      .selectAll()
      .where('tenant', '=', tenant)
      .where('seq', '>=', expected.seq)
      .orderBy('seq')
      .limit(500)
      .execute();
    if (entries.length === 0) return undefined;
    for (const entry of entries) {
      const fits =
        entry.seq === expected.seq && entry.prev_hash === expected.prev && entry.hash === hashOf(entry);
      if (!fits) return expected.seq;
      expected = { seq: entry.seq + 1, prev: entry.hash };
    }
  }
}

/** Newest first; `before` continues a list. */
export async function listAudit(
  { tenant, rows }: TenantRows,
  { limit, before }: { readonly limit: number; readonly before?: number | undefined },
): Promise<AuditEntry[]> {
  let query = rows.selectFrom('audit').selectAll().where('tenant', '=', tenant);
  if (before !== undefined) query = query.where('seq', '<', before);
  return query.orderBy('seq', 'desc').limit(limit).execute();
}
