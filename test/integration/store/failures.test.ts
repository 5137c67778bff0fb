/** What the store says when the database is away, dies, or gives way; and what the database keeps. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PGlite } from '@electric-sql/pglite';
import { sql } from 'kysely';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { childrenOf } from '../../../bench/process-usage.ts';
import { serveEmbedded, socketFolder, watch } from '../../../src/store/embedded.ts';
import { SYSTEM_TENANT, type Store, type TenantRows } from '../../../src/store/store.ts';
import { findContact, upsertContact } from '../../../src/store/tables/contacts.ts';
import {
  copyPglite,
  DATABASES,
  openStore,
  startDatabase,
  type TestDatabase,
} from '../../support/store/databases.ts';

const away = { code: 'STORE_UNAVAILABLE' };

describe.each(DATABASES)('a store on %s', (kind) => {
  let database: TestDatabase;
  let store: Store;
  beforeAll(async () => {
    database = await startDatabase(kind);
    store = openStore(database.url);
    await store.migrate();
    await store.ensureTenants(['acme']);
  });
  afterAll(async () => {
    await store.close();
    await database.close();
  });

  const add = (e164: string): Promise<unknown> =>
    store.tenant('acme', (unit) => upsertContact(unit, { e164 }));

  it('has a tenant for what belongs to nobody, and makes none twice', async () => {
    await store.ensureTenants(['acme', 'acme']);
    const names = ({ rows }: TenantRows): Promise<{ tenant: string }[]> =>
      rows.selectFrom('tenants').select('tenant').execute();
    expect(await store.tenant(SYSTEM_TENANT, names)).toEqual([{ tenant: SYSTEM_TENANT }]);
    expect(await store.tenant('acme', names)).toEqual([{ tenant: 'acme' }]);
  });

  it('does a unit of work whole or not at all', async () => {
    const half = store.tenant('acme', async (unit) => {
      await upsertContact(unit, { e164: '+15550140' });
      throw new Error('changed my mind');
    });
    await expect(half).rejects.toThrow('changed my mind');
    const found = await store.tenant('acme', (unit) => findContact(unit, { e164: '+15550140' }));
    expect(found).toBeUndefined();
  });

  it('tells a mistake from a database that is away', async () => {
    const mistake = store.tenant('acme', ({ rows }) => sql`SELECT no_such_column`.execute(rows));
    await expect(mistake).rejects.toMatchObject({ code: '42703' });
    await expect(store.ping()).resolves.toBeUndefined();
  });

  it('keeps what it committed when the database is killed, and says so meanwhile', async () => {
    const committed: string[] = [];
    const tell = async (n: number): Promise<void> => {
      const e164 = `+1555${1000 + n}`;
      await add(e164).then(
        () => committed.push(e164),
        (error: unknown) => expect(error).toMatchObject(away),
      );
    };
    const writing = Promise.all(Array.from({ length: 40 }, (_, n) => tell(n)));
    await add('+15550150');
    await database.kill();
    await writing;
    await expect(add('+15550151')).rejects.toMatchObject(away);
    await expect(store.ping()).rejects.toMatchObject(away);
    await expect(store.migrate()).rejects.toMatchObject(away);
    await database.restart();
    await expect(add('+15550152')).resolves.toBeDefined();
    for (const e164 of [...committed, '+15550150'])
      expect(await store.tenant('acme', (unit) => findContact(unit, { e164 })), e164).toBeDefined();
  });

  it('says so when it writes to a database that is gone, before it could read of its end', async () => {
    const lost = store.tenant('acme', async ({ rows }) => {
      await sql`SELECT 1`.execute(rows);
      killAtOnce(database.process.pid ?? 0);
      await sql`SELECT 1`.execute(rows);
    });
    const told: unknown = await lost.catch((error: unknown) => error);
    await database.kill();
    await database.restart();
    // EPIPE, but where a busy machine read of the end first.
    const code: unknown = expect.stringMatching(/^E(PIPE|CONNRESET)$/);
    expect(told).toMatchObject({ ...away, cause: { code } });
    await expect(store.ping()).resolves.toBeUndefined();
  });

  it.each([
    ['a wrong value', "SELECT 'x'::int", '22P02'],
    [
      'a rule that is broken',
      "INSERT INTO contacts (tenant, contact_id, e164) VALUES ('acme', 'x', NULL)",
      '23502',
    ],
    ['a right that is missing', 'DELETE FROM audit', '42501'],
    ['a statement that is none', 'SELECTED', '42601'],
  ])('tells %s by its code, and takes the next unit', async (_what, statement, code) => {
    const wrong = store.tenant('acme', ({ rows }) => sql.raw(statement).execute(rows));
    await expect(wrong).rejects.toMatchObject({ code });
    await expect(wrong).rejects.not.toMatchObject(away);
    await expect(store.ping()).resolves.toBeUndefined();
  });

  it('keeps text as it was given: any script, quotes, and the longest that callers say', async () => {
    const texts = [
      'Zoë O’Neil',
      "'; DROP TABLE contacts; --",
      '日本語 \u{1f600} \u202e',
      'x'.repeat(20_000),
      '',
    ];
    for (const [n, name] of texts.entries()) {
      const e164 = `+155502${n}0`;
      await store.tenant('acme', (unit) => upsertContact(unit, { e164, name }));
      const found = await store.tenant('acme', (unit) => findContact(unit, { e164 }));
      expect(found?.name).toBe(name);
    }
  });

  it('keeps an empty text apart from none', async () => {
    const { name, email } = await store.tenant('acme', (unit) =>
      upsertContact(unit, { e164: '+1555031', name: '' }),
    );
    expect([name, email]).toEqual(['', null]);
  });

  it('refuses what Postgres text cannot hold, and says so', async () => {
    const wrong = store.tenant('acme', (unit) => upsertContact(unit, { e164: '+1555030', name: 'nul\0' }));
    await expect(wrong).rejects.toMatchObject({ code: '22021' });
  });

  it('ends, more than once, and is asked in vain after that', async () => {
    const other = openStore(database.url);
    await other.ping();
    await other.close();
    await other.close();
    await expect(other.ping()).rejects.toThrow();
  });
});

/** Ends a server and its processes, and does not let our event loop see it before all of them have gone. */
function killAtOnce(pid: number): void {
  const pids = [pid, ...childrenOf(pid, '')];
  for (const one of pids) process.kill(one, 'SIGKILL');
  for (const one of pids) while (isAlive(one));
}

/** Whether a thread of it runs: a process whose first thread has ended still holds its sockets. */
function isAlive(pid: number): boolean {
  try {
    const tasks = readdirSync(`/proc/${pid}/task`);
    return tasks.some(
      (task) => !/^State:\t[ZX]/m.test(readFileSync(`/proc/${pid}/task/${task}/status`, 'utf8')),
    );
  } catch {
    return false;
  }
}

describe('a store whose database', () => {
  it('was never there says so', async () => {
    const store = openStore('postgres://nobody@127.0.0.1:1/none');
    await expect(store.ping()).rejects.toMatchObject(away);
    await store.close();
  });

  it('does not answer gives up in time', async () => {
    const deaf = createServer((socket) => socket.on('error', () => undefined)).listen(0, '127.0.0.1');
    await new Promise((listening) => deaf.once('listening', listening));
    const { port } = deaf.address() as { port: number };
    const store = openStore(`postgres://nobody@127.0.0.1:${port}/none`, { timeoutMs: 100 });
    await expect(store.ping()).rejects.toMatchObject(away);
    await store.close();
    deaf.close();
  });
});

// Each makes databases from nothing: seconds on a quiet machine, and more beside other tests.
describe('the embedded database', { timeout: 60_000 }, () => {
  it('notices when its engine fails, and takes the mistake of a query for an answer', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'trunkline-embedded-'));
    await copyPglite(folder);
    const db = await PGlite.create({ dataDir: join(folder, 'postgres') });
    const failures: unknown[] = [];
    watch(db, (error) => failures.push(error));
    const ask = async (statement: string): Promise<string> => {
      const text = Buffer.from(`Q\0\0\0\0${statement}\0`);
      text.writeInt32BE(text.length - 1, 1);
      let answer = '';
      await db.execProtocolRawStream(text, {
        onRawData: (bytes) => (answer += Buffer.from(bytes).toString()),
      });
      return answer;
    };
    expect(await ask('SELECTED')).toContain('syntax error');
    expect(failures).toEqual([]);
    await db.close();
    await expect(ask('SELECT 1')).rejects.toThrow();
    expect(failures).toHaveLength(1);
    await rm(folder, { recursive: true });
  });

  it('lets one process into a data folder, and the next one when it is gone', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'trunkline-embedded-'));
    const first = await serveEmbedded(folder);
    await expect(serveEmbedded(folder)).rejects.toMatchObject({ code: 'STORE_FOLDER_TAKEN' });
    await first.close();
    const second = await serveEmbedded(folder);
    await second.close();
    await rm(await socketFolder(folder), { recursive: true });
    await rm(folder, { recursive: true });
  });

  it('keeps its socket where nobody else may go, however deep the data folder is', async () => {
    const deep = join(tmpdir(), 'a'.repeat(100), 'b'.repeat(100));
    const folder = await socketFolder(deep);
    expect(folder.length).toBeLessThan(80);
    expect((await stat(folder)).mode & 0o777).toBe(0o700);
    expect(await socketFolder(deep)).toBe(folder);
    expect(await socketFolder(join(deep, 'c'))).not.toBe(folder);
    await rm(folder, { recursive: true });
    await rm(await socketFolder(join(deep, 'c')), { recursive: true });
  });

  it('leaves no half database behind when its first start is killed', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'trunkline-embedded-'));
    // What a process that was killed while it made a database leaves.
    await mkdir(join(folder, 'postgres.new', 'base'), { recursive: true });
    await writeFile(join(folder, 'postgres.new', 'PG_VERSION'), '18\n');
    const database = await serveEmbedded(folder);
    expect(await readdir(folder)).toEqual(['postgres']);
    await database.close();
    await rm(await socketFolder(folder), { recursive: true });
    await rm(folder, { recursive: true });
  });

  it('lets go of its folder when its parent is gone before it is up', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'trunkline-embedded-'));
    const script = 'src/store/pglite-process.ts';
    const child = spawn(process.execPath, [script, folder], { stdio: ['ignore', 'ignore', 'ignore', 'ipc'] });
    const ended = once(child, 'exit');
    child.disconnect();
    await ended;
    const next = await serveEmbedded(folder);
    await next.close();
    await rm(await socketFolder(folder), { recursive: true });
    await rm(folder, { recursive: true });
  });
});
