import { expect, it } from 'vitest';
import { recentTurns } from '../../../../src/agent/models/voice-socket/recent-turns.ts';

it('a conversation loses its oldest turns first when it is too long', () => {
  const many = Array.from({ length: 10 }, (_, n) => ({ from: 'caller' as const, text: `turn ${n}` }));
  expect(recentTurns(many, { turns: 3, chars: 1000 }).map((turn) => turn.text)).toEqual([
    'turn 7',
    'turn 8',
    'turn 9',
  ]);
  expect(recentTurns(many, { turns: 100, chars: 13 }).map((turn) => turn.text)).toEqual(['turn 8', 'turn 9']);
  expect(recentTurns(many, { turns: 100, chars: 3 })).toEqual([]);
});
