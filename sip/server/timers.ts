/** The clockwork of RFC 3261 §17.1.1.2, RFC 4028 and the one bound they leave to us. */
export interface Timers {
  /** Round-trip estimate. */
  readonly t1Ms: number;
  /** Longest interval between retransmissions of non-INVITE requests and INVITE responses. */
  readonly t2Ms: number;
  /** Longest time a message stays in the network. */
  readonly t4Ms: number;
  /** Length of one "second" of Session-Expires and Min-SE; tests shorten it. */
  readonly sessionSecondMs: number;
  /**
   * How long an INVITE may ring, either way, before the server gives it up (RFC 3261 §13.3.1.1 leaves it
   * open).
   */
  readonly ringingMaxMs: number;
}

export const RFC_TIMERS: Timers = {
  t1Ms: 500,
  t2Ms: 4_000,
  t4Ms: 5_000,
  sessionSecondMs: 1_000,
  ringingMaxMs: 1_800_000,
};

/** Timers B, D, F, H, J, L and M: 64 times T1, 32 s by default. */
export function transactionTimeoutMs(timers: Timers): number {
  return 64 * timers.t1Ms;
}
