/**
 * Patience with a far end that sends nothing. It runs only while sound is expected, from the moment it is:
 * not while it is on hold, listens only, or may not be heard yet.
 */
export class SilenceWatch {
  readonly #timeoutMs: number;
  #expected = false;
  #sinceMs = 0;
  #told = false;

  /** `timeoutMs` 0: never. */
  constructor(timeoutMs: number) {
    this.#timeoutMs = timeoutMs;
  }

  /** A negotiation says whether the far end sends. It is a sign of life: patience begins anew. */
  settle(expected: boolean, nowMs: number): void {
    this.#expected = expected;
    this.#sinceMs = nowMs;
    this.#told = false;
  }

  heard(nowMs: number): void {
    this.#sinceMs = nowMs;
    this.#told = false;
  }

  /** Length of the silence in ms, once per silence; null while there is nothing to tell. */
  check(nowMs: number): number | null {
    if (!this.#expected || this.#told || this.#timeoutMs === 0) return null;
    const silentMs = nowMs - this.#sinceMs;
    if (silentMs < this.#timeoutMs) return null;
    this.#told = true;
    return Math.round(silentMs);
  }
}
