/**
 * The caller's sound to a server that counts time by it, without a gap. A line that falls silent (hold, a
 * phone that sends nothing while nobody speaks, a browser whose microphone is off) would stop the session's
 * time, and a turn whose silence never arrives has no end.
 */
import type { Clock } from '../../../base/clock.ts';
import { SAMPLE_RATE_HZ, type Codec } from '../../../media/frame.ts';
import { G711 } from '../../../media/g711.ts';
import { AppendBatch, type AppendType } from './append.ts';
import { caller_quiet_ms, filler_ms, turn_silence_ms_max } from './limits.ts';

/** A Realtime server waits for the end of a turn; a Live session lives on sound. */
const silence_ms_max: Readonly<Record<AppendType, number>> = {
  'input_audio_buffer.append': turn_silence_ms_max,
  'session.input_audio.append': Infinity,
};

export interface CallerLineOptions {
  readonly clock: Clock;
  readonly type: AppendType;
  readonly codec: Codec;
  readonly appendMs: number;
  readonly send: (message: Uint8Array) => void;
}

export class CallerLine {
  readonly #clock: Clock;
  readonly #batch: AppendBatch;
  readonly #filler: Uint8Array;
  readonly #silenceMsMax: number;
  #lastMs = 0;
  /** Silence that was sent in place of what did not come. */
  #filledMs = 0;
  #watching = false;
  #cancelTimer: () => void = () => undefined;

  constructor(options: CallerLineOptions) {
    this.#clock = options.clock;
    this.#silenceMsMax = silence_ms_max[options.type];
    this.#batch = new AppendBatch(options);
    this.#filler = new Uint8Array((filler_ms * SAMPLE_RATE_HZ) / 1000).fill(G711[options.codec].silence);
  }

  /** Silence is owed from now on; by itself only once there was sound. */
  begin(): void {
    this.#lastMs = this.#clock.nowMs();
    if (!this.#watching) this.#watchIn(caller_quiet_ms);
  }

  /** `gapMs` of silence came before; what was filled of it already is not sent again. */
  hear(bytes: Uint8Array, gapMs: number): void {
    this.#batch.add(bytes, Math.max(0, gapMs - this.#filledMs));
    this.#filledMs = 0;
    this.begin();
  }

  close(): void {
    this.#cancelTimer();
  }

  #watchIn(ms: number): void {
    this.#watching = true;
    this.#cancelTimer = this.#clock.after(ms, () => this.#watch());
  }

  #watch(): void {
    const quietMs = this.#clock.nowMs() - this.#lastMs;
    if (quietMs < caller_quiet_ms) {
      this.#watchIn(caller_quiet_ms - quietMs);
      return;
    }
    this.#batch.add(this.#filler, 0);
    this.#filledMs += filler_ms;
    if (this.#filledMs < this.#silenceMsMax) this.#watchIn(filler_ms);
    else this.#watching = false;
  }
}
