/**
 * What the door of a call can do with it when its agent asks. Each door hands it to the agent that it opens;
 * doors never import each other.
 */

/** How an attempt to hand the call to another number went. */
export type TransferOutcome =
  /** The far end reported success: the caller talks to somebody else, and this call is over. */
  | { readonly outcome: 'transferred' }
  /** Our wish was refused: the carrier does not transfer. `status` is the SIP status. */
  | { readonly outcome: 'refused'; readonly status: number }
  /** The carrier tried and did not reach the number: busy, no answer, unknown … by SIP status. */
  | { readonly outcome: 'failed'; readonly status: number }
  /** The carrier took the wish and never said how it went, in the time that was given. */
  | { readonly outcome: 'unknown' }
  /** The call ended before it was known. */
  | { readonly outcome: 'ended' };

export interface CallControl {
  readonly door: 'phone' | 'web';
  /** The caller's number as the trunk gave it; empty when there is none. */
  readonly callerNumber: string;
  /**
   * Hands the call to a number without asking there first (a blind transfer), for doors that can. Never
   * rejects. A call that was handed over ends as `transferred`. One attempt at a time: a second one while
   * the first is under way is `refused` with 491.
   */
  transfer?(number: string, options: { timeoutMs: number }): Promise<TransferOutcome>;
}
