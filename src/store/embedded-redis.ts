/**
 * The private redis-server of the embedded default: on a socket that only this user can open, every write
 * in its append-only file before it is answered, and nothing ever evicted. With fsync `everysec` the first is
 * not so: docs/decisions/redis-fsync.md.
 */
import { execFile } from 'node:child_process';
import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { Redis } from 'ioredis';
import { socketFolder } from './embedded.ts';

export interface EmbeddedRedis {
  readonly program: string;
  readonly args: readonly string[];
  /** Where clients find it. */
  readonly socket: string;
  /** Clears the way: one that a killed gateway left behind is asked to end, and waited for. */
  prepare(): Promise<void>;
}

const run = promisify(execFile);

export interface EmbeddedRedisOptions {
  readonly dataDir: string;
  readonly program: string;
  readonly fsync: 'always' | 'everysec' | 'no';
}

export async function embeddedRedis({
  dataDir,
  program,
  fsync,
}: EmbeddedRedisOptions): Promise<EmbeddedRedis> {
  const folder = join(dataDir, 'redis');
  const socket = join(await socketFolder(dataDir), 'redis.sock');
  const server = [
    ...[program, '--port', '0', '--unixsocket', socket, '--unixsocketperm', '700', '--dir', folder],
    ...['--appendonly', 'yes', '--appendfsync', fsync, '--save', '', '--maxmemory-policy', 'noeviction'],
    ...['--daemonize', 'no', '--logfile', ''],
  ];
  // Linux ends it with its parent, however that ends (util-linux is on every Debian).
  const hasSetpriv = await run('setpriv', ['--version']).then(
    () => true,
    () => false,
  );
  const [first = program, ...args] = hasSetpriv
    ? ['setpriv', '--pdeathsig', 'TERM', '--', ...server]
    : server;
  return {
    program: first,
    args,
    socket,
    prepare: async () => {
      await mkdir(folder, { recursive: true });
      await endLeftOver(socket);
      await rm(socket, { force: true });
    },
  };
}

/** Two servers on one append-only file would ruin it. */
async function endLeftOver(socket: string): Promise<void> {
  const redis = new Redis(socket, { lazyConnect: true, maxRetriesPerRequest: 0, retryStrategy: () => null });
  redis.on('error', () => undefined);
  const closed = new Promise((resolve) => redis.once('end', resolve));
  try {
    await redis.connect();
    await redis.shutdown('SAVE').catch(() => undefined);
    await closed;
  } catch {
    // Nobody listens there.
  } finally {
    redis.disconnect();
  }
}
