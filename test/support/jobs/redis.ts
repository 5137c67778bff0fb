/** A private redis-server for a test, as the embedded default starts it. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { KeptProcess } from '../../../src/base/kept-process.ts';
import { connectRedis, type RedisAddress } from '../../../src/jobs/redis.ts';
import { embeddedRedis, type EmbeddedRedisOptions } from '../../../src/store/embedded-redis.ts';
import { socketFolder } from '../../../src/store/embedded.ts';
import { silent } from '../store/databases.ts';

export interface TestRedis {
  readonly address: RedisAddress;
  readonly dataDir: string;
  /** SIGKILL; it is started again at once. */
  kill(): void;
  /** SIGKILL, and it stays away until it is started. */
  stop(): Promise<void>;
  /** With the data that it had. Resolves when it answers. */
  start(): Promise<void>;
  /** It keeps its connections and answers nobody, until it is thawed. */
  freeze(): void;
  thaw(): void;
  close(): Promise<void>;
}

/** Resolves when it answers. */
export async function startRedis(fsync: EmbeddedRedisOptions['fsync'] = 'always'): Promise<TestRedis> {
  const dataDir = await mkdtemp(join(tmpdir(), 'trunkline-redis-'));
  const embedded = await embeddedRedis({
    ...{ dataDir, program: 'redis-server', fsync },
  });
  const { program, args } = embedded;
  const prepare = (): Promise<void> => embedded.prepare();
  const run = (): KeptProcess => new KeptProcess({ program, args, prepare, pauseFirstMs: 20 });
  let server = run();
  const address = { url: embedded.socket, prefix: 'test' };
  const signal = (name: NodeJS.Signals): void => {
    if (server.pid !== undefined) process.kill(server.pid, name);
  };
  const answers = async (): Promise<void> => {
    const client = connectRedis(address, { patient: true, log: silent });
    await client.ping();
    client.disconnect();
  };
  await answers();
  return {
    ...{ address, dataDir },
    kill: () => signal('SIGKILL'),
    freeze: () => signal('SIGSTOP'),
    thaw: () => signal('SIGCONT'),
    stop: () => {
      const gone = server.close();
      signal('SIGKILL');
      return gone;
    },
    start: () => {
      server = run();
      return answers();
    },
    close: async () => {
      signal('SIGCONT');
      await server.close();
      await rm(await socketFolder(dataDir), { recursive: true, force: true });
      await rm(dataDir, { recursive: true, force: true });
    },
  };
}
