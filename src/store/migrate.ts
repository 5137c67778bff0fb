/**
 * Forward-only migrations: `migrations/NNNN-name.sql`, each run once, in order, under one lock. A file that
 * was changed after it ran, or that is missing, stops the start: the database is not what the code
 * believes.
 */
import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { ClientBase } from 'pg';
import { TrunklineError } from '../base/errors.ts';

export const MIGRATIONS_FOLDER = fileURLToPath(new URL('migrations', import.meta.url));

/** Any constant: whoever migrates a Trunkline database waits for this advisory lock. */
const MIGRATION_LOCK = 7_311_984_020;

export interface Migration {
  /** From 1, without gaps. */
  readonly number: number;
  readonly name: string;
  readonly sql: string;
  /** SHA-256 of the text, hex. */
  readonly checksum: string;
}

/** @throws TrunklineError STORE_MIGRATION_INVALID when numbers leave a gap or occur twice */
export async function readMigrations(folder = MIGRATIONS_FOLDER): Promise<Migration[]> {
  const names = (await readdir(folder)).filter((name) => name.endsWith('.sql')).sort();
  return Promise.all(
    names.map(async (file, index) => {
      const [, digits, name] = /^(\d{4})-([a-z0-9-]+)\.sql$/.exec(file) ?? [];
      if (name === undefined || Number(digits) !== index + 1)
        throw new TrunklineError('STORE_MIGRATION_INVALID', `${file} is not number ${index + 1}`);
      const sql = await readFile(join(folder, file), 'utf8');
      return { number: index + 1, name, sql, checksum: createHash('sha256').update(sql).digest('hex') };
    }),
  );
}

/**
 * Brings the database to the newest migration. Any number of processes may ask at once: one works, the
 * others wait. Returns the numbers that were run.
 * @throws TrunklineError STORE_MIGRATION_INVALID
 */
export async function migrate(client: ClientBase, migrations: readonly Migration[]): Promise<number[]> {
  await client.query('BEGIN');
  try {
    // Held until the transaction ends; on one connection all migrations are in it, so none is half done.
    await client.query('SELECT pg_advisory_xact_lock($1)', [MIGRATION_LOCK]);
    await client.query(`CREATE TABLE IF NOT EXISTS schema_migrations (
      number integer PRIMARY KEY, name text NOT NULL, checksum text NOT NULL,
      run_at timestamptz NOT NULL DEFAULT now())`);
    const { rows } = await client.query<{ number: number; name: string; checksum: string }>(
      'SELECT number, name, checksum FROM schema_migrations ORDER BY number',
    );
    checkHistory(rows, migrations);
    const missing = migrations.slice(rows.length);
    for (const { number, name, sql, checksum } of missing) {
      await client.query(sql);
      await client.query('INSERT INTO schema_migrations (number, name, checksum) VALUES ($1, $2, $3)', [
        number,
        name,
        checksum,
      ]);
    }
    await client.query('COMMIT');
    return missing.map(({ number }) => number);
  } catch (error) {
    await client.query('ROLLBACK').catch(() => undefined);
    throw error;
  }
}

function checkHistory(
  run: readonly { number: number; name: string; checksum: string }[],
  migrations: readonly Migration[],
): void {
  run.forEach(({ number, name, checksum }, index) => {
    const known = migrations[index];
    if (known?.number !== number)
      throw new TrunklineError(
        'STORE_MIGRATION_INVALID',
        `the database has migration ${number} (${name}), which this version does not know`,
      );
    if (known.checksum !== checksum)
      throw new TrunklineError(
        'STORE_MIGRATION_INVALID',
        `migration ${number} (${name}) was changed after it ran`,
      );
  });
}
