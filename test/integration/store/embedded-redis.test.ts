/** The private Redis: what it was given it has, whatever happens to it or to whoever started it. */
import { stat } from 'node:fs/promises';
import { afterEach, describe, expect, it } from 'vitest';
import { KeptProcess } from '../../../src/base/kept-process.ts';
import { connectRedis } from '../../../src/jobs/redis.ts';
import { embeddedRedis } from '../../../src/store/embedded-redis.ts';
import { startRedis, type TestRedis } from '../../support/jobs/redis.ts';
import { silent } from '../../support/store/databases.ts';

let redis: TestRedis | undefined;
afterEach(async () => redis?.close());

type Client = ReturnType<typeof connectRedis>;

async function asked<T>(server: TestRedis, work: (client: Client) => Promise<T>): Promise<T> {
  const client = connectRedis(server.address, { patient: true, log: silent });
  try {
    return await work(client);
  } finally {
    client.disconnect();
  }
}

describe('the embedded Redis', () => {
  it('is there for this user alone, keeps a file of every write, and evicts nothing', async () => {
    redis = await startRedis();
    const { mode } = await stat(redis.address.url);
    expect(mode & 0o077).toBe(0);
    const settings = await asked(redis, async (client) => [
      await client.config('GET', 'appendonly'),
      await client.config('GET', 'maxmemory-policy'),
      await client.config('GET', 'port'),
    ]);
    expect(settings).toEqual([
      ['appendonly', 'yes'],
      ['maxmemory-policy', 'noeviction'],
      ['port', '0'],
    ]);
  });

  it('has every answered write after it was killed', async () => {
    redis = await startRedis();
    const server = redis;
    await asked(server, async (client) => {
      for (let n = 0; n < 200; n += 1) await client.set(`key${n}`, `value${n}`);
    });
    server.kill();
    const values = await asked(server, (client) =>
      client.mget(...Array.from({ length: 200 }, (_, n) => `key${n}`)),
    );
    expect(values).toEqual(Array.from({ length: 200 }, (_, n) => `value${n}`));
  });

  it('takes the place of one that a killed gateway left behind', async () => {
    redis = await startRedis();
    await asked(redis, (client) => client.set('kept', 'yes'));
    const { dataDir, address } = redis;
    const next = await embeddedRedis({ dataDir, program: 'redis-server', fsync: 'always' });
    expect(next.socket).toBe(address.url);
    await next.prepare();
    const { program, args } = next;
    const server = new KeptProcess({ program, args, prepare: () => next.prepare() });
    expect(await asked(redis, (client) => client.get('kept'))).toBe('yes');
    await server.close();
  });
});
