/** What the cepstra of a caller and their line are on average: taken off, voices and lines become alike. */
import { CEPSTRUM_SIZE } from './pocketsphinx.ts';

/**
 * Of the telephone band over many voices: where a caller is begun with whom nobody has heard yet (words of a
 * first utterance 92.6 -> 95.7 %).
 */
export const TELEPHONE_MEANS: readonly number[] = [
  ...[40.31, -1.57, -3.39, -3.14, 0.83, -20.84, -0.78, -11.08, -18.97, 5.47, -18.08, 3.64, -5.92],
];
/** What the telephone at large counts beside a caller who has spoken, in frames of 10 ms. */
const TELEPHONE_FRAMES = 100;
/** Older speech counts less than what was said since. */
const REMEMBERED_FRAMES_MAX = 3000;

/** Means of one caller, over what they have said; a new object for every utterance that is learnt. */
export class CallerMeans {
  static readonly unknown = new CallerMeans(new Float64Array(CEPSTRUM_SIZE), 0);

  readonly #sum: Float64Array;
  readonly #frames: number;

  private constructor(sum: Float64Array, frames: number) {
    this.#sum = sum;
    this.#frames = frames;
  }

  /** The best guess for the next utterance: one number per cepstral coefficient. */
  get expected(): Float32Array {
    const weight = TELEPHONE_FRAMES + this.#frames;
    return Float32Array.from(
      TELEPHONE_MEANS,
      (mean, index) => (TELEPHONE_FRAMES * mean + (this.#sum[index] ?? 0)) / weight,
    );
  }

  /** With one more utterance of so many frames, and its own means; an empty one teaches nothing. */
  with(means: Float32Array, frames: number): CallerMeans {
    if (frames <= 0 || !means.every((mean) => Number.isFinite(mean))) return this;
    const kept = Math.min(1, REMEMBERED_FRAMES_MAX / (this.#frames + frames));
    const sum = this.#sum.map((total, index) => (total + frames * (means[index] ?? 0)) * kept);
    return new CallerMeans(sum, (this.#frames + frames) * kept);
  }
}
