/**
 * How far a call has got on its way to a human agent and back.
 *
 *    start ─> announcing ─announced─> waiting <──stopped── ringing
 *                                      │ ^  └────rang───────>│
 *                                      │ └─────left────┐     │accepted
 *                              gave_up │               │     v
 *     returned <───────────────────────┴───gave_up── joining<┘
 *        ^  ^                                          │joined
 *        │  └────── handed_back, left ───────┐         v
 *        └───────── handed_back, left ── held <─held─ talking
 *                                         └──resumed──>┘
 *
 *    call_over: from every open state to over.
 */

export const HANDOFF_STATES = [
  /** The agent says that it connects the caller; the caller still hears it. */
  'announcing',
  /** The caller hears music; nobody is rung at the moment. */
  'waiting',
  /** The caller hears music; at least one desk rings. */
  'ringing',
  /** A human has accepted, and its page is on its way into the room. The caller hears music. */
  'joining',
  /** Caller and human hear each other. */
  'talking',
  /** The human keeps the caller waiting with music, or is away for a moment. */
  'held',
  /** The agent is back, whatever came of it. */
  'returned',
  /** The call ended. */
  'over',
] as const;
export type HandoffState = (typeof HANDOFF_STATES)[number];

export const HANDOFF_EVENTS = [
  'announced',
  'rang',
  'stopped',
  'accepted',
  'joined',
  'held',
  'resumed',
  'handed_back',
  'left',
  'gave_up',
  'call_over',
] as const;
export type HandoffEvent = (typeof HANDOFF_EVENTS)[number];

export const HANDOFFS = {
  announcing: { announced: 'waiting', call_over: 'over' },
  waiting: { rang: 'ringing', gave_up: 'returned', call_over: 'over' },
  ringing: { stopped: 'waiting', accepted: 'joining', gave_up: 'returned', call_over: 'over' },
  // Whoever accepted and does not come leaves the call to others.
  joining: { joined: 'talking', left: 'waiting', gave_up: 'returned', call_over: 'over' },
  talking: { held: 'held', handed_back: 'returned', left: 'returned', call_over: 'over' },
  held: { resumed: 'talking', handed_back: 'returned', left: 'returned', call_over: 'over' },
  returned: {},
  over: {},
} as const satisfies Record<HandoffState, Partial<Record<HandoffEvent, HandoffState>>>;

/** Whether the table knows that move. */
export function canMove(state: HandoffState, event: HandoffEvent): boolean {
  return event in HANDOFFS[state];
}

/** The state after `event`; throws on a move that the table does not hold: that is a programming error. */
export function next(state: HandoffState, event: HandoffEvent): HandoffState {
  const row: Partial<Record<HandoffEvent, HandoffState>> = HANDOFFS[state];
  const to = row[event];
  if (to === undefined) throw new Error(`illegal handoff: ${event} while ${state}`);
  return to;
}

/** What the caller hears meanwhile. */
export function callerHears(state: HandoffState): 'agent' | 'music' | 'human' | 'nothing' {
  switch (state) {
    case 'announcing':
    case 'returned':
      return 'agent';
    case 'waiting':
    case 'ringing':
    case 'joining':
    case 'held':
      return 'music';
    case 'talking':
      return 'human';
    case 'over':
      return 'nothing';
  }
}

export function isOpen(state: HandoffState): boolean {
  return state !== 'returned' && state !== 'over';
}
