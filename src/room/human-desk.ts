/**
 * What an agent, or whoever takes its place, asks of the human agents of a tenant.
 * The gateway hands the implementation in (src/room/handoff-queue.ts), so that doors never import each other.
 */

/** How a handoff ended while the call goes on. */
export type HandoffOutcome =
  /** The human gave the call back. */
  | 'handed-back'
  /** The human hung up, or its page went away. */
  | 'human-left'
  /** Nobody accepted in time. */
  | 'unanswered';

/** What the agent says when it is back. */
export type BackPhrases = Readonly<Record<HandoffOutcome, string>>;

export interface HandoffWish {
  readonly callId: string;
  /** Why a human is wanted, in a few words: "asks for a nurse". */
  readonly reason: string;
  /** Two lines for the human, shown and spoken to it; left out: made of what was said last. */
  readonly briefing?: string;
  /** true: the caller was told already, or nobody is there to tell it. Music begins at once. */
  readonly announced?: boolean;
  /** What the call's agent says when it is back; left out: a sentence that fits anywhere. */
  readonly say?: BackPhrases;
  /**
   * The caller is to be taken back. Left out: the call's agent comes back and says how it went. While this
   * runs the caller hears the room: whoever takes it back speaks.
   */
  readonly back?: (outcome: HandoffOutcome) => void;
}

export type HandoffAnswer =
  | { readonly taken: true; readonly handoffId: string }
  | {
      readonly taken: false;
      /** nobody: no human agent takes calls now. under-way: it is being handed over already. */
      readonly why: 'nobody' | 'under-way' | 'no-such-call';
    };

export interface HumanDesk {
  /** Whether a human agent of the tenant takes calls, free or busy just now. */
  isStaffed(tenant: string): boolean;
  /** A human has the call, or is about to: an agent that fails meanwhile is no reason to end it. */
  isHandedOver(callId: string): boolean;
  /** Queues the call for a human. Answers at once; `back` and the call's timeline tell what follows. */
  request(wish: HandoffWish): HandoffAnswer;
}
