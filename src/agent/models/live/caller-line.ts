/**
 * The caller's sound to a Live server, without a gap: the session's time is the sound that it is sent, and
 * a line that falls silent (hold, a phone that sends nothing while nobody speaks) would stop it.
 */
import type { Clock } from '../../../base/clock.ts';
import { SAMPLE_RATE_HZ, type Codec } from '../../../media/frame.ts';
import { G711 } from '../../../media/g711.ts';
import { AppendBatch } from '../realtime/append.ts';
import { caller_quiet_ms, filler_ms } from './limits.ts';

export interface CallerLineOptions {
  readonly clock: Clock;
  readonly codec: Codec;
  readonly appendMs: number;
  readonly send: (message: Uint8Array) => void;
}

export class CallerLine {
  readonly #clock: Clock;
  readonly #batch: AppendBatch;
  readonly #filler: Uint8Array;
  #lastMs: number;
  /** Silence that was sent in place of what did not come. */
  #filledMs = 0;
  #cancelTimer: () => void;

  constructor({ clock, codec, appendMs, send }: CallerLineOptions) {
    this.#clock = clock;
    this.#batch = new AppendBatch({ type: 'session.input_audio.append', appendMs, codec, send });
    this.#filler = new Uint8Array((filler_ms * SAMPLE_RATE_HZ) / 1000).fill(G711[codec].silence);
    this.#lastMs = clock.nowMs();
    this.#cancelTimer = clock.after(filler_ms, () => this.#watch());
  }

  /** `gapMs` of silence came before; what was filled of it already is not sent again. */
  hear(bytes: Uint8Array, gapMs: number): void {
    this.#batch.add(bytes, Math.max(0, gapMs - this.#filledMs));
    this.#filledMs = 0;
    this.#lastMs = this.#clock.nowMs();
  }

  close(): void {
    this.#cancelTimer();
  }

  #watch(): void {
    if (this.#clock.nowMs() - this.#lastMs >= caller_quiet_ms) {
      this.#batch.add(this.#filler, 0);
      this.#filledMs += filler_ms;
    }
    this.#cancelTimer = this.#clock.after(filler_ms, () => this.#watch());
  }
}
