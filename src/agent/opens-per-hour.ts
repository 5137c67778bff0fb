/** How often something may be done within any hour. */
const HOUR_MS = 3_600_000;

export class OpensPerHour {
  readonly #max: number;
  /** Of the last hour, oldest first; never more than `max`. */
  readonly #atMs: number[] = [];

  constructor(max: number) {
    this.#max = max;
  }

  /** true: it may be done, and counts. */
  take(nowMs: number): boolean {
    while (this.#atMs.length > 0 && nowMs - (this.#atMs[0] ?? 0) >= HOUR_MS) this.#atMs.shift();
    if (this.#atMs.length >= this.#max) return false;
    this.#atMs.push(nowMs);
    return true;
  }

  /** When it may be done next, after `take` refused. */
  freeInMs(nowMs: number): number {
    return this.#max === 0 ? HOUR_MS : Math.max(1, (this.#atMs[0] ?? nowMs) + HOUR_MS - nowMs);
  }
}
