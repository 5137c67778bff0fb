/**
 * The door to the database. All work is done in units: a transaction under the role `trunkline_app`, in
 * which the rows of one tenant exist and no others. There is no way around it: a query outside a unit sees
 * no row at all.
 */
import type { Socket } from 'node:net';
import { Kysely, PostgresDialect } from 'kysely';
import pg, { TypeOverrides } from 'pg';
import { messageOf, TrunklineError } from '../base/errors.ts';
import type { Log } from '../base/log.ts';
import { sendTogether } from '../base/send-together.ts';
import { migrate, readMigrations } from './migrate.ts';
import type { Database } from './schema.ts';

/** Tables of one tenant, inside one unit of work. The functions in tables/ take it. */
export interface TenantRows {
  readonly tenant: string;
  /** Statements are sent as they are asked for: those that need no answer of one another may go together. */
  readonly rows: Kysely<Database>;
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
  /** Tenants that are known to exist in the database that the connections are to. */
  readonly #tenants = new Set<string>();

  private constructor(pool: pg.Pool) {
    this.#pool = pool;
  }

  /** Connects when it is first asked for something: the database may still be on its way. */
  static open({ url, connectionsMax, timeoutMs, log }: StoreOptions): Store {
    const pool = new pg.Pool({
      connectionString: url,
      max: connectionsMax,
      connectionTimeoutMillis: timeoutMs,
      query_timeout: timeoutMs,
      allowExitOnIdle: true,
      pipeline: true,
      types,
    });
    // One that breaks in the middle of a unit of work: the query under way fails, and that is how it is told.
    pool.on('connect', (client) => client.on('error', () => undefined));
    // One that breaks while nobody uses it; whoever comes next gets another.
    pool.on('error', (error) => log.warn({ detail: messageOf(error) }, 'a database connection was lost'));
    const store = new Store(pool);
    // It may be another database than the one that we knew, or an older copy of it.
    pool.on('connect', () => store.#tenants.clear());
    return store;
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
    return unavailable(async () => {
      const client = await this.#pool.connect();
      let isLost = false;
      try {
        return await runUnit(client, tenant, work);
      } catch (error) {
        await client.query('ROLLBACK').catch(() => (isLost = true));
        throw error;
      } finally {
        client.release(isLost);
      }
    });
  }

  /** Makes sure that these tenants exist. Idempotent. */
  async ensureTenants(tenants: Iterable<string>): Promise<void> {
    for (const tenant of new Set([SYSTEM_TENANT, ...tenants])) {
      if (this.#tenants.has(tenant)) continue;
      await this.tenant(tenant, ({ rows }) =>
        rows
          .insertInto('tenants')
          .values({ tenant, name: tenant })
          .onConflict((conflict) => conflict.doNothing())
          .execute(),
      );
      this.#tenants.add(tenant);
    }
  }

  /** @throws TrunklineError STORE_UNAVAILABLE */
  async ping(): Promise<void> {
    await unavailable(() => this.#pool.query('SELECT 1'));
  }

  /** Waits for the units under way. Idempotent. */
  async close(): Promise<void> {
    if (!this.#pool.ended && !this.#pool.ending) await this.#pool.end();
  }
}

async function runUnit<T>(
  client: pg.PoolClient,
  tenant: string,
  work: (unit: TenantRows) => Promise<T>,
): Promise<T> {
  const { rows, end } = rowsOn(client);
  // Sent together with the first statement of the work. All last until the end of the transaction and no
  // longer. BEGIN has nothing in it that could fail; when the second does, all that follows it does, too.
  const whose = `SELECT set_config('role', $1, true), set_config('app.tenant', $2, true)`;
  sendTogether(streamOf(client));
  const begun = Promise.all([client.query('BEGIN'), client.query(whose, [APP_ROLE, tenant])]);
  begun.catch(() => undefined);
  let done: T;
  try {
    done = await work({ tenant, rows });
  } finally {
    end();
    await begun;
  }
  const { command } = await client.query('COMMIT');
  if (command === 'ROLLBACK') throw new Error('a failed statement was passed over: nothing is committed');
  return done;
}

/** The driver's own, which its types do not name. */
function streamOf(client: pg.PoolClient): Socket {
  return (client as unknown as { connection: { stream: Socket } }).connection.stream;
}

/**
 * The tables over one connection, until `end`: whoever asks later would be in nobody's transaction, or in
 * somebody else's.
 */
function rowsOn(client: pg.PoolClient): { rows: Kysely<Database>; end: () => void } {
  let isOver = false;
  const query = async (text: string, values: readonly unknown[]): Promise<pg.QueryResult> => {
    if (isOver) throw new Error('the unit of work is over');
    sendTogether(streamOf(client));
    return client.query(text, [...values]);
  };
  const one = { query, release: () => undefined } as unknown as pg.PoolClient;
  const pool = { connect: () => Promise.resolve(one), end: () => Promise.resolve(), options: {} };
  return {
    rows: new Kysely<Database>({ dialect: new PostgresDialect({ pool }) }),
    end: () => (isOver = true),
  };
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
  // An SQLSTATE only when the server said it: EPIPE of a socket has five letters, too.
  if (error instanceof pg.DatabaseError) return LATER.has(code.slice(0, 2));
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
