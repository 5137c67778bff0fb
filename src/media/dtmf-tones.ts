/**
 * Keys that we press towards a far end without RFC 4733: two tones in the sound itself (ITU-T Q.23, Q.24).
 */
import { DIGITS_QUEUED_MAX } from './dtmf-sender.ts';
import type { Press } from './dtmf-sender.ts';
import { FRAME_MS, FRAME_SAMPLES } from './frame.ts';
import type { Codec } from './frame.ts';
import { dtmfFrequenciesHz, Tone } from './tone.ts';

const LEVEL_DB = -9;

export class DtmfTones {
  readonly #payload = new Uint8Array(FRAME_SAMPLES);
  readonly #presses: Press[] = [];
  #current: Press | null = null;
  #tone: Tone | null = null;
  #ticks = 0;

  /** false: the queue is full, nothing was taken. */
  enqueue(digits: string, timing: { toneMs: number; gapMs: number }): boolean {
    if (this.#presses.length + digits.length > DIGITS_QUEUED_MAX) return false;
    for (const digit of digits) this.#presses.push({ digit, ...timing });
    return true;
  }

  /** The sound of this tick, or null when ordinary sound has its turn. Valid until the next call. */
  step(codec: Codec): Uint8Array | null {
    if (this.#current === null) {
      const next = this.#presses.shift();
      if (next === undefined) return null;
      this.#current = next;
      this.#tone = new Tone(dtmfFrequenciesHz(next.digit), LEVEL_DB);
      this.#ticks = 0;
    }
    const toneTicks = Math.ceil(this.#current.toneMs / FRAME_MS);
    const sounds = this.#ticks < toneTicks;
    this.#ticks++;
    if (this.#ticks >= toneTicks + Math.ceil(this.#current.gapMs / FRAME_MS)) this.#current = null;
    if (!sounds) return null;
    this.#tone?.fill(codec, this.#payload);
    return this.#payload;
  }
}
