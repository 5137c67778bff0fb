import { describe, expect, it } from 'vitest';
import {
  callerHears,
  canMove,
  HANDOFF_EVENTS,
  HANDOFF_STATES,
  HANDOFFS,
  isOpen,
  next,
  type HandoffEvent,
  type HandoffState,
} from '../../../src/room/handoff-state.ts';

/** Written once more by hand: state, event, state. */
const MOVES: readonly (readonly [HandoffState, HandoffEvent, HandoffState])[] = [
  ['announcing', 'announced', 'waiting'],
  ['announcing', 'call_over', 'over'],
  ['waiting', 'rang', 'ringing'],
  ['waiting', 'gave_up', 'returned'],
  ['waiting', 'call_over', 'over'],
  ['ringing', 'stopped', 'waiting'],
  ['ringing', 'accepted', 'joining'],
  ['ringing', 'gave_up', 'returned'],
  ['ringing', 'call_over', 'over'],
  ['joining', 'joined', 'talking'],
  ['joining', 'left', 'waiting'],
  ['joining', 'gave_up', 'returned'],
  ['joining', 'call_over', 'over'],
  ['talking', 'held', 'held'],
  ['talking', 'handed_back', 'returned'],
  ['talking', 'left', 'returned'],
  ['talking', 'call_over', 'over'],
  ['held', 'resumed', 'talking'],
  ['held', 'handed_back', 'returned'],
  ['held', 'left', 'returned'],
  ['held', 'call_over', 'over'],
];

const every = HANDOFF_STATES.flatMap((state) => HANDOFF_EVENTS.map((event) => [state, event] as const));

describe('the way of a call to a human', () => {
  it.each(every)('%s, %s', (state, event) => {
    const to = MOVES.find(([from, by]) => from === state && by === event)?.[2];
    expect(canMove(state, event)).toBe(to !== undefined);
    if (to === undefined)
      expect(() => next(state, event)).toThrow(`illegal handoff: ${event} while ${state}`);
    else expect(next(state, event)).toBe(to);
  });

  it('ends with the agent or with the call, and in no other state', () => {
    for (const state of HANDOFF_STATES)
      expect(Object.keys(HANDOFFS[state]).length === 0, state).toBe(!isOpen(state));
  });

  it('can end from every open state, since callers hang up whenever they like', () => {
    for (const state of HANDOFF_STATES.filter(isOpen)) expect(next(state, 'call_over')).toBe('over');
  });

  it('comes back to the agent from wherever it can get stuck', () => {
    for (const state of HANDOFF_STATES.filter(isOpen)) {
      const reached = new Set([state]);
      for (const at of reached) for (const to of Object.values(HANDOFFS[at])) reached.add(to);
      expect(reached.has('returned'), state).toBe(true);
    }
  });

  it('leaves the caller in silence in no open state', () => {
    expect(HANDOFF_STATES.map((state) => [state, callerHears(state)])).toEqual([
      ['announcing', 'agent'],
      ['waiting', 'music'],
      ['ringing', 'music'],
      ['joining', 'music'],
      ['talking', 'human'],
      ['held', 'music'],
      ['returned', 'agent'],
      ['over', 'nothing'],
    ]);
  });
});
