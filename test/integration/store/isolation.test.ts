/** Nobody sees another tenant's rows: held against every table that the database itself says it has. */
import { sql } from 'kysely';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { APP_ROLE, type Store, type TenantRows } from '../../../src/store/store.ts';
import { DATABASES, openStore, startDatabase, type TestDatabase } from '../../support/store/databases.ts';
import { insertOne, TABLES } from '../../support/store/one-of-each.ts';

/** Without a tenant: what the migrations keep for themselves. The application may not even look at them. */
const PRIVATE_TABLES = ['schema_migrations'];

/** Does `work` and takes it back. */
async function rolledBack(
  store: Store,
  tenant: string,
  work: (unit: TenantRows) => Promise<void>,
): Promise<void> {
  const undo = new Error('taken back');
  const tried = store.tenant(tenant, async (unit) => {
    await work(unit);
    throw undo;
  });
  await expect(tried).rejects.toBe(undo);
}

describe.each(DATABASES)('tenants on %s', (kind) => {
  let database: TestDatabase;
  let store: Store;
  let owner: pg.Client;
  beforeAll(async () => {
    database = await startDatabase(kind);
    store = openStore(database.url);
    await store.migrate();
    await store.ensureTenants(['other']);
    for (const table of TABLES) await store.tenant('victim', (unit) => insertOne(unit, table, 'victim'));
    owner = new pg.Client({ connectionString: database.url });
    await owner.connect();
  });
  afterAll(async () => {
    await owner.end();
    await store.close();
    await database.close();
  });

  /**
   * Runs `statement` as the application would, if it forgot everything: no tenant, no transaction of the
   * store.
   */
  async function asApplication(statement: string, tenant?: string): Promise<pg.QueryResult> {
    await owner.query('BEGIN');
    try {
      await owner.query(`SET LOCAL ROLE ${APP_ROLE}`);
      if (tenant !== undefined) await owner.query("SELECT set_config('app.tenant', $1, true)", [tenant]);
      return await owner.query(statement);
    } finally {
      await owner.query('ROLLBACK');
    }
  }

  it('have every table of the catalogue under forced row security', async () => {
    const { rows } = await owner.query<{
      table: string;
      forced: boolean;
      tenant: boolean;
      policies: string[];
    }>(`
      SELECT c.relname AS table, c.relrowsecurity AND c.relforcerowsecurity AS forced,
        EXISTS (SELECT FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attname = 'tenant') AS tenant,
        ARRAY(SELECT polname::text FROM pg_policy WHERE polrelid = c.oid) AS policies
      FROM pg_class c WHERE c.relkind IN ('r', 'p', 'm', 'v', 'f')
        AND c.relnamespace NOT IN ('pg_catalog'::regnamespace, 'information_schema'::regnamespace,
          'pg_toast'::regnamespace)
      ORDER BY 1`);
    const secured = rows.filter((row) => row.tenant);
    expect(secured.map((row) => row.table)).toEqual([...TABLES].sort());
    for (const row of secured) expect(row).toMatchObject({ forced: true, policies: ['own_rows_only'] });
    expect(rows.filter((row) => !row.tenant).map((row) => row.table)).toEqual(PRIVATE_TABLES);
  });

  it('have the tenant first in every key, so that no key of one can collide with another’s', async () => {
    const { rows } = await owner.query<{ name: string; first: string }>(
      `
      SELECT i.indexrelid::regclass::text AS name, a.attname::text AS first
      FROM pg_index i JOIN pg_class c ON c.oid = i.indrelid
        JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = i.indkey[0]
      WHERE i.indisunique AND c.relnamespace = 'public'::regnamespace AND c.relname <> ALL ($1)`,
      [PRIVATE_TABLES],
    );
    expect(rows.length).toBeGreaterThanOrEqual(TABLES.length);
    expect(rows.filter((row) => row.first !== 'tenant')).toEqual([]);
  });

  it('are worked for by a role that owns nothing and cannot bypass the rules', async () => {
    const { rows } = await owner.query(
      `SELECT rolsuper, rolbypassrls, rolcanlogin, rolcreaterole, rolcreatedb FROM pg_roles
       WHERE rolname = $1`,
      [APP_ROLE],
    );
    expect(new Set(Object.values(rows[0] as Record<string, boolean>))).toEqual(new Set([false]));
    const { rows: owned } = await owner.query(
      'SELECT relname FROM pg_class WHERE relowner = $1::regrole AND relnamespace = $2::regnamespace',
      [APP_ROLE, 'public'],
    );
    expect(owned).toEqual([]);
  });

  describe.each(TABLES)('in %s', (table) => {
    it('see their own row, and another’s not', async () => {
      const count = async ({ rows }: TenantRows): Promise<unknown> =>
        (
          await rows
            .selectFrom(table)
            .select(sql<number>`count(*)::int`.as('n'))
            .executeTakeFirstOrThrow()
        ).n;
      expect(await store.tenant('victim', count)).toBe(1);
      const others = table === 'tenants' ? 1 : 0;
      expect(await store.tenant('other', count)).toBe(others);
      expect(await store.tenant('', count)).toBe(0);
    });

    it('show nothing to a session that names no tenant', async () => {
      expect((await asApplication(`SELECT * FROM ${table}`)).rows).toEqual([]);
    });

    it('cannot change or delete another’s row', async () => {
      for (const statement of [
        `UPDATE ${table} SET tenant = 'other' WHERE tenant = 'victim'`,
        `UPDATE ${table} SET tenant = tenant`,
        `DELETE FROM ${table} WHERE tenant = 'victim'`,
      ]) {
        const changed = await asApplication(statement, 'nobody').then(
          (result) => result.rowCount,
          (error: unknown) => (error as { code: string }).code,
        );
        // The audit log refuses even the try.
        expect(changed).toBe(table === 'audit' ? '42501' : 0);
      }
    });

    it('cannot write a row in another’s name', async () => {
      const tried = store.tenant('other', (unit) => insertOne(unit, table, 'victim'));
      await expect(tried).rejects.toMatchObject({ code: '42501' });
      const without = store.tenant('', (unit) => insertOne(unit, table, 'victim'));
      await expect(without).rejects.toMatchObject({ code: '42501' });
    });

    it('learn nothing from keys that another has', async () => {
      await rolledBack(store, 'guesser', async (unit) => {
        for (const one of TABLES) {
          await insertOne(unit, one, 'guesser');
          if (one === table) return;
        }
      });
    });

    it('cannot lift the rules from within', async () => {
      for (const statement of [
        `ALTER TABLE ${table} DISABLE ROW LEVEL SECURITY`,
        `CREATE POLICY open_door ON ${table} USING (true)`,
        `DROP POLICY own_rows_only ON ${table}`,
        `TRUNCATE ${table}`,
        `DROP TABLE ${table}`,
        `SET LOCAL row_security = off; SELECT * FROM ${table}`,
      ])
        await expect(asApplication(statement, 'other'), statement).rejects.toMatchObject({ code: '42501' });
    });
  });

  it('cannot stand on another’s rows: a call that is not theirs does not exist', async () => {
    const turn = sql`INSERT INTO turns (tenant, call_id, seq, who, text, at_ms)`;
    for (const callId of ['call_secret', 'call_that_never_was']) {
      const tried = store.tenant('other', ({ rows }) =>
        sql`${turn} VALUES ('other', ${callId}, 9, 'caller', 'x', 0)`.execute(rows),
      );
      await expect(tried).rejects.toMatchObject({ code: '23503' });
    }
  });

  it.each([
    ['read the migrations', 'SELECT * FROM schema_migrations'],
    ['make a table', 'CREATE TABLE mine (a text)'],
    ['make the rules anew', 'SELECT secure_tenant_tables()'],
    [
      'rewrite the question of the rules',
      "CREATE OR REPLACE FUNCTION current_tenant() RETURNS text AS '' LANGUAGE sql",
    ],
    ['become somebody who may', 'SET SESSION AUTHORIZATION postgres; ALTER ROLE trunkline_app BYPASSRLS'],
    ['read files of the server', "SELECT pg_read_file('/etc/passwd')"],
  ])('cannot %s', async (_what, statement) => {
    // A superuser who took the role may leave it, as whoever has the password may; the role itself may not.
    const blocked = asApplication(statement.replace(/^SET SESSION AUTHORIZATION postgres; /, ''), 'other');
    await expect(blocked).rejects.toMatchObject({ code: '42501' });
  });

  it('are forgotten between units of work on one connection', async () => {
    const single = openStore(database.url, { connectionsMax: 1 });
    const who = ({ rows }: TenantRows): Promise<unknown> =>
      sql`SELECT current_tenant() AS tenant, current_user AS role`
        .execute(rows)
        .then((result) => result.rows[0]);
    expect(await single.tenant('victim', who)).toEqual({ tenant: 'victim', role: APP_ROLE });
    await expect(single.tenant('victim', () => Promise.reject(new Error('gone wrong')))).rejects.toThrow();
    expect(await single.tenant('other', who)).toEqual({ tenant: 'other', role: APP_ROLE });
    await single.close();
  });

  it('stay apart when many work at the same time', async () => {
    const names = Array.from({ length: 5 }, (_, n) => `crowd-${n}`);
    await store.ensureTenants(names);
    await Promise.all(
      Array.from({ length: 60 }, (_, n) => {
        const tenant = names[n % names.length] ?? '';
        return store.tenant(tenant, async ({ rows }) => {
          const seen = await rows.selectFrom('tenants').select('tenant').execute();
          expect(seen).toEqual([{ tenant }]);
        });
      }),
    );
  });
});
