/** `opt_outs`: who does not want to be written to (STOP), and who does again (START). */
import { sql } from 'kysely';
import type { TenantRows } from '../store.ts';

export async function setOptOut(
  { tenant, rows }: TenantRows,
  given: {
    readonly e164: string;
    readonly channel: string;
    readonly optedOut: boolean;
    readonly reason: string;
  },
): Promise<void> {
  const { e164, channel, optedOut, reason } = given;
  await rows
    .insertInto('opt_outs')
    .values({ tenant, channel, e164, opted_out: optedOut, reason })
    .onConflict((conflict) =>
      conflict
        .columns(['tenant', 'channel', 'e164'])
        .doUpdateSet({ opted_out: optedOut, reason, changed_at: sql`now()` }),
    )
    .execute();
}

/** Those of the numbers that want nothing. */
export async function optedOutOf(
  { tenant, rows }: TenantRows,
  { numbers, channel }: { readonly numbers: readonly string[]; readonly channel: string },
): Promise<Set<string>> {
  const found = await rows
    .selectFrom('opt_outs')
    .select('e164')
    .where('tenant', '=', tenant)
    .where('channel', '=', channel)
    .where('opted_out', '=', true)
    .where('e164', '=', sql<string>`ANY (${numbers}::text[])`)
    .execute();
  return new Set(found.map((one) => one.e164));
}
