/**
 * Whose turn it is.
 *
 *                  ┌──────────── reply_finished ────────────┐
 *                  v                                        │
 *            ┌───────────┐        reply_started        ┌──────────┐
 *    start ─>│ listening │────────────────────────────>│ speaking │<─┐
 *            └───────────┘                             └──────────┘  │
 *              │       ^                                 ^  ^    │   │ reply_resumed
 *    caller_   │       │ caller_         reply_started   │  │    │   │ (it was only a "mhm")
 *    stopped   v       │ started       ┌─────────────────┘  │    │ caller_started
 *            ┌───────────┐             │      reply_started │    v   │
 *            │ thinking  │─────────────┘          ┌─────────────────┐
 *            └───────────┘<───── caller_stopped ──│   interrupted   │
 *                                                 └─────────────────┘
 *    reply_finished: also from thinking and interrupted to listening, when what the caller said was only a
 *    "mhm", and the reply that it was said into has ended or was taken back meanwhile.
 *    hold:  from each of the four to holding;  resume: from holding to listening.
 *    close: from every state to closed.
 */

export type TurnState =
  /** The caller has the floor, speaking or silent. */
  | 'listening'
  /** The caller has finished; a reply is being found. */
  | 'thinking'
  /** A reply is sounding. */
  | 'speaking'
  /** The caller cut a reply short and is still speaking. */
  | 'interrupted'
  /** The agent is out, while a human talks or the caller is on hold: it hears and says nothing. */
  | 'holding'
  | 'closed';

export type TurnEvent =
  | 'caller_started'
  | 'caller_stopped'
  | 'reply_started'
  | 'reply_finished'
  | 'reply_resumed'
  | 'hold'
  | 'resume'
  | 'close';

export const TURN_STATES: readonly TurnState[] = [
  'listening',
  'thinking',
  'speaking',
  'interrupted',
  'holding',
  'closed',
];
export const TURN_EVENTS: readonly TurnEvent[] = [
  'caller_started',
  'caller_stopped',
  'reply_started',
  'reply_finished',
  'reply_resumed',
  'hold',
  'resume',
  'close',
];

export const TURNS = {
  listening: {
    caller_started: 'listening',
    caller_stopped: 'thinking',
    reply_started: 'speaking',
    hold: 'holding',
    close: 'closed',
  },
  // The caller goes on: what was being thought answers half a sentence, but may still be said.
  thinking: {
    caller_started: 'listening',
    reply_started: 'speaking',
    // The text of what cut the reply short came after its sound: the reply goes on.
    reply_resumed: 'speaking',
    reply_finished: 'listening',
    hold: 'holding',
    close: 'closed',
  },
  // caller_stopped: a reply that waited too long for the caller's silence began over the caller's words, or
  // the caller spoke into a passage that is not interrupted.
  speaking: {
    caller_started: 'interrupted',
    caller_stopped: 'speaking',
    reply_finished: 'listening',
    hold: 'holding',
    close: 'closed',
  },
  interrupted: {
    caller_stopped: 'thinking',
    reply_started: 'speaking',
    reply_resumed: 'speaking',
    reply_finished: 'listening',
    hold: 'holding',
    close: 'closed',
  },
  holding: { resume: 'listening', close: 'closed' },
  closed: {},
} as const satisfies Record<TurnState, Partial<Record<TurnEvent, TurnState>>>;

/** The state after `event`; throws on a move that the table does not hold: that is a programming error. */
export function next(state: TurnState, event: TurnEvent): TurnState {
  const row: Partial<Record<TurnEvent, TurnState>> = TURNS[state];
  const to = row[event];
  if (to === undefined) throw new Error(`illegal turn: ${event} while ${state}`);
  return to;
}
