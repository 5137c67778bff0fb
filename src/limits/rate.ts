/** So many within a span of time, of all gateways together: new calls per second, visits per minute. */
import { RateLimiterMemory, RateLimiterRedis, RateLimiterRes } from 'rate-limiter-flexible';
import type { Patience, SharedRedis } from './shared-answer.ts';

export interface RateOptions extends SharedRedis {
  /** Of the counter, behind the prefix: `limits:calls-per-second:acme`. */
  readonly name: string;
  readonly max: number;
  readonly durationS: number;
}

export interface RateAnswer {
  /** When there is room again, in ms; 0: one was taken. */
  readonly waitMs: number;
  /** Redis did not answer in time, and this process decided by its own count. */
  readonly alone: boolean;
}

/** The span begins with its first event, as the package counts. */
export class Rate {
  readonly #shared: RateLimiterRedis | undefined;
  readonly #own: RateLimiterMemory;

  constructor({ redis, prefix, name, max, durationS }: RateOptions) {
    const span = { keyPrefix: `${prefix}:${name}`, points: max, duration: durationS };
    this.#own = new RateLimiterMemory(span);
    if (redis === undefined) return;
    // Once it is too much, a flood is refused here until the span is over.
    const block = { inMemoryBlockOnConsumed: max + 1 };
    this.#shared = new RateLimiterRedis({
      ...span,
      ...block,
      storeClient: redis,
      rejectIfRedisNotReady: true,
    });
  }

  /** Counts one more, if there is room. Never rejects. */
  async take(patience: Patience): Promise<RateAnswer> {
    const shared = this.#shared;
    const told = shared && (await patience.await(() => waitOf(shared)));
    if (told !== undefined) return { waitMs: told.answer, alone: false };
    return { waitMs: await waitOf(this.#own), alone: true };
  }
}

/** @throws Error of the store; not when there is no room */
async function waitOf(limiter: RateLimiterRedis | RateLimiterMemory): Promise<number> {
  try {
    await limiter.consume('all');
    return 0;
  } catch (refused) {
    if (refused instanceof RateLimiterRes) return Math.max(1, refused.msBeforeNext);
    throw refused;
  }
}
