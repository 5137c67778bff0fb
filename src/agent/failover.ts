/**
 * What holds a call up when its model does not.
 *
 *                 connected
 *    start ─> opening ─────────> up <──────connected──────┐
 *               │                │  ^                     │
 *               │ retry    retry │  │ connected           │
 *               v                v  │                     │
 *               └──────> reopening ─┘<─┐ retry            │
 *                            │ └───────┘                  │
 *                  fall_back │                            │
 *                            v                            │
 *                      falling_back ──────────────────────┘
 *                            │ ^  └ fall_back: to the next one
 *                   hand_over│ │fall_back (nobody took the call)
 *                            v │
 *                       handed_over ──give_up──> lost
 *
 *    fall_back, hand_over and give_up: also from opening, up and reopening, when the model is not worth
 *    another try. close: from every state to closed.
 */

export type FailoverState =
  /** The first session is being opened. */
  | 'opening'
  /** A session hears and speaks. */
  | 'up'
  /** The session was lost; another of the same model is being opened. */
  | 'reopening'
  /** The model is given up; a session of the next one is being opened. */
  | 'falling_back'
  /** A human, a number or the voicemail has the caller, or is being asked. */
  | 'handed_over'
  /** Nothing is left that could be tried. */
  | 'lost'
  | 'closed';

export type FailoverEvent = 'connected' | 'retry' | 'fall_back' | 'hand_over' | 'give_up' | 'close';

export const FAILOVER_STATES: readonly FailoverState[] = [
  'opening',
  'up',
  'reopening',
  'falling_back',
  'handed_over',
  'lost',
  'closed',
];
export const FAILOVER_EVENTS: readonly FailoverEvent[] = [
  'connected',
  'retry',
  'fall_back',
  'hand_over',
  'give_up',
  'close',
];

/** Whatever is open can be given up. */
const WAYS_OUT = {
  fall_back: 'falling_back',
  hand_over: 'handed_over',
  give_up: 'lost',
  close: 'closed',
} as const;

export const FAILOVER = {
  opening: { connected: 'up', retry: 'reopening', ...WAYS_OUT },
  up: { retry: 'reopening', ...WAYS_OUT },
  reopening: { connected: 'up', retry: 'reopening', ...WAYS_OUT },
  // A fallback that does not answer at once is not tried twice: the caller has waited long enough.
  falling_back: { connected: 'up', ...WAYS_OUT },
  handed_over: { ...WAYS_OUT },
  lost: { close: 'closed' },
  closed: {},
} as const satisfies Record<FailoverState, Partial<Record<FailoverEvent, FailoverState>>>;

/** The state after `event`; throws on a move that the table does not hold: that is a programming error. */
export function next(state: FailoverState, event: FailoverEvent): FailoverState {
  const row: Partial<Record<FailoverEvent, FailoverState>> = FAILOVER[state];
  const to = row[event];
  if (to === undefined) throw new Error(`illegal failover: ${event} while ${state}`);
  return to;
}
