import { describe, expect, it } from 'vitest';
import { report, storyOf, takerOf, type FaultResult } from '../../../bench/failover.ts';

const lost = { step: 'lost' };
const again = { step: 'reconnecting' };
const back = { step: 'restored', to: 'realtime' };

describe('the steps of a call', () => {
  it('are told in order, with how often each was taken', () => {
    expect(storyOf([lost, again, back])).toBe('lost, reconnecting, restored realtime');
    const offline = [lost, again, again, { step: 'falling_back', to: 'offline' }];
    expect(storyOf(offline)).toBe('lost, reconnecting (2 times), falling back offline');
    expect(storyOf([])).toBe('');
  });

  it('say who holds the call up', () => {
    expect(takerOf([lost, again, back])).toBe('a new session');
    expect(takerOf([lost, { step: 'restored', to: 'offline' }])).toBe('offline');
    expect(takerOf([lost, again])).toBe('nobody yet');
    expect(takerOf([])).toBe('the same session');
  });
});

describe('the section', () => {
  const result: FaultResult = {
    fault: 'close',
    longestMs: 812,
    fromMs: 0,
    firstMs: 812,
    steps: [
      { type: 'failover', atMs: 10, step: 'lost' },
      { type: 'failover', atMs: 20, step: 'restored', to: 'realtime' },
    ],
    stands: true,
  };

  it('has a row per fault, the longest silence of all, and what was done', () => {
    const other: FaultResult = {
      ...{ fault: 'slow link', longestMs: 1900, fromMs: 300, firstMs: null },
      ...{ steps: [], stands: false },
    };
    const markdown = report([result, other], '0.10');
    expect(markdown).toMatch(/\| close +\| +812 \| +0 \| +812 \| +a new session \| +yes \|/);
    expect(markdown).toMatch(/\| slow link \| +1900 \| +300 \| +– \| +the same session \| +no \|/);
    expect(markdown).toContain('The longest silence of all: 1900 ms. Load average during the run: 0.10.');
    expect(markdown).toContain('- **close**: lost, restored realtime\n- **slow link**: no step was taken');
  });
});
