/** Milliseconds of a clock that never goes back. Injected where a test must own time. */
export interface Clock {
  nowMs(): number;
  /** Calls `fire` once after `delayMs`; the returned function takes it back. */
  after(delayMs: number, fire: () => void): () => void;
}

export const systemClock: Clock = {
  nowMs: () => performance.now(),
  after: (delayMs, fire) => {
    const timer = setTimeout(fire, delayMs);
    return () => clearTimeout(timer);
  },
};
