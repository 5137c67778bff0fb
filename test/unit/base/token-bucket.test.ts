import { describe, expect, it } from 'vitest';
import { TokenBucket } from '../../../src/base/token-bucket.ts';
import { ManualClock } from '../../support/manual-clock.ts';

function passed(bucket: TokenBucket, attempts: number): number {
  return Array.from({ length: attempts }, () => bucket.take()).filter(Boolean).length;
}

describe('a token bucket', () => {
  it('lets as many pass at once as it lets pass in a second', () => {
    expect(passed(new TokenBucket(5, new ManualClock()), 20)).toBe(5);
  });

  it.each([
    [0, 0],
    [199, 0],
    [200, 1],
    [1000, 5],
    [60_000, 5],
  ])('has after %i ms %i more', (quietMs, expected) => {
    const clock = new ManualClock();
    const bucket = new TokenBucket(5, clock);
    passed(bucket, 5);
    clock.advance(quietMs);
    expect(passed(bucket, 20)).toBe(expected);
  });

  it('keeps its pace over a long flood', () => {
    const clock = new ManualClock();
    const bucket = new TokenBucket(10, clock);
    let through = 0;
    for (let second = 0; second < 60; second += 1) {
      for (let attempt = 0; attempt < 100; attempt += 1) {
        clock.advance(10);
        if (bucket.take()) through += 1;
      }
    }
    expect(through).toBeGreaterThanOrEqual(600);
    expect(through).toBeLessThanOrEqual(610);
  });
});
