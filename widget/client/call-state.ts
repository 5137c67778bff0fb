/**
 * The states of a visitor's call.
 *
 *     idle --call--> asking-microphone --granted--> connecting --connected--> talking
 *                            ^                                                 |   ^
 *                            |                                              lost   restored
 *                          call                                                v   |
 *                            |                                            reconnecting
 *                          ended <--over-- (any of the four states of an open call)
 *
 *     idle or ended --resume--> reconnecting: the page was loaded anew during a call
 */
export const CALL_STATE = {
  /** No call yet. */
  idle: 'idle',
  /** The browser asks the visitor whether the page may use the microphone. */
  askingMicrophone: 'asking-microphone',
  /** The room is joined and the sound path built. */
  connecting: 'connecting',
  /** Sound flows both ways. */
  talking: 'talking',
  /** Network, gateway or page were lost during the call; it goes on when they are back in time. */
  reconnecting: 'reconnecting',
  /** Over, for a reason; another call may begin. */
  ended: 'ended',
} as const;
export type CallState = (typeof CALL_STATE)[keyof typeof CALL_STATE];

export const CALL_EVENTS = ['call', 'resume', 'granted', 'connected', 'lost', 'restored', 'over'] as const;
export type CallEvent = (typeof CALL_EVENTS)[number];

const MOVES: Readonly<Record<CallState, Partial<Record<CallEvent, CallState>>>> = {
  idle: { call: 'asking-microphone', resume: 'reconnecting' },
  'asking-microphone': { granted: 'connecting', over: 'ended' },
  connecting: { connected: 'talking', over: 'ended' },
  talking: { lost: 'reconnecting', over: 'ended' },
  reconnecting: { restored: 'talking', over: 'ended' },
  ended: { call: 'asking-microphone', resume: 'reconnecting' },
};

/** @throws Error when the event cannot happen in that state: a mistake of the caller */
export function nextState(state: CallState, event: CallEvent): CallState {
  const next = MOVES[state][event];
  if (next === undefined) throw new Error(`a call that is ${state} knows no "${event}"`);
  return next;
}

/** Whether a call is on, in whatever condition. */
export function isOpen(state: CallState): boolean {
  return MOVES[state].over !== undefined;
}
