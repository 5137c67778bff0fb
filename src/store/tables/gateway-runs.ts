/**
 * `gateway_runs`: lives of gateways' processes. Whoever writes words of a run holds its row together with
 * others; whoever ends the run holds it alone. So each sees what the other did, in whichever order they come.
 * In the rows of the system's tenant gateways tell of themselves.
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

/**
 * The gateway says that its run goes on, and whose calls it may have. For the system's tenant. Returns
 * whether somebody has told that the run is over.
 */
export async function hearRun(
  { tenant, rows }: TenantRows,
  { gateway, run, tenants }: RunName & { readonly tenants: readonly string[] },
): Promise<boolean> {
  const { over_at } = await rows
    .insertInto('gateway_runs')
    .values({ tenant, gateway, run, tenants: [...tenants], heard_at: sql<Date>`clock_timestamp()` })
    .onConflict((conflict) =>
      conflict.columns(['tenant', 'gateway', 'run']).doUpdateSet((eb) => ({
        tenants: eb.ref('excluded.tenants'),
        heard_at: eb.ref('excluded.heard_at'),
      })),
    )
    .returning('over_at')
    .executeTakeFirstOrThrow();
  return over_at !== null;
}

/** How long ago something was, by the clock of the database, in ms; never less than 0. */
const agoMs = (at: ReturnType<typeof sql>): ReturnType<typeof sql> =>
  sql`greatest(0, extract(epoch FROM clock_timestamp() - ${at}) * 1000)::float8`;

export interface HeardRun extends RunName {
  /** Whose calls it may have. */
  readonly tenants: readonly string[];
  readonly heardAt: Date;
  readonly heardAgoMs: number;
  /** When it was told that it is over; null while it may live. */
  readonly overAt: Date | null;
}

/** Runs that told of themselves. For the system's tenant. */
export async function heardRuns({ tenant, rows }: TenantRows): Promise<HeardRun[]> {
  const { rows: heard } = await sql<HeardRun>`
    SELECT gateway, run, coalesce(tenants, '{}') AS tenants, heard_at AS "heardAt",
      ${agoMs(sql`heard_at`)} AS "heardAgoMs", over_at AS "overAt"
    FROM gateway_runs WHERE tenant = ${tenant} AND heard_at IS NOT NULL
    ORDER BY heard_at DESC, gateway, run`.execute(rows);
  return heard;
}

export interface OpenRun extends RunName {
  readonly openCalls: number;
  /** Of the last fact that is known of one of them, by the gateway's own clock. */
  readonly heardAt: Date;
  readonly heardAgoMs: number;
}

/** Runs that have calls without an end. */
export async function openRuns({ tenant, rows }: TenantRows): Promise<OpenRun[]> {
  const { rows: open } = await sql<OpenRun>`
    SELECT gateway, run, count(*)::int AS "openCalls", max(heard_at) AS "heardAt",
      ${agoMs(sql`max(heard_at)`)} AS "heardAgoMs"
    FROM (
      SELECT gateway, run, started_at + ${lastFactMs} * interval '1 millisecond' AS heard_at
      FROM calls c WHERE c.tenant = ${tenant} AND c.ended_at IS NULL
    ) open
    GROUP BY gateway, run ORDER BY gateway, run`.execute(rows);
  return open;
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

/**
 * Words of the run that come from now on tell by themselves what follows from them. Returns whether this is
 * the first time: it is so once.
 */
export async function settleRun({ tenant, rows }: TenantRows, { gateway, run }: RunName): Promise<boolean> {
  const { numUpdatedRows } = await rows
    .updateTable('gateway_runs')
    .set({ settled_at: sql<Date>`clock_timestamp()` })
    .where('tenant', '=', tenant)
    .where('gateway', '=', gateway)
    .where('run', '=', run)
    .where('settled_at', 'is', null)
    .executeTakeFirst();
  return numUpdatedRows > 0n;
}

export interface DeadCall {
  readonly callId: string;
  readonly endedAt: Date;
  readonly durationMs: number;
  /** It had no end before: of several that end a call, one is told so. */
  readonly wasOpen: boolean;
}

const slug: EndingSlug = 'gateway-died';

const lastOf = (table: 'turns' | 'tool_calls' | 'call_events'): ReturnType<typeof sql> => sql`
  (SELECT max(at_ms) FROM ${sql.table(table)} f WHERE f.tenant = c.tenant AND f.call_id = c.call_id)`;

/** Of a row `c` of calls: for how long the call is known to have lasted. */
const lastFactMs = sql`greatest(0, ${lastOf('turns')}, ${lastOf('tool_calls')}, ${lastOf('call_events')})`;

/**
 * Ends the calls that the run left open, and their legs, at the last of their facts: as long as they are
 * known to have lasted. Asked again when more facts have come, it moves the end. Returns all that ended so.
 */
export async function endCallsOfRun({ tenant, rows }: TenantRows, of: RunName): Promise<DeadCall[]> {
  const { rows: dead } = await sql<DeadCall>`
    WITH dead AS (
      UPDATE calls SET
        ended_at = started_at + last_ms * interval '1 millisecond', duration_ms = last_ms,
        ending = ${slug}, ending_class = ${ENDINGS[slug].class}
      FROM (
        SELECT c.call_id, ${lastFactMs} AS last_ms, c.ended_at IS NULL AS was_open
        FROM calls c
        WHERE c.tenant = ${tenant} AND c.gateway = ${of.gateway} AND c.run = ${of.run}
          AND (c.ended_at IS NULL OR c.ending = 'gateway-died')
        -- One that is being ended in truth is waited for, and left out.
        FOR UPDATE
      ) last
      WHERE calls.tenant = ${tenant} AND calls.call_id = last.call_id
      RETURNING calls.*, was_open
    ), legs_of_dead AS (
      INSERT INTO legs (tenant, leg_id, call_id, kind, opened_at, closed_at)
      SELECT tenant, call_id || '/phone', call_id, 'phone', started_at, ended_at FROM dead
      WHERE source = 'phone' AND answered_ms IS NOT NULL
      ON CONFLICT (tenant, leg_id) DO UPDATE SET closed_at = excluded.closed_at
    )
    SELECT call_id AS "callId", ended_at AS "endedAt", duration_ms AS "durationMs", was_open AS "wasOpen"
    FROM dead
    ORDER BY call_id`.execute(rows);
  return dead;
}
