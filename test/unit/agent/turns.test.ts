import { describe, expect, it } from 'vitest';
import {
  next,
  TURN_EVENTS,
  TURN_STATES,
  TURNS,
  type TurnEvent,
  type TurnState,
} from '../../../src/agent/turns.ts';

const LEGAL: readonly (readonly [TurnState, TurnEvent, TurnState])[] = [
  ['listening', 'caller_started', 'listening'],
  ['listening', 'caller_stopped', 'thinking'],
  ['listening', 'reply_started', 'speaking'],
  ['listening', 'hold', 'holding'],
  ['listening', 'close', 'closed'],
  ['thinking', 'caller_started', 'listening'],
  ['thinking', 'reply_started', 'speaking'],
  ['thinking', 'reply_resumed', 'speaking'],
  ['thinking', 'reply_finished', 'listening'],
  ['thinking', 'hold', 'holding'],
  ['thinking', 'close', 'closed'],
  ['speaking', 'caller_started', 'interrupted'],
  ['speaking', 'caller_stopped', 'speaking'],
  ['speaking', 'reply_finished', 'listening'],
  ['speaking', 'hold', 'holding'],
  ['speaking', 'close', 'closed'],
  ['interrupted', 'caller_stopped', 'thinking'],
  ['interrupted', 'reply_started', 'speaking'],
  ['interrupted', 'reply_resumed', 'speaking'],
  ['interrupted', 'reply_finished', 'listening'],
  ['interrupted', 'hold', 'holding'],
  ['interrupted', 'close', 'closed'],
  ['holding', 'resume', 'listening'],
  ['holding', 'close', 'closed'],
];

const pairs = TURN_STATES.flatMap((state) => TURN_EVENTS.map((event) => ({ state, event })));

describe('turns', () => {
  it.each(pairs)('$state × $event', ({ state, event }) => {
    const row = LEGAL.find(([from, on]) => from === state && on === event);
    if (row) expect(next(state, event)).toBe(row[2]);
    else expect(() => next(state, event)).toThrow(`illegal turn: ${event} while ${state}`);
  });

  it('names every state of the table', () => {
    expect(Object.keys(TURNS).sort()).toEqual([...TURN_STATES].sort());
  });

  it('reaches every state from the start and leaves none but closed for ever', () => {
    const reached = new Set<TurnState>(['listening']);
    for (const state of reached) for (const [from, , to] of LEGAL) if (from === state) reached.add(to);
    expect([...reached].sort()).toEqual([...TURN_STATES].sort());
    expect(LEGAL.filter(([from]) => from === 'closed')).toEqual([]);
  });
});
