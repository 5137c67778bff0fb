/** Bins of 0.1 ms; the last one takes everything beyond. */
const BIN_MS = 0.1;
const BINS = 1000;

/**
 * How late ticks ran: counts in bins, so that measuring allocates nothing. Resolution 0.1 ms, up to 100 ms.
 */
export class LatenessHistogram {
  readonly #bins = new Uint32Array(BINS);
  #count = 0;

  add(lateMs: number): void {
    const bin = Math.min(BINS - 1, Math.max(0, Math.floor(lateMs / BIN_MS)));
    this.#bins[bin] = (this.#bins[bin] ?? 0) + 1;
    this.#count++;
  }

  /** Percentiles (upper edge of the bin) since the last call; 0 when nothing ran. */
  take(): { p50Ms: number; p99Ms: number } {
    const percentiles = { p50Ms: this.#percentile(0.5), p99Ms: this.#percentile(0.99) };
    this.#bins.fill(0);
    this.#count = 0;
    return percentiles;
  }

  #percentile(share: number): number {
    if (this.#count === 0) return 0;
    const wanted = Math.ceil(this.#count * share);
    let seen = 0;
    for (let bin = 0; bin < BINS; bin++) {
      seen += this.#bins[bin] ?? 0;
      if (seen >= wanted) return Math.round((bin + 1) * BIN_MS * 10) / 10;
    }
    return BINS * BIN_MS;
  }
}
