/**
 * How well a caller's words usually fit, and so how badly they may: an accent fits worse than the voices that
 * the model was made of, and noise lets everything fit better, what was not meant for us, too.
 *
 * A fit is a log score per frame of 10 ms, 0 at best (utterance.ts).
 */

/** Before anything is known: of the worst voice that a caller may have and be believed at once. */
const FIRST_LIMIT = -46.5;
/** Words that fit worse than what is usual by this are of somebody or something else. */
const BELOW_USUAL = 10;
/** Within these the limit follows the caller: mumbling is allowed for, and strangers are not learnt. */
const [LIMIT_MIN, LIMIT_MAX] = [-56, -42];
/** What is expected of callers at large counts so much beside a caller who has spoken, in frames. */
const FIRST_FRAMES = 300;
/** Older speech counts less than what was said since. */
const REMEMBERED_FRAMES_MAX = 3000;

export class UsualFit {
  static readonly unknown = new UsualFit(0, 0);

  /** Of fits, each weighted with its frames. */
  readonly #sum: number;
  readonly #frames: number;

  private constructor(sum: number, frames: number) {
    this.#sum = sum;
    this.#frames = frames;
  }

  /** Words that fit worse are refused. */
  get limit(): number {
    const first = FIRST_FRAMES * (FIRST_LIMIT + BELOW_USUAL);
    const usual = (first + this.#sum) / (FIRST_FRAMES + this.#frames);
    return Math.min(LIMIT_MAX, Math.max(LIMIT_MIN, usual - BELOW_USUAL));
  }

  /** With words that were believed. */
  with(fit: number, frames: number): UsualFit {
    if (frames <= 0 || !Number.isFinite(fit)) return this;
    const kept = Math.min(1, REMEMBERED_FRAMES_MAX / (this.#frames + frames));
    return new UsualFit((this.#sum + fit * frames) * kept, (this.#frames + frames) * kept);
  }
}
