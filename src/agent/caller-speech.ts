/** When the caller speaks: voiced frames and others become a start, a stop, or a cough. */
import { FRAME_MS } from '../media/frame.ts';

export type SpeechChange =
  /** First voiced frames: perhaps speech. */
  | 'onset'
  /** Probably speech: more voiced frames than a click has. */
  | 'likely'
  /** It is speech. */
  | 'started'
  /** It was none: a cough, a click. */
  | 'cleared'
  /** Silence has lasted long enough to end the turn, or the turn has lasted too long for anybody. */
  | 'stopped';

/** Voiced sound that makes an onset, in ms. */
export const ONSET_MS = 40;
/** Voiced sound that makes speech likely, in ms. */
const LIKELY_MS = 80;
/** Longest turn, in ms: hold music and engines never pause, and would keep the agent silent for ever. */
const TURN_MS_MAX = 30_000;

export class CallerSpeech {
  readonly #endOfSpeechMs: number;
  #speaking = false;
  #onset = false;
  #likely = false;
  /** Voiced ms of the onset; unvoiced frames wear it down, so that clicks do not add up. */
  #voicedMs = 0;
  #silentMs = 0;
  #turnMs = 0;

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

  /** Nobody listened for a while: whatever was going on is over. */
  reset(): void {
    this.#speaking = this.#onset = this.#likely = false;
    this.#voicedMs = this.#silentMs = this.#turnMs = 0;
  }

  /** One frame. `confirmMs` of voiced sound make a start: more of it while the agent speaks. */
  frame(voiced: boolean, confirmMs: number): SpeechChange | null {
    this.#silentMs = voiced ? 0 : this.#silentMs + FRAME_MS;
    if (this.#speaking) {
      this.#turnMs += FRAME_MS;
      if (this.#silentMs < this.#endOfSpeechMs && this.#turnMs < TURN_MS_MAX) return null;
      this.#speaking = false;
      this.#turnMs = 0;
      return 'stopped';
    }
    this.#voicedMs = Math.max(0, this.#voicedMs + (voiced ? FRAME_MS : -FRAME_MS));
    if (this.#voicedMs >= confirmMs) {
      this.#speaking = true;
      this.#onset = false;
      this.#likely = false;
      this.#voicedMs = 0;
      return 'started';
    }
    if (!this.#onset && this.#voicedMs >= ONSET_MS) {
      this.#onset = true;
      return 'onset';
    }
    if (this.#onset && !this.#likely && this.#voicedMs >= LIKELY_MS) {
      this.#likely = true;
      return 'likely';
    }
    if (this.#onset && this.#voicedMs === 0) {
      this.#onset = false;
      this.#likely = false;
      return 'cleared';
    }
    return null;
  }
}
