import type { Clock } from './clock.ts';

/** Lets `perSecond` events pass each second, and as many at once after a quiet one. */
export class TokenBucket {
  readonly #perSecond: number;
  readonly #clock: Clock;
  #tokens: number;
  #filledMs: number;

  constructor(perSecond: number, clock: Clock) {
    this.#perSecond = perSecond;
    this.#clock = clock;
    this.#tokens = perSecond;
    this.#filledMs = clock.nowMs();
  }

  /** true: go on; false: too fast. */
  take(): boolean {
    const nowMs = this.#clock.nowMs();
    const grownBy = ((nowMs - this.#filledMs) / 1000) * this.#perSecond;
    this.#tokens = Math.min(this.#perSecond, this.#tokens + grownBy);
    this.#filledMs = nowMs;
    if (this.#tokens < 1) return false;
    this.#tokens -= 1;
    return true;
  }
}
