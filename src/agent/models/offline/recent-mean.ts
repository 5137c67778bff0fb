/** What a caller is like on average, of what they said lately; before, what callers at large are like. */

/** Older speech counts less than what was said since. */
const REMEMBERED_FRAMES_MAX = 3000;

/** Numbers that belong together, such as cepstral coefficients, weighted with frames of 10 ms. */
export class RecentMean {
  readonly #atLarge: readonly number[];
  readonly #framesAtLarge: number;
  readonly #sums: readonly number[];
  readonly #frames: number;

  /** `framesAtLarge`: what callers at large count beside a caller who has spoken. */
  static of(atLarge: readonly number[], framesAtLarge: number): RecentMean {
    return new RecentMean({ atLarge, framesAtLarge, sums: atLarge.map(() => 0), frames: 0 });
  }

  private constructor(parts: {
    atLarge: readonly number[];
    framesAtLarge: number;
    sums: readonly number[];
    frames: number;
  }) {
    this.#atLarge = parts.atLarge;
    this.#framesAtLarge = parts.framesAtLarge;
    this.#sums = parts.sums;
    this.#frames = parts.frames;
  }

  /** The best guess for the next utterance. */
  get expected(): number[] {
    const weight = this.#framesAtLarge + this.#frames;
    return this.#atLarge.map(
      (mean, index) => (this.#framesAtLarge * mean + (this.#sums[index] ?? 0)) / weight,
    );
  }

  /** With one more utterance of so many frames, and its own means; an empty one teaches nothing. */
  with(means: ArrayLike<number>, frames: number): RecentMean {
    if (frames <= 0 || !Array.from(means).every((mean) => Number.isFinite(mean))) return this;
    const kept = Math.min(1, REMEMBERED_FRAMES_MAX / (this.#frames + frames));
    return new RecentMean({
      atLarge: this.#atLarge,
      framesAtLarge: this.#framesAtLarge,
      sums: this.#sums.map((sum, index) => (sum + frames * (means[index] ?? 0)) * kept),
      frames: (this.#frames + frames) * kept,
    });
  }
}
