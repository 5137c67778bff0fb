import { describe, expect, it } from 'vitest';
import { report, type CaseResult, type FirstWord } from '../../../bench/first-word.ts';

const callOf = (heardMs: number | null): FirstWord => ({ answeredMs: 10, heardMs });

function rows(results: readonly CaseResult[]): string[][] {
  const lines = report(results, '0.10')
    .split('\n')
    .filter((line) => line.startsWith('|'));
  return lines.slice(2).map((line) =>
    line
      .split('|')
      .slice(1, -1)
      .map((cell) => cell.trim()),
  );
}

describe('the section', () => {
  it('spreads the calls behind the first, with and without what the model took', () => {
    const calls = [500, 520, 540, 900].map(callOf);
    const result = { name: 'far', modelMs: 450, first: callOf(1500), calls };
    expect(rows([result])).toEqual([['far', '4 of 4', '520', '900', '70', '10', '10', '1500']]);
  });

  it('says of how many calls something was heard', () => {
    const calls = [callOf(null), callOf(100)];
    const result = { name: 'mute', modelMs: 0, first: callOf(null), calls };
    expect(rows([result])).toEqual([['mute', '1 of 2', '100', '100', '100', '10', '10', '–']]);
    const none = { ...result, calls: [callOf(null)] };
    expect(rows([none])).toEqual([['mute', '0 of 1', '–', '–', '–', '10', '10', '–']]);
  });

  it('names the load, and says that no session is kept warm', () => {
    const text = report([], '0.10');
    expect(text).toContain('Load average during the run: 0.10.');
    expect(text).toContain('no pool of warm sessions');
  });
});
