/**
 * `gateway_runs`: lives of gateways' processes. Whoever writes words of a run holds its row together with
 * others; whoever ends the run holds it alone. So each sees what the other did, in whichever order they come.
 */
import { sql } from 'kysely';
import { ENDINGS, type EndingSlug } from '../../base/ending.ts';
import type { TenantRows } from '../store.ts';

/** Of one gateway, by the name of its spool. */
export interface RunName {
  readonly gateway: string;
  readonly run: string;
}

export interface RunState extends RunName {
  readonly isOver: boolean;
  readonly isSettled: boolean;
}

/** Until the end of the transaction none of these runs ends; those that had ended are told. */
export async function holdRuns(
  { tenant, rows }: TenantRows,
  gateway: string,
  runs: readonly string[],
): Promise<RunState[]> {
  const made = rows
    .insertInto('gateway_runs')
    .values(runs.map((run) => ({ tenant, gateway, run })))
    .onConflict((conflict) => conflict.doNothing())
    .execute();
  // A statement of its own, sent with the first: it sees what that one may have had to wait for.
  const held = rows
    .selectFrom('gateway_runs')
    .select(['run', 'over_at', 'settled_at'])
    .where('tenant', '=', tenant)
    .where('gateway', '=', gateway)
    .where('run', 'in', runs)
    .forShare()
    .execute();
  const [, found] = await Promise.all([made, held]);
  return found.map(({ run, over_at, settled_at }) => ({
    ...{ gateway, run, isOver: over_at !== null, isSettled: settled_at !== null },
  }));
}

/** The run is over from now on, and held alone. Returns for how long it has been known, in ms. */
export async function endRun({ tenant, rows }: TenantRows, { gateway, run }: RunName): Promise<number> {
  const { overForMs } = await rows
    .insertInto('gateway_runs')
    .values({ tenant, gateway, run, over_at: sql<Date>`clock_timestamp()` })
    .onConflict((conflict) =>
      conflict
        .columns(['tenant', 'gateway', 'run'])
        .doUpdateSet({ over_at: sql<Date>`coalesce(gateway_runs.over_at, excluded.over_at)` }),
    )
    .returning(
      // Not before its beginning, which is rounded to a whole millisecond.
      sql<number>`greatest(0, extract(epoch FROM clock_timestamp() - over_at) * 1000)::float8`.as(
        'overForMs',
      ),
    )
    .executeTakeFirstOrThrow();
  return overForMs;
}

/** Words of the run that come from now on tell by themselves what follows from them. */
export async function settleRun({ tenant, rows }: TenantRows, { gateway, run }: RunName): Promise<void> {
  await rows
    .updateTable('gateway_runs')
    .set({ settled_at: sql<Date>`coalesce(settled_at, clock_timestamp())` })
    .where('tenant', '=', tenant)
    .where('gateway', '=', gateway)
    .where('run', '=', run)
    .execute();
}

export interface DeadCall {
  readonly callId: string;
  readonly endedAt: Date;
  readonly durationMs: number;
}

const slug: EndingSlug = 'gateway-died';

/**
 * Ends the calls that the run left open, and their legs, at the last of their facts: as long as they are
 * known to have lasted. Asked again when more facts have come, it moves the end. Returns all that ended so.
 */
export async function endCallsOfRun({ tenant, rows }: TenantRows, of: RunName): Promise<DeadCall[]> {
  const lastOf = (table: 'turns' | 'tool_calls' | 'call_events'): ReturnType<typeof sql> => sql`
    (SELECT max(at_ms) FROM ${sql.table(table)} f WHERE f.tenant = c.tenant AND f.call_id = c.call_id)`;
  const { rows: dead } = await sql<DeadCall>`
    WITH dead AS (
      UPDATE calls SET
        ended_at = started_at + last_ms * interval '1 millisecond', duration_ms = last_ms,
        ending = ${slug}, ending_class = ${ENDINGS[slug].class}
      FROM (
        SELECT c.call_id, greatest(0, ${lastOf('turns')}, ${lastOf('tool_calls')}, ${lastOf('call_events')})
          AS last_ms
        FROM calls c
        WHERE c.tenant = ${tenant} AND c.gateway = ${of.gateway} AND c.run = ${of.run}
          AND (c.ended_at IS NULL OR c.ending = 'gateway-died')
        -- One that is being ended in truth is waited for, and left out.
        FOR UPDATE
      ) last
      WHERE calls.tenant = ${tenant} AND calls.call_id = last.call_id
      RETURNING calls.*
    ), legs_of_dead AS (
      INSERT INTO legs (tenant, leg_id, call_id, kind, opened_at, closed_at)
      SELECT tenant, call_id || '/phone', call_id, 'phone', started_at, ended_at FROM dead
      WHERE source = 'phone' AND answered_ms IS NOT NULL
      ON CONFLICT (tenant, leg_id) DO UPDATE SET closed_at = excluded.closed_at
    )
    SELECT call_id AS "callId", ended_at AS "endedAt", duration_ms AS "durationMs" FROM dead
    ORDER BY call_id`.execute(rows);
  return dead;
}
