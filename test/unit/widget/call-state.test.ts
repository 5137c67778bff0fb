import { describe, expect, it } from 'vitest';
import {
  CALL_EVENTS,
  CALL_STATE,
  isOpen,
  nextState,
  type CallState,
} from '../../../widget/client/call-state.ts';

/** Every move that there is; all others are mistakes. */
const MOVES: readonly (readonly [CallState, string, CallState])[] = [
  ['idle', 'call', 'asking-microphone'],
  ['idle', 'resume', 'reconnecting'],
  ['asking-microphone', 'granted', 'connecting'],
  ['asking-microphone', 'over', 'ended'],
  ['connecting', 'connected', 'talking'],
  ['connecting', 'over', 'ended'],
  ['talking', 'lost', 'reconnecting'],
  ['talking', 'over', 'ended'],
  ['reconnecting', 'restored', 'talking'],
  ['reconnecting', 'over', 'ended'],
  ['ended', 'call', 'asking-microphone'],
  ['ended', 'resume', 'reconnecting'],
];
const STATES = Object.values(CALL_STATE);

describe.each(STATES)('a call that is %s', (state) => {
  it.each(CALL_EVENTS)('knows what "%s" means, or that it cannot be', (event) => {
    const move = MOVES.find(([from, by]) => from === state && by === event);
    if (move === undefined)
      expect(() => nextState(state, event)).toThrow(`a call that is ${state} knows no "${event}"`);
    else expect(nextState(state, event)).toBe(move[2]);
  });
});

describe('isOpen', () => {
  it('holds from the press of the button to the end', () => {
    expect(STATES.filter(isOpen)).toEqual(['asking-microphone', 'connecting', 'talking', 'reconnecting']);
  });
});
