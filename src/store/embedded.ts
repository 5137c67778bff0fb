/**
 * The embedded database: Postgres compiled to WebAssembly, its files in the data folder, served on a socket
 * that only this user can open. It runs in a process of its own (pglite-process.ts): gateway and job
 * process are both clients of it, by the same driver and the same SQL as of any other Postgres.
 */
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { chmod, mkdir, rename, rm, stat } from 'node:fs/promises';
import { createServer, type Server } from 'node:net';
import { tmpdir, userInfo } from 'node:os';
import { join, resolve } from 'node:path';
import type { PGlite } from '@electric-sql/pglite';
import { TrunklineError } from '../base/errors.ts';
import { PgliteServer } from './pglite-server.ts';

/** Clients at a time. They take turns: one transaction runs, the others wait. */
const connections_max = 64;

function nameOf(dataDir: string): string {
  return createHash('sha256').update(resolve(dataDir)).digest('hex').slice(0, 16);
}

/**
 * Where the sockets of one data folder are: a path of a socket has at most 107 characters, and data folders
 * may be deep. Made with permission for this user alone.
 * @throws TrunklineError STORE_FOLDER_TAKEN when somebody else made it first
 */
export async function socketFolder(dataDir: string): Promise<string> {
  const { uid } = userInfo();
  const folder = join(tmpdir(), `trunkline-${uid}-${nameOf(dataDir)}`);
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const found = await stat(folder);
  if (found.uid !== uid && uid !== -1) throw new TrunklineError('STORE_FOLDER_TAKEN', folder);
  await chmod(folder, 0o700);
  return folder;
}

/** How clients reach the embedded database of a data folder. */
export function embeddedUrl(folder: string): string {
  return `socket://postgres@${folder}?db=postgres`;
}

export interface EmbeddedDatabase {
  close(): Promise<void>;
}

/**
 * Opens the database of a data folder and serves it. Its files bear one process at a time: another one is
 * refused. `onBroken`: the database itself failed, and nobody is answered any more.
 * @throws TrunklineError STORE_FOLDER_TAKEN
 */
export async function serveEmbedded(
  dataDir: string,
  onBroken?: (error: unknown) => void,
): Promise<EmbeddedDatabase> {
  const lock = await lockFolder(dataDir);
  const folder = join(dataDir, 'postgres');
  // Loading it takes a second: only this process should.
  const { PGlite } = await import('@electric-sql/pglite');
  if (!existsSync(folder)) {
    // Made beside its place: a process that is killed in the middle of it leaves no half database behind.
    await mkdir(dataDir, { recursive: true });
    await rm(`${folder}.new`, { recursive: true, force: true });
    const fresh = await PGlite.create({ dataDir: `${folder}.new` });
    await fresh.close();
    await rename(`${folder}.new`, folder);
  }
  const db = await PGlite.create({ dataDir: folder });
  let closing = false;
  watch(db, (error) => {
    if (!closing) onBroken?.(error);
  });
  const path = join(await socketFolder(dataDir), '.s.PGSQL.5432');
  // Left behind by a process that was killed; the lock says that nobody listens there.
  await rm(path, { force: true });
  const server = await PgliteServer.start(db, { path, clientsMax: connections_max });
  return {
    close: async () => {
      closing = true;
      await server.close();
      await db.close();
      lock.close();
    },
  };
}

/** Mistakes of a query are part of its answer. What throws is the engine, and nobody is answered after it. */
export function watch(db: Pick<PGlite, 'execProtocolRawStream'>, onBroken: (error: unknown) => void): void {
  const run = db.execProtocolRawStream.bind(db);
  db.execProtocolRawStream = async (...given) => {
    try {
      await run(...given);
    } catch (error) {
      onBroken(error);
      throw error;
    }
  };
}

/**
 * A name in Linux' abstract socket space: taken by one process at a time, and free again when it dies,
 * however.
 */
async function lockFolder(dataDir: string): Promise<Server> {
  const server = createServer();
  const { promise, resolve: listening, reject } = Promise.withResolvers<undefined>();
  server.once('error', reject);
  server.listen(`\0trunkline-store-${nameOf(dataDir)}`, () => listening(undefined));
  try {
    await promise;
  } catch (error) {
    throw new TrunklineError('STORE_FOLDER_TAKEN', dataDir, { cause: error });
  }
  server.unref();
  return server;
}
