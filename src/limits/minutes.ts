/**
 * Minutes of a tenant's day, of all gateways together. They are booked as they pass, in ms. What Redis cannot
 * be told is owed, and told when it is back; meanwhile this process goes by the last sum that it knows, and
 * its own.
 */
import { RateLimiterRedis } from 'rate-limiter-flexible';
import { dayAt, type Day } from '../base/zoned-time.ts';
import type { Patience, SharedRedis } from './shared-answer.ts';

/** A day's count is kept so long, in seconds: longer than any day, and gone soon after it. */
const kept_s = 48 * 3600;
const MINUTE_MS = 60_000;

export interface MinutesOptions extends SharedRedis {
  /** Of the counters, behind the prefix: `limits:minutes:acme`. */
  readonly name: string;
  readonly max: number;
  readonly timeZone: string;
  readonly now: () => Date;
}

export interface MinutesAnswer {
  readonly isSpent: boolean;
  /** When the next day begins. */
  readonly dayEnds: Date;
  /** Redis did not answer in time. */
  readonly alone: boolean;
}

export class Minutes {
  readonly #options: MinutesOptions;
  readonly #shared: RateLimiterRedis | undefined;
  #day: Day | undefined;
  /** What Redis said last. */
  #knownMs = 0;
  /** What it is being told. */
  #toldMs = 0;
  /** What it has not been told. */
  #owedMs = 0;
  #underWay: Promise<void> | undefined;

  constructor(options: MinutesOptions) {
    this.#options = options;
    const { redis, prefix, name, max } = options;
    if (redis === undefined) return;
    const count = { keyPrefix: `${prefix}:${name}`, points: max * MINUTE_MS, duration: kept_s };
    this.#shared = new RateLimiterRedis({ ...count, storeClient: redis, rejectIfRedisNotReady: true });
  }

  /** Never rejects. `unbookedMs`: what passed here and is not booked yet. */
  async ask(unbookedMs: number, patience: Patience): Promise<MinutesAnswer> {
    const shared = this.#shared;
    const { day, end: dayEnds } = this.#today();
    const told = shared && (await patience.await(() => shared.get(day)));
    if (told !== undefined) this.#knownMs = told.answer?.consumedPoints ?? 0;
    const isSpent = this.#sumMs + unbookedMs >= this.#options.max * MINUTE_MS;
    return { isSpent, dayEnds, alone: told === undefined };
  }

  /**
   * Adds what has passed; resolves when Redis has it, or cannot be told now. Nobody waits for it, so it has
   * the time that it takes. Never rejects.
   */
  book(ms: number): Promise<void> {
    this.#today();
    this.#owedMs += Math.round(ms);
    this.#underWay ??= this.#tell().finally(() => (this.#underWay = undefined));
    return this.#underWay;
  }

  /** As far as this process knows. */
  get known(): Omit<MinutesAnswer, 'alone'> {
    const { end: dayEnds } = this.#today();
    return { isSpent: this.#sumMs >= this.#options.max * MINUTE_MS, dayEnds };
  }

  get #sumMs(): number {
    return this.#knownMs + this.#toldMs + this.#owedMs;
  }

  async #tell(): Promise<void> {
    while (this.#shared !== undefined && this.#owedMs > 0) {
      const { day } = this.#today();
      this.#toldMs = this.#owedMs;
      this.#owedMs = 0;
      try {
        const { consumedPoints } = await this.#shared.penalty(day, this.#toldMs);
        if (this.#day?.day === day) this.#knownMs = consumedPoints;
      } catch {
        if (this.#day?.day === day) this.#owedMs += this.#toldMs;
        return;
      } finally {
        this.#toldMs = 0;
      }
    }
  }

  /** A new day begins with nothing: what was owed for the old one is of no use any more. */
  #today(): Day {
    const { now, timeZone } = this.#options;
    const at = now();
    if (this.#day !== undefined && at >= this.#day.start && at < this.#day.end) return this.#day;
    this.#day = dayAt(at, timeZone);
    this.#knownMs = 0;
    this.#owedMs = 0;
    return this.#day;
  }
}
