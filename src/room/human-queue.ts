/** What an agent whose model is gone asks of the human agents; the desk's queue fulfils it. */

/** How it went: a human had the call and is done with it, or nobody took it in time. */
export type HumanOutcome = 'handed-back' | 'human-left' | 'unanswered';

export interface HumanQueue {
  /** Queues the call. Answers at once; what became of it is told by `back`, once. */
  request(wish: {
    readonly callId: string;
    /** In a few words, for the human. */
    readonly reason: string;
    /** The caller was told already: music begins at once. */
    readonly announced?: boolean;
    readonly back?: (outcome: HumanOutcome) => void;
  }): { readonly taken: true } | { readonly taken: false; readonly why: string };
}
