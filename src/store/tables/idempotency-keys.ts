/** `idempotency_keys`: the answer to a request, for whoever asks it again. */
import { sql } from 'kysely';
import { TrunklineError } from '../../base/errors.ts';
import type { TenantRows } from '../store.ts';

export interface KeyedRequest {
  /** What kind of request: keys of different scopes never meet. */
  readonly scope: string;
  readonly key: string;
  /** Hash of what is asked. */
  readonly fingerprint: string;
  readonly expiresAt: Date;
}

/**
 * Does `work` once per key, in this unit of work: whoever asks again, even at the same time, gets the first
 * answer.
 * @throws TrunklineError STORE_KEY_REUSED when the key came with another question before
 */
export async function once<Answer>(
  unit: TenantRows,
  request: KeyedRequest,
  work: () => Promise<Answer>,
  parse: (stored: unknown) => Answer,
): Promise<Answer> {
  const { tenant, rows } = unit;
  const { scope, key, fingerprint, expiresAt } = request;
  const ours = { tenant, scope, key };
  await rows
    .deleteFrom('idempotency_keys')
    .where('tenant', '=', tenant)
    .where('scope', '=', scope)
    .where('key', '=', key)
    .where('expires_at', '<', sql<Date>`now()`)
    .execute();
  // A second asker waits here until the first one's transaction ends, and then finds its answer.
  const made = await rows
    .insertInto('idempotency_keys')
    .values({ ...ours, fingerprint, expires_at: expiresAt })
    .onConflict((conflict) => conflict.doNothing())
    .returning('key')
    .executeTakeFirst();
  const mine = rows
    .selectFrom('idempotency_keys')
    .select(['fingerprint', 'response'])
    .where('tenant', '=', tenant)
    .where('scope', '=', scope)
    .where('key', '=', key);
  if (made === undefined) {
    const found = await mine.executeTakeFirstOrThrow();
    if (found.fingerprint !== fingerprint)
      throw new TrunklineError('STORE_KEY_REUSED', `${scope} ${key.slice(0, 100)}`);
    return parse(found.response);
  }
  const answer = await work();
  await rows
    .updateTable('idempotency_keys')
    .set({ response: JSON.stringify(answer ?? null) })
    .where('tenant', '=', tenant)
    .where('scope', '=', scope)
    .where('key', '=', key)
    .execute();
  return answer;
}
