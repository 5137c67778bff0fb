import { describe, expect, it } from 'vitest';
import { report, sparesOn, type CaseResult, type FirstWord } from '../../../bench/first-word.ts';

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
    const result = { name: 'far', spare: true, modelMs: 450, first: callOf(1500), calls };
    expect(rows([result])).toEqual([
      ['far', 'yes', '4 of 4', '10', '10', '520', '900', '510', '890', '70', '1500'],
    ]);
  });

  it('says of how many calls something was heard', () => {
    const calls = [callOf(null), callOf(100)];
    const result = { name: 'mute', spare: false, modelMs: 0, first: callOf(null), calls };
    expect(rows([result])).toEqual([
      ['mute', 'no', '1 of 2', '10', '10', '100', '100', '90', '90', '100', '–'],
    ]);
    const none = { ...result, calls: [callOf(null)] };
    expect(rows([none])).toEqual([['mute', 'no', '0 of 1', '10', '10', '–', '–', '–', '–', '–', '–']]);
  });

  it('names the load, and says what spare sessions are', () => {
    const text = report([], '0.10');
    expect(text).toContain('Load average during the run: 0.10.');
    expect(text).toContain('the profile keeps 2 (`model.spares`)');
  });
});

describe('the spare sessions on a page of metrics', () => {
  it('are summed over the threads', () => {
    const page = [
      '# TYPE trunkline_spare_sessions gauge',
      'trunkline_spare_sessions{thread="media-0",profile="echo"} 2',
      'trunkline_spare_sessions{thread="media-1",profile="echo"} 1',
      'trunkline_spare_sessions_total{thread="media-0",profile="echo",outcome="opened"} 9',
    ].join('\n');
    expect(sparesOn(page)).toBe(3);
    expect(sparesOn('')).toBe(0);
  });
});
