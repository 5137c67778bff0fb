import { describe, expect, it } from 'vitest';
import { percentile, spreadOf } from '../../../bench/percentiles.ts';

describe('a percentile', () => {
  const hundred = Array.from({ length: 100 }, (_, index) => 100 - index);

  it.each([
    [0.5, 50],
    [0.95, 95],
    [0.99, 99],
    [1, 100],
    [0, 1],
    [-1, 1],
    [2, 100],
  ])('%d of one to a hundred is %d', (p, value) => {
    expect(percentile(hundred, p)).toBe(value);
  });

  it('sorts by number, not by letter', () => {
    expect(percentile([100, 9, 20], 0.5)).toBe(20);
  });

  it('of one value is that value, and of none is null', () => {
    expect(percentile([7], 0.01)).toBe(7);
    expect(percentile([], 0.5)).toBeNull();
  });

  it('leaves the values as they were', () => {
    const values = [3, 1, 2];
    percentile(values, 0.5);
    expect(values).toEqual([3, 1, 2]);
  });
});

describe('a spread', () => {
  it('holds the count and the usual ranks', () => {
    expect(spreadOf([4, 1, 3, 2])).toEqual({ count: 4, p50: 2, p95: 4, p99: 4, max: 4 });
  });

  it('of nothing has nothing', () => {
    expect(spreadOf([])).toEqual({ count: 0, p50: null, p95: null, p99: null, max: null });
  });

  it('of a call with 200 packets a second for a minute does not overflow the stack', () => {
    expect(spreadOf(new Array<number>(600_000).fill(1)).max).toBe(1);
  });
});
