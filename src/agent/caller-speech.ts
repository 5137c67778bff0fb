/** When the caller speaks: voiced frames and others become a start, a stop, or a cough. */
import { FRAME_MS } from '../media/frame.ts';

export type SpeechChange =
  /** First voiced frames: perhaps speech. */
  | 'onset'
  /** It is speech. */
  | 'started'
  /** It was none: a cough, a click. */
  | 'cleared'
  /** Silence has lasted long enough to end the turn. */
  | 'stopped';

/** Voiced sound that makes an onset, in ms. */
const ONSET_MS = 40;

export class CallerSpeech {
  readonly #endOfSpeechMs: number;
  #speaking = false;
  #onset = false;
  /** Voiced ms of the onset; unvoiced frames wear it down, so that clicks do not add up. */
  #voicedMs = 0;
  #silentMs = 0;

  constructor(options: { endOfSpeechMs: number }) {
    this.#endOfSpeechMs = options.endOfSpeechMs;
  }

  get speaking(): boolean {
    return this.#speaking;
  }

  /** Silence since the last voiced frame, in ms; counts on while nobody speaks. */
  get silentMs(): number {
    return this.#silentMs;
  }

  /** One frame. `confirmMs` of voiced sound make a start: more of it while the agent speaks. */
  frame(voiced: boolean, confirmMs: number): SpeechChange | null {
    this.#silentMs = voiced ? 0 : this.#silentMs + FRAME_MS;
    if (this.#speaking) {
      if (this.#silentMs < this.#endOfSpeechMs) return null;
      this.#speaking = false;
      return 'stopped';
    }
    this.#voicedMs = Math.max(0, this.#voicedMs + (voiced ? FRAME_MS : -FRAME_MS));
    if (this.#voicedMs >= confirmMs) {
      this.#speaking = true;
      this.#onset = false;
      this.#voicedMs = 0;
      return 'started';
    }
    if (!this.#onset && this.#voicedMs >= ONSET_MS) {
      this.#onset = true;
      return 'onset';
    }
    if (this.#onset && this.#voicedMs === 0) {
      this.#onset = false;
      return 'cleared';
    }
    return null;
  }
}
