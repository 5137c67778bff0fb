/**
 * Places that all gateways take out of one number, such as a tenant's calls at a time. Redis has a sorted set
 * of them, each with the time at which it expires; whoever holds one renews it. When a gateway dies, its
 * places are free again after `place_ms`. Times are those of Redis: the clocks of gateways may differ.
 */
import type { Clock } from '../base/clock.ts';
import type { Patience, SharedRedis } from './shared-answer.ts';

/** How long a place is held that nobody renews, in ms. */
export const place_ms = 30_000;
/** It is renewed so many times meanwhile: a renewal may be lost. */
const renewals = 3;

const NOW = `local t = redis.call('TIME') local now = t[1] * 1000 + math.floor(t[2] / 1000)`;

/** KEYS: the set. ARGV: how many there are, how long one is held, whose it is. Returns 1 when it was free. */
const TAKE = `${NOW}
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now)
if redis.call('ZCARD', KEYS[1]) >= tonumber(ARGV[1]) then return 0 end
redis.call('ZADD', KEYS[1], now + ARGV[2], ARGV[3])
redis.call('PEXPIRE', KEYS[1], ARGV[2])
return 1`;

/** KEYS: the set. ARGV: how long one is held, and whose they are. They are put there, whatever else is. */
const RENEW = `${NOW}
for i = 2, #ARGV do redis.call('ZADD', KEYS[1], now + ARGV[1], ARGV[i]) end
redis.call('PEXPIRE', KEYS[1], ARGV[1])`;

export interface PlacesOptions extends SharedRedis {
  /** Of the set, behind the prefix: `limits:calls:acme`. */
  readonly name: string;
  readonly max: number;
  readonly clock: Clock;
  readonly placeMs?: number;
}

/** `alone`: Redis did not answer in time, and this process decided by its own places. */
export interface Taken {
  readonly isFree: boolean;
  readonly alone: boolean;
}

export class Places {
  readonly #options: PlacesOptions;
  readonly #key: string;
  readonly #placeMs: number;
  /** Those of this process. */
  readonly #held = new Set<string>();
  #cancelRenewal: (() => void) | undefined;

  constructor(options: PlacesOptions) {
    this.#options = options;
    this.#key = `${options.prefix}:${options.name}`;
    this.#placeMs = options.placeMs ?? place_ms;
  }

  /** Takes one for `id`, which names it everywhere, if there is one. Never rejects. */
  async take(id: string, patience: Patience): Promise<Taken> {
    const { redis, max } = this.#options;
    if (this.#held.size >= max) return { isFree: false, alone: redis === undefined };
    // At once, so that whoever asks meanwhile counts it.
    this.#held.add(id);
    this.#keepRenewing();
    const ask = redis && (() => redis.eval(TAKE, 1, this.#key, max, this.#placeMs, id) as Promise<number>);
    const told = ask && (await patience.await(ask));
    if (told === undefined) return { isFree: true, alone: true };
    const isFree = told.answer === 1;
    if (!isFree) this.leave(id);
    return { isFree, alone: false };
  }

  /** Gives it back. One that Redis cannot be told of now expires there. */
  leave(id: string): void {
    if (!this.#held.delete(id)) return;
    this.#options.redis?.zrem(this.#key, id).catch(() => undefined);
  }

  /** Tells Redis of all places that are held here, also of those that were taken while it was away. */
  renew(): void {
    if (this.#held.size === 0) return;
    this.#options.redis?.eval(RENEW, 1, this.#key, this.#placeMs, ...this.#held).catch(() => undefined);
  }

  close(): void {
    this.#cancelRenewal?.();
  }

  #keepRenewing(): void {
    this.#cancelRenewal ??= this.#options.clock.after(this.#placeMs / renewals, () => {
      this.#cancelRenewal = undefined;
      this.renew();
      if (this.#held.size > 0) this.#keepRenewing();
    });
  }
}
