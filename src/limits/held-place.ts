/** The place of one call or visit, and the time that it is talked. */
import type { Clock } from '../base/clock.ts';
import type { LimitReached, Place } from '../room/tenant-gate.ts';

export interface HeldPlaceParts {
  readonly clock: Clock;
  /** It is over; `unbookedMs` of it have not been booked. */
  readonly left: (unbookedMs: number) => void;
}

export class HeldPlace implements Place {
  readonly #parts: HeldPlaceParts;
  #bookedUntilMs: number | undefined;
  #onSpent: ((reached: LimitReached) => void) | undefined;
  #isOver = false;

  constructor(parts: HeldPlaceParts) {
    this.#parts = parts;
  }

  answered(): void {
    if (!this.#isOver) this.#bookedUntilMs ??= this.#parts.clock.nowMs();
  }

  leave(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#parts.left(this.book());
  }

  onSpent(listener: (reached: LimitReached) => void): void {
    this.#onSpent = listener;
  }

  /** What has passed since it was answered, or booked last, in ms. */
  get unbookedMs(): number {
    return this.#bookedUntilMs === undefined ? 0 : this.#parts.clock.nowMs() - this.#bookedUntilMs;
  }

  /** Tells what has passed, and begins anew. */
  book(): number {
    const ms = this.unbookedMs;
    if (this.#bookedUntilMs !== undefined) this.#bookedUntilMs += ms;
    return ms;
  }

  spent(reached: LimitReached): void {
    const tell = this.#onSpent;
    this.#onSpent = undefined;
    tell?.(reached);
  }
}
