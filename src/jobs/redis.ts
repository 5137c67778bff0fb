/** How queues reach Redis: a server of one's own by its URL, or the private one by its socket. */
import { Redis } from 'ioredis';
import type { Log } from '../base/log.ts';
import { sendTogether } from '../base/send-together.ts';

export interface RedisAddress {
  /** `redis://…`, `rediss://…`, or the path of a socket. */
  readonly url: string;
  /** Before every key. */
  readonly prefix: string;
}

/** Longest pause between two tries to reach the server, in ms. */
const reconnect_ms_max = 2000;

class TogetherRedis extends Redis {
  override sendCommand(...given: Parameters<Redis['sendCommand']>): unknown {
    if (this.status === 'ready') sendTogether(this.stream);
    return super.sendCommand(...given);
  }
}

/**
 * `patient`: commands wait until the server is back, as job processes want it. Otherwise they fail at once,
 * and whoever gave them keeps what he has.
 */
export function connectRedis({ url }: RedisAddress, options: { patient: boolean; log: Log }): Redis {
  const settings = {
    maxRetriesPerRequest: options.patient ? null : 0,
    enableOfflineQueue: options.patient,
    connectTimeout: 5000,
    retryStrategy: (times: number) => Math.min(reconnect_ms_max, times * 50),
  };
  const redis = new TogetherRedis(url, settings);
  // Told by whoever waits for an answer; without a listener it would end the process.
  redis.on('error', () => undefined);
  redis.on('close', () => options.log.debug({ redis: 'closed' }, 'the connection to Redis is gone'));
  return redis;
}
