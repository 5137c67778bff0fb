import { describe, expect, it } from 'vitest';
import { RecentMean } from '../../../../src/agent/models/offline/recent-mean.ts';

const atLarge = RecentMean.of([10, -20], 100);

describe('a mean of what was said lately', () => {
  it('is that of callers at large before anything is said', () => {
    expect(atLarge.expected).toEqual([10, -20]);
  });

  it('is moved by what is said as far as its frames count', () => {
    expect(atLarge.with([20, 0], 100).expected).toEqual([15, -10]);
    expect(atLarge.with(Float32Array.of(20, 0), 300).expected).toEqual([17.5, -5]);
  });

  it('weights utterances by their frames, whichever came first', () => {
    const [one, other] = [
      atLarge.with([0, 0], 100).with([40, 0], 200),
      atLarge.with([40, 0], 200).with([0, 0], 100),
    ];
    expect(one.expected[0]).toBeCloseTo((100 * 10 + 200 * 40) / 400, 9);
    expect(other.expected[0]).toBeCloseTo(one.expected[0] ?? NaN, 9);
  });

  it('forgets: what is older than the last 3000 frames fades', () => {
    const old = atLarge.with([1000, 0], 3000);
    const long = Array.from({ length: 30 }).reduce<RecentMean>((mean) => mean.with([0, 0], 1000), old);
    expect(long.expected[0]).toBeLessThan(2);
    expect(long.expected[1]).toBeCloseTo((100 * -20) / 3100, 9);
  });

  it('learns nothing of nothing, and is never changed itself', () => {
    expect(atLarge.with([1, 1], 0)).toBe(atLarge);
    expect(atLarge.with([1, Infinity], 10)).toBe(atLarge);
    expect(atLarge.with([NaN, 1], 10)).toBe(atLarge);
    atLarge.with([99, 99], 1000);
    expect(atLarge.expected).toEqual([10, -20]);
  });
});
