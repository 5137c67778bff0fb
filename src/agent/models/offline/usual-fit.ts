/**
 * How well a caller's words usually fit, and so how badly they may: an accent fits worse than the voices that
 * the model was made of, and noise lets everything fit better, what was not meant for us, too.
 *
 * A fit is a log score per frame of 10 ms, 0 at best (utterance.ts).
 */
import { RecentMean } from './recent-mean.ts';

/** Before anything is known: of the worst voice that a caller may have and be believed at once. */
const FIRST_LIMIT = -46.5;
/** Words that fit worse than what is usual by this are of somebody or something else. */
const BELOW_USUAL = 10;
/** Within these the limit follows the caller: mumbling is allowed for, and strangers are not learnt. */
const [LIMIT_MIN, LIMIT_MAX] = [-56, -42];
/** What is expected of callers at large counts so much beside a caller who has spoken, in frames. */
const FIRST_FRAMES = 300;

export class UsualFit {
  static readonly unknown = new UsualFit(RecentMean.of([FIRST_LIMIT + BELOW_USUAL], FIRST_FRAMES));

  readonly #mean: RecentMean;

  private constructor(mean: RecentMean) {
    this.#mean = mean;
  }

  /** Words that fit worse are refused. */
  get limit(): number {
    const [usual = NaN] = this.#mean.expected;
    return Math.min(LIMIT_MAX, Math.max(LIMIT_MIN, usual - BELOW_USUAL));
  }

  /** With words that were believed. */
  with(fit: number, frames: number): UsualFit {
    const learnt = this.#mean.with([fit], frames);
    return learnt === this.#mean ? this : new UsualFit(learnt);
  }
}
