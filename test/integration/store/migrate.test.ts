import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { migrate, readMigrations, type Migration } from '../../../src/store/migrate.ts';
import { DATABASES, openStore, startDatabase, type TestDatabase } from '../../support/store/databases.ts';
import { ONE_OF_EACH, TABLES } from '../../support/store/one-of-each.ts';

function migration(number: number, sql: string): Migration {
  return { number, name: `m${number}`, sql, checksum: `sum of ${sql}` };
}

const FIRST = migration(1, 'CREATE TABLE one (a text); INSERT INTO one VALUES (1)');
const SECOND = migration(2, 'CREATE TABLE two (a text)');

describe.each(DATABASES)('migrations on %s', (kind) => {
  let database: TestDatabase;
  const clients: pg.Client[] = [];
  beforeAll(async () => {
    database = await startDatabase(kind);
    for (let n = 0; n < 4; n += 1) {
      const client = new pg.Client({ connectionString: database.url });
      await client.connect();
      clients.push(client);
    }
  });
  afterAll(async () => {
    await Promise.all(clients.map((client) => client.end()));
    await database.close();
  });

  it('run once, in order, however many processes start together', async () => {
    const schema = 'together';
    for (const client of clients) await client.query(`SET search_path TO ${schema}`);
    await clients[0]?.query(`CREATE SCHEMA ${schema}`);
    const ran = await Promise.all(clients.map((client) => migrate(client, [FIRST, SECOND])));
    expect(ran.flat().sort()).toEqual([1, 2]);
    expect((await clients[1]?.query('SELECT * FROM one'))?.rows).toHaveLength(1);
  });

  it('run on from where the database is, and do nothing when it is there', async () => {
    const [client] = await inSchema('onward');
    expect(await migrate(client, [FIRST])).toEqual([1]);
    expect(await migrate(client, [FIRST, SECOND])).toEqual([2]);
    expect(await migrate(client, [FIRST, SECOND])).toEqual([]);
  });

  it('leave everything as it was when one of them fails', async () => {
    const [client] = await inSchema('failing');
    const broken = migration(2, 'CREATE TABLE two (a text); SELECT no_such_thing');
    await expect(migrate(client, [FIRST, broken])).rejects.toMatchObject({ code: '42703' });
    await expect(client.query('SELECT * FROM one')).rejects.toMatchObject({ code: '42P01' });
    expect(await migrate(client, [FIRST, SECOND])).toEqual([1, 2]);
  });

  it('are refused when one was changed after it ran, or is newer than this version', async () => {
    const [client] = await inSchema('changed');
    await migrate(client, [FIRST, SECOND]);
    const changed = { ...FIRST, checksum: 'another' };
    await expect(migrate(client, [changed, SECOND])).rejects.toMatchObject({
      ...{ code: 'STORE_MIGRATION_INVALID' },
      detail: 'migration 1 (m1) was changed after it ran',
    });
    await expect(migrate(client, [FIRST])).rejects.toMatchObject({ code: 'STORE_MIGRATION_INVALID' });
  });

  it('make the columns that the code knows, no more and no fewer', async () => {
    // On PGlite all clients share one session, and with it what they set.
    const [client] = await inSchema('public');
    const store = openStore(database.url);
    await store.migrate();
    const { rows } = await client.query<{ table: keyof typeof ONE_OF_EACH; columns: string[] }>(`
      SELECT table_name AS table, array_agg(column_name::text) AS columns FROM information_schema.columns
      WHERE table_schema = 'public' AND table_name <> 'schema_migrations' GROUP BY 1`);
    expect(rows.map((row) => row.table).sort()).toEqual([...TABLES].sort());
    // What the code writes exists; that nothing demands more than it writes, the isolation suite shows.
    for (const { table, columns } of rows)
      expect(columns).toEqual(expect.arrayContaining(['tenant', ...Object.keys(ONE_OF_EACH[table])]));
    await store.close();
  });

  async function inSchema(schema: string): Promise<[pg.Client]> {
    const [client] = clients;
    if (client === undefined) throw new Error('no client');
    await client.query(`CREATE SCHEMA IF NOT EXISTS ${schema}; SET search_path TO ${schema}`);
    return [client];
  }
});

describe('the folder of migrations', () => {
  async function folderOf(names: readonly string[]): Promise<string> {
    const folder = await mkdtemp(join(tmpdir(), 'trunkline-migrations-'));
    await mkdir(folder, { recursive: true });
    for (const name of names) await writeFile(join(folder, name), `SELECT '${name}'`);
    return folder;
  }

  it('of this version is in order', async () => {
    const migrations = await readMigrations();
    expect(migrations.map((one) => one.number)).toEqual(migrations.map((_, index) => index + 1));
    expect(migrations[0]).toMatchObject({
      name: 'foundation',
      checksum: expect.stringMatching(/^[0-9a-f]{64}$/) as string,
    });
  });

  it.each([
    ['a gap', ['0001-a.sql', '0003-c.sql']],
    ['one number twice', ['0001-a.sql', '0001-b.sql']],
    ['a name that is none', ['0001-a.sql', 'second.sql']],
    ['a number that is too short', ['1-a.sql']],
  ])('with %s is refused', async (_what, names) => {
    const folder = await folderOf(names);
    await expect(readMigrations(folder)).rejects.toMatchObject({ code: 'STORE_MIGRATION_INVALID' });
    await rm(folder, { recursive: true });
  });

  it('may hold other files, and is read by number', async () => {
    const folder = await folderOf(['0002-b.sql', 'README.md', '0001-a.sql']);
    const names = (await readMigrations(folder)).map((one) => one.name);
    expect(names).toEqual(['a', 'b']);
    await rm(folder, { recursive: true });
  });
});
