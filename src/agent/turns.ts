/**
 * Whose turn it is.
 *
 *                  ┌──────────── reply_finished ────────────┐
 *                  v                                        │
 *            ┌───────────┐        reply_started        ┌──────────┐
 *    start ─>│ listening │────────────────────────────>│ speaking │
 *            └───────────┘                             └──────────┘
 *              │       ^                                 ^  ^    │
 *    caller_   │       │ caller_         reply_started   │  │    │ caller_
 *    stopped   v       │ started       ┌─────────────────┘  │    │ started
 *            ┌───────────┐             │      reply_started │    v
 *            │ thinking  │─────────────┘          ┌─────────────────┐
 *            └───────────┘<───── caller_stopped ──│   interrupted   │
 *                                                 └─────────────────┘
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
  | 'closed';

export type TurnEvent = 'caller_started' | 'caller_stopped' | 'reply_started' | 'reply_finished' | 'close';

export const TURN_STATES: readonly TurnState[] = [
  'listening',
  'thinking',
  'speaking',
  'interrupted',
  'closed',
];
export const TURN_EVENTS: readonly TurnEvent[] = [
  'caller_started',
  'caller_stopped',
  'reply_started',
  'reply_finished',
  'close',
];

export const TURNS = {
  listening: {
    caller_started: 'listening',
    caller_stopped: 'thinking',
    reply_started: 'speaking',
    close: 'closed',
  },
  // The caller goes on: what was being thought answers half a sentence, but may still be said.
  thinking: { caller_started: 'listening', reply_started: 'speaking', close: 'closed' },
  // caller_stopped: a reply that waited too long for the caller's silence began over the caller's words.
  speaking: {
    caller_started: 'interrupted',
    caller_stopped: 'speaking',
    reply_finished: 'listening',
    close: 'closed',
  },
  interrupted: { caller_stopped: 'thinking', reply_started: 'speaking', close: 'closed' },
  closed: {},
} as const satisfies Record<TurnState, Partial<Record<TurnEvent, TurnState>>>;

/** The state after `event`; throws on a move that the table does not hold: that is a programming error. */
export function next(state: TurnState, event: TurnEvent): TurnState {
  const row: Partial<Record<TurnEvent, TurnState>> = TURNS[state];
  const to = row[event];
  if (to === undefined) throw new Error(`illegal turn: ${event} while ${state}`);
  return to;
}
