/** How long a turn took, in the thread's own time: what the caller waits for, how fast the agent yields. */
import type { ReplyTimes } from './replies.ts';

/** From the first voiced frame of an interruption, in ms; null: it did not come to that. */
export interface BargeInTimes {
  /** To the first softer frame. */
  readonly duckMs: number | null;
  /** To the first tick without sound. */
  readonly silenceMs: number | null;
}

const NONE: BargeInTimes = { duckMs: null, silenceMs: null };

export class TurnTimes {
  #endedMs: number | null = null;
  #textMs: number | null = null;
  #audioMs: number | null = null;
  #onsetMs: number | null = null;
  #bargeIn: BargeInTimes = NONE;

  /** When the caller's last sound was heard; null while no answer is due. */
  get callerEndedMs(): number | null {
    return this.#endedMs;
  }

  callerEnded(atMs: number): void {
    this.#endedMs = atMs;
    this.#textMs = this.#audioMs = null;
  }

  /** Nobody waits for an answer any more. */
  forget(): void {
    this.#endedMs = null;
  }

  /** First word of the answer, as text or as the news that one begins. */
  text(nowMs: number): void {
    if (this.#endedMs !== null) this.#textMs ??= nowMs - this.#endedMs;
  }

  /** First sound of the answer in hand. */
  audio(nowMs: number): void {
    if (this.#endedMs !== null) this.#audioMs ??= nowMs - this.#endedMs;
  }

  /** A reply is on the wire: its times. The next one is no answer to the same words. */
  begins(nowMs: number): ReplyTimes {
    const responseMs = this.#endedMs === null ? null : nowMs - this.#endedMs;
    const times = { startedMs: nowMs, responseMs, textMs: this.#textMs, audioMs: this.#audioMs };
    this.#endedMs = this.#textMs = this.#audioMs = null;
    return times;
  }

  /** The caller may be interrupting: the first voiced frame came at `atMs`. */
  onset(atMs: number): void {
    this.#onsetMs = atMs;
    this.#bargeIn = NONE;
  }

  /** A frame left that was softer than before. */
  ducked(nowMs: number): void {
    if (this.#onsetMs === null || this.#bargeIn.duckMs !== null) return;
    this.#bargeIn = { ...this.#bargeIn, duckMs: nowMs - this.#onsetMs };
  }

  /** Nothing left in this tick. */
  silent(nowMs: number): void {
    if (this.#onsetMs === null || this.#bargeIn.silenceMs !== null) return;
    this.#bargeIn = { ...this.#bargeIn, silenceMs: nowMs - this.#onsetMs };
  }

  /** It was a cough. */
  cleared(): void {
    this.#onsetMs = null;
  }

  get bargeIn(): BargeInTimes {
    return this.#bargeIn;
  }
}
