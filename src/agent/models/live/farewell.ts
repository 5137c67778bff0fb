/**
 * When the call may end. The tool `hang_up` is called by the backend; the goodbye is said by the voice model,
 * which knows nothing of it and begins a moment later. So the call ends when something was said and then
 * nothing more.
 */
import type { Clock } from '../../../base/clock.ts';
import { goodbye_ms_max, goodbye_quiet_ms } from './limits.ts';

export class Farewell {
  readonly #clock: Clock;
  readonly #hangUp: (callId: string, reason: string) => void;
  #asked: { readonly callId: string; readonly reason: string } | null = null;
  #cancelTimer: () => void = () => undefined;

  constructor(clock: Clock, hangUp: (callId: string, reason: string) => void) {
    this.#clock = clock;
    this.#hangUp = hangUp;
  }

  ask(callId: string, reason: string): void {
    this.#asked = { callId, reason };
    this.#after(goodbye_ms_max);
  }

  /** The voice model speaks: whatever it says is heard to its end. */
  replyBegan(): void {
    if (this.#asked !== null) this.#after(goodbye_ms_max);
  }

  replyEnded(): void {
    if (this.#asked !== null) this.#after(goodbye_quiet_ms);
  }

  /** The caller spoke: the id of the call that is to be answered with no, or null. */
  takeBack(): string | null {
    const callId = this.#asked?.callId ?? null;
    this.close();
    return callId;
  }

  close(): void {
    this.#cancelTimer();
    this.#asked = null;
  }

  #after(ms: number): void {
    this.#cancelTimer();
    this.#cancelTimer = this.#clock.after(ms, () => {
      const asked = this.#asked;
      this.#asked = null;
      if (asked !== null) this.#hangUp(asked.callId, asked.reason);
    });
  }
}
