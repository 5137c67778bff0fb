/**
 * Redis, as far as a call may wait for it: an answer in good time counts for all gateways, and when none
 * comes this process goes by what it knows itself.
 */
import type { Redis } from 'ioredis';

export interface SharedRedis {
  /** Undefined: there is none, and everything is counted here alone. */
  readonly redis: Redis | undefined;
  /** Before every key. */
  readonly prefix: string;
}

/** Until when an answer is waited for. */
export class Patience {
  readonly #untilMs: number;

  constructor(ms: number) {
    this.#untilMs = performance.now() + ms;
  }

  /** The answer, or undefined when it did not come in time: what comes later is for nobody. Never rejects. */
  async await<T>(ask: () => Promise<T>): Promise<{ readonly answer: T } | undefined> {
    const leftMs = this.#untilMs - performance.now();
    // Timers know whole ms: one that has rung may be a little early.
    if (leftMs < 1) return undefined;
    const { promise, resolve } = Promise.withResolvers<undefined>();
    // What has arrived while the process was busy is read first: it came in time.
    const timer = setTimeout(() => setImmediate(() => resolve(undefined)), Math.ceil(leftMs));
    const asked = ask().then(
      (answer) => ({ answer }),
      () => undefined,
    );
    const first = await Promise.race([asked, promise]);
    clearTimeout(timer);
    return first;
  }
}
