import { describe, expect, it } from 'vitest';
import type { Clock } from '../../../src/base/clock.ts';
import { TokenBucket } from '../../../src/base/token-bucket.ts';

class StillClock implements Clock {
  ms = 1000;

  nowMs(): number {
    return this.ms;
  }

  after(): () => void {
    throw new Error('a bucket sets no timers');
  }
}

function passed(bucket: TokenBucket, attempts: number): number {
  return Array.from({ length: attempts }, () => bucket.take()).filter(Boolean).length;
}

describe('a token bucket', () => {
  it('lets as many pass at once as it lets pass in a second', () => {
    expect(passed(new TokenBucket(5, new StillClock()), 20)).toBe(5);
  });

  it.each([
    [0, 0],
    [199, 0],
    [200, 1],
    [1000, 5],
    [60_000, 5],
  ])('has after %i ms %i more', (quietMs, expected) => {
    const clock = new StillClock();
    const bucket = new TokenBucket(5, clock);
    passed(bucket, 5);
    clock.ms += quietMs;
    expect(passed(bucket, 20)).toBe(expected);
  });

  it('keeps its pace over a long flood', () => {
    const clock = new StillClock();
    const bucket = new TokenBucket(10, clock);
    let through = 0;
    for (let second = 0; second < 60; second += 1) {
      for (let attempt = 0; attempt < 100; attempt += 1) {
        clock.ms += 10;
        if (bucket.take()) through += 1;
      }
    }
    expect(through).toBeGreaterThanOrEqual(600);
    expect(through).toBeLessThanOrEqual(610);
  });
});
