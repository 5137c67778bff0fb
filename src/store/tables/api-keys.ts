/**
 * `api_keys`: `tl.TENANT.KEY_ID.SECRET`, shown once. The key names its tenant, so that even looking it up
 * happens inside one tenant; of the secret only a hash is kept (256 random bits need no slow hash).
 */
import { createHash, randomBytes } from 'node:crypto';
import { sql, type Selectable } from 'kysely';
import { newId } from '../../base/ids.ts';
import type { Database } from '../schema.ts';
import type { Store, TenantRows } from '../store.ts';

export type ApiKey = Omit<Selectable<Database['api_keys']>, 'secret_hash'>;

const COLUMNS = [
  'tenant',
  'key_id',
  'name',
  'scopes',
  'created_at',
  'expires_at',
  'revoked_at',
  'last_used_at',
  'replaced_by',
] as const;

const KEY = /^tl\.([a-z][a-z0-9-]{0,63})\.(key_[\w-]{1,40})\.([\w-]{43})$/;

function hashOf(secret: string): string {
  return createHash('sha256').update(secret).digest('hex');
}

export interface NewApiKey {
  readonly name: string;
  readonly scopes: readonly string[];
  readonly expiresAt?: Date;
}

/** `key` is shown to its owner and kept nowhere. */
export async function createApiKey(
  { tenant, rows }: TenantRows,
  given: NewApiKey,
): Promise<{ key: string; apiKey: ApiKey }> {
  const secret = randomBytes(32).toString('base64url');
  const apiKey = await rows
    .insertInto('api_keys')
    .values({
      tenant,
      key_id: newId('key'),
      name: given.name,
      scopes: [...given.scopes],
      secret_hash: hashOf(secret),
      expires_at: given.expiresAt ?? null,
    })
    .returning(COLUMNS)
    .executeTakeFirstOrThrow();
  return { key: `tl.${tenant}.${apiKey.key_id}.${secret}`, apiKey };
}

/** Takes the key out of use at `at`: now, or a while later when its owner needs time to change over. */
export async function revokeApiKey(
  { tenant, rows }: TenantRows,
  keyId: string,
  { at, replacedBy = null }: { readonly at: Date; readonly replacedBy?: string | null },
): Promise<boolean> {
  const changed = await rows
    .updateTable('api_keys')
    .set({ revoked_at: at, replaced_by: replacedBy })
    .where('tenant', '=', tenant)
    .where('key_id', '=', keyId)
    .where((eb) => eb.or([eb('revoked_at', 'is', null), eb('revoked_at', '>', at)]))
    .executeTakeFirst();
  return changed.numUpdatedRows > 0n;
}

export async function listApiKeys({ tenant, rows }: TenantRows): Promise<ApiKey[]> {
  return rows
    .selectFrom('api_keys')
    .select(COLUMNS)
    .where('tenant', '=', tenant)
    .orderBy('created_at')
    .execute();
}

/** The live key that `presented` is; undefined for anything else, whatever is wrong with it. */
export async function findApiKey(
  store: Pick<Store, 'tenant'>,
  presented: string,
): Promise<ApiKey | undefined> {
  const [, tenant, keyId, secret] = KEY.exec(presented) ?? [];
  if (tenant === undefined || keyId === undefined || secret === undefined) return undefined;
  // Not compared in constant time: how far a guess's hash agrees with the right one says nothing about the
  // secret.
  return store.tenant(tenant, ({ rows }) =>
    rows
      .updateTable('api_keys')
      .set({ last_used_at: sql`now()` })
      .where('tenant', '=', tenant)
      .where('key_id', '=', keyId)
      .where('secret_hash', '=', hashOf(secret))
      .where(
        sql<boolean>`coalesce(revoked_at, 'infinity') > now() AND coalesce(expires_at, 'infinity') > now()`,
      )
      .returning(COLUMNS)
      .executeTakeFirst(),
  );
}
