/** The hour at which the vendor ends a session: told while there is time to open another. */
import type { Clock } from '../../../base/clock.ts';
import { expiry_ms_max, expiry_notice_ms } from './limits.ts';

export interface ExpiryOptions {
  readonly clock: Clock;
  readonly now: () => Date;
  readonly soon: (leftMs: number) => void;
}

export class Expiry {
  readonly #options: ExpiryOptions;
  #cancelTimer: () => void = () => undefined;

  constructor(options: ExpiryOptions) {
    this.#options = options;
  }

  /** `at` in seconds since 1970; absent: no end is known. */
  set(at: number | null | undefined): void {
    const { clock, now, soon } = this.#options;
    this.cancel();
    const leftMs = Math.max(0, (at ?? Infinity) * 1000 - now().getTime());
    if (leftMs > expiry_ms_max) return;
    this.#cancelTimer = clock.after(Math.max(0, leftMs - expiry_notice_ms), () =>
      soon(Math.min(leftMs, expiry_notice_ms)),
    );
  }

  cancel(): void {
    this.#cancelTimer();
  }
}
