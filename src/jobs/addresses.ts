/** Where Redis and the database are: as the configuration says, or the private ones of the data folder. */
import { join } from 'node:path';
import { embeddedUrl, socketFolder } from '../store/embedded.ts';
import type { RedisAddress } from './redis.ts';

/** The part of the configuration that this needs. */
export interface AddressSettings {
  readonly dataDir: string;
  readonly config: {
    readonly redis: { readonly url: string; readonly prefix: string };
    readonly database: {
      readonly url: string;
      readonly connections_max: number;
      readonly timeout_ms: number;
    };
  };
}

export interface Addresses {
  readonly redis: RedisAddress;
  readonly database: { readonly url: string; readonly connectionsMax: number; readonly timeoutMs: number };
}

/** The same in the gateway and in every job process of one data folder. */
export async function addressesOf({ dataDir, config }: AddressSettings): Promise<Addresses> {
  const { redis, database } = config;
  const folder = await socketFolder(dataDir);
  return {
    redis: { url: redis.url || join(folder, 'redis.sock'), prefix: redis.prefix },
    database: {
      url: database.url || embeddedUrl(folder),
      ...{ connectionsMax: database.connections_max, timeoutMs: database.timeout_ms },
    },
  };
}
