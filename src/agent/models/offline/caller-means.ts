/** What the cepstra of a caller and their line are on average: taken off, voices and lines become alike. */
import { RecentMean } from './recent-mean.ts';

/**
 * Of the telephone band over many voices: where a caller is begun with whom nobody has heard yet (words of a
 * first utterance 92.6 -> 95.7 %).
 */
export const TELEPHONE_MEANS: readonly number[] = [
  ...[40.31, -1.57, -3.39, -3.14, 0.83, -20.84, -0.78, -11.08, -18.97, 5.47, -18.08, 3.64, -5.92],
];
/** What the telephone at large counts beside a caller who has spoken, in frames of 10 ms. */
const TELEPHONE_FRAMES = 100;

/** Means of one caller, over what they have said; a new object for every utterance that is learnt. */
export class CallerMeans {
  static readonly unknown = new CallerMeans(RecentMean.of(TELEPHONE_MEANS, TELEPHONE_FRAMES));

  readonly #mean: RecentMean;

  private constructor(mean: RecentMean) {
    this.#mean = mean;
  }

  /** The best guess for the next utterance: one number per cepstral coefficient. */
  get expected(): Float32Array {
    return Float32Array.from(this.#mean.expected);
  }

  /** With one more utterance of so many frames, and its own means; an empty one teaches nothing. */
  with(means: Float32Array, frames: number): CallerMeans {
    const learnt = this.#mean.with(means, frames);
    return learnt === this.#mean ? this : new CallerMeans(learnt);
  }
}
