/** A private redis-server for a test, as the embedded default starts it. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { KeptProcess } from '../../../src/base/kept-process.ts';
import { connectRedis, type RedisAddress } from '../../../src/jobs/redis.ts';
import { embeddedRedis } from '../../../src/store/embedded-redis.ts';
import { socketFolder } from '../../../src/store/embedded.ts';
import { silent } from '../store/databases.ts';

export interface TestRedis {
  readonly address: RedisAddress;
  readonly dataDir: string;
  /** SIGKILL; it is started again at once. */
  kill(): void;
  close(): Promise<void>;
}

/** Resolves when it answers. */
export async function startRedis(): Promise<TestRedis> {
  const dataDir = await mkdtemp(join(tmpdir(), 'trunkline-redis-'));
  const embedded = await embeddedRedis({
    ...{ dataDir, program: 'redis-server', fsync: 'always' },
  });
  const { program, args } = embedded;
  const prepare = (): Promise<void> => embedded.prepare();
  const server = new KeptProcess({ program, args, prepare, pauseFirstMs: 20 });
  const address = { url: embedded.socket, prefix: 'test' };
  const client = connectRedis(address, { patient: true, log: silent });
  await client.ping();
  client.disconnect();
  return {
    ...{ address, dataDir },
    kill: () => {
      if (server.pid !== undefined) process.kill(server.pid, 'SIGKILL');
    },
    close: async () => {
      await server.close();
      await rm(await socketFolder(dataDir), { recursive: true, force: true });
      await rm(dataDir, { recursive: true, force: true });
    },
  };
}
