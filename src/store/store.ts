/**
 * The door to the database. All work is done in units: a transaction under the role `trunkline_app`, in
 * which the rows of one tenant exist and no others. There is no way around it: a query outside a unit sees
 * no row at all.
 */
import { Kysely, PostgresDialect, sql, type Transaction } from 'kysely';
import pg, { TypeOverrides } from 'pg';
import { messageOf, TrunklineError } from '../base/errors.ts';
import type { Log } from '../base/log.ts';
import { migrate, readMigrations } from './migrate.ts';
import type { Database } from './schema.ts';

/** Tables of one tenant, inside one unit of work. The functions in tables/ take it. */
export interface TenantRows {
  readonly tenant: string;
  readonly rows: Transaction<Database>;
}

export interface StoreOptions {
  /** `postgres://user:password@host:port/database`, or a folder with a socket: `socket:/folder?db=name`. */
  readonly url: string;
  readonly connectionsMax: number;
  /** Longest wait for a connection, and longest query, in ms. */
  readonly timeoutMs: number;
  readonly log: Log;
}

/**
 * Rows that belong to no customer (a job that nobody could read): no tenant of the configuration is named
 * so.
 */
export const SYSTEM_TENANT = '_system';

/** The role under which rows are read and written; migrations/0001 makes it. */
export const APP_ROLE = 'trunkline_app';

/** Days stay `YYYY-MM-DD` (the driver would make them midnight somewhere), counts become numbers. */
const types = new TypeOverrides();
types.setTypeParser(pg.types.builtins.DATE, (text) => text);
types.setTypeParser(pg.types.builtins.INT8, Number);

export class Store {
  readonly #pool: pg.Pool;
  readonly #rows: Kysely<Database>;

  private constructor(pool: pg.Pool) {
    this.#pool = pool;
    this.#rows = new Kysely<Database>({ dialect: new PostgresDialect({ pool }) });
  }

  /** Connects when it is first asked for something: the database may still be on its way. */
  static open({ url, connectionsMax, timeoutMs, log }: StoreOptions): Store {
    const pool = new pg.Pool({
      connectionString: url,
      max: connectionsMax,
      connectionTimeoutMillis: timeoutMs,
      query_timeout: timeoutMs,
      allowExitOnIdle: true,
      types,
    });
    // One that breaks in the middle of a unit of work: the query under way fails, and that is how it is told.
    pool.on('connect', (client) => client.on('error', () => undefined));
    // One that breaks while nobody uses it; whoever comes next gets another.
    pool.on('error', (error) => log.warn({ detail: messageOf(error) }, 'a database connection was lost'));
    return new Store(pool);
  }

  /**
   * Brings the schema up to date. Any number of processes may do so at once.
   * @throws TrunklineError STORE_MIGRATION_INVALID, STORE_UNAVAILABLE
   */
  async migrate(): Promise<number[]> {
    const migrations = await readMigrations();
    return unavailable(async () => {
      const client = await this.#pool.connect();
      try {
        return await migrate(client, migrations);
      } finally {
        client.release();
      }
    });
  }

  /**
   * One unit of work: everything in `work` happens for this tenant, or nothing. What
   * `work` awaits besides queries holds the connection.
   * @throws TrunklineError STORE_UNAVAILABLE when the database cannot be reached: ask again later.
   *   After a COMMIT that got no answer the work may have been done: writes need an idempotency key.
   */
  async tenant<T>(tenant: string, work: (unit: TenantRows) => Promise<T>): Promise<T> {
    return unavailable(() =>
      this.#rows.transaction().execute(async (rows) => {
        // One round trip; both last until the end of the transaction and no longer.
        const role = sql`set_config('role', ${APP_ROLE}, true)`;
        await sql`SELECT ${role}, set_config('app.tenant', ${tenant}, true)`.execute(rows);
        return work({ tenant, rows });
      }),
    );
  }

  /** Makes sure that these tenants exist. Idempotent. */
  async ensureTenants(tenants: Iterable<string>): Promise<void> {
    for (const tenant of new Set([SYSTEM_TENANT, ...tenants]))
      await this.tenant(tenant, ({ rows }) =>
        rows
          .insertInto('tenants')
          .values({ tenant, name: tenant })
          .onConflict((conflict) => conflict.doNothing())
          .execute(),
      );
  }

  /** @throws TrunklineError STORE_UNAVAILABLE */
  async ping(): Promise<void> {
    await unavailable(() => sql`SELECT 1`.execute(this.#rows));
  }

  /** Waits for the units under way. Idempotent. */
  async close(): Promise<void> {
    if (!this.#pool.ended && !this.#pool.ending) await this.#rows.destroy();
  }
}

/**
 * Classes of SQLSTATE that say "later", not "wrong": connection (08), resources (53), operator intervention
 * (57), and the transactions that lost against another one (40).
 */
const LATER = new Set(['08', '53', '57', '40']);

/** Whether asking again may help: the database could not be reached, or gave way to somebody else. */
function isTransient(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  const code = 'code' in error && typeof error.code === 'string' ? error.code : '';
  if (/^[0-9A-Z]{5}$/.test(code)) return LATER.has(code.slice(0, 2));
  // Of node:net (ECONNREFUSED, ENOENT of a socket …), and pg's own, which have no code.
  return /^E[A-Z]+$/.test(code) || /timeout|terminated|Connection ended|not queryable/i.test(error.message);
}

async function unavailable<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof TrunklineError || !isTransient(error)) throw error;
    throw new TrunklineError('STORE_UNAVAILABLE', messageOf(error), { cause: error });
  }
}
