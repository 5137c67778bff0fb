/**
 * A small circuit breaker: a server that failed is left alone for a while, then tried once.
 *
 *   closed --failures in a row, or one that says so--> open --time is up--> half-open
 *   half-open --success--> closed        half-open --failure--> open, for twice as long
 */
import type { Clock } from '../../../base/clock.ts';
import { avoid_ms_max } from './limits.ts';

export interface BreakerSettings {
  /** Failures in a row that open it. */
  readonly failuresMax: number;
  /** How long it stays open the first time. */
  readonly avoidMs: number;
}

export class Breaker {
  readonly #clock: Clock;
  readonly #settings: BreakerSettings;
  #failures = 0;
  #opened = 0;
  #openUntilMs: number | null = null;
  #probing = false;

  constructor(clock: Clock, settings: BreakerSettings) {
    this.#clock = clock;
    this.#settings = settings;
  }

  /** May a request be sent? While half-open one may; it must end in `succeeded`, `failed` or `cancelled`. */
  get allows(): boolean {
    if (this.#openUntilMs === null) return true;
    return this.#clock.nowMs() >= this.#openUntilMs && !this.#probing;
  }

  /** When it will allow a request again, on the clock; now, if it does. */
  get allowsAtMs(): number {
    return this.#openUntilMs ?? this.#clock.nowMs();
  }

  started(): void {
    if (this.#openUntilMs !== null) this.#probing = true;
  }

  succeeded(): void {
    this.#failures = 0;
    this.#opened = 0;
    this.#openUntilMs = null;
    this.#probing = false;
  }

  /** `avoidMs`: open at once, for so long. */
  failed(avoidMs: number | null = null): void {
    const wasProbe = this.#probing;
    this.#probing = false;
    this.#failures += 1;
    if (avoidMs === null && !wasProbe && this.#failures < this.#settings.failuresMax) return;
    const pause = avoidMs ?? this.#settings.avoidMs * 2 ** Math.min(this.#opened, 10);
    this.#opened += 1;
    this.#openUntilMs = this.#clock.nowMs() + Math.min(pause, avoid_ms_max);
  }

  /** The request was taken back: it proves nothing. */
  cancelled(): void {
    this.#probing = false;
  }
}
