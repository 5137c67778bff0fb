import { describe, expect, it } from 'vitest';
import { SilenceWatch } from '../../../src/media/silence-watch.ts';

/** What is told at each 100 ms from `fromMs` to `toMs`, as [time, length]. */
function told(watch: SilenceWatch, fromMs: number, toMs: number): [number, number][] {
  const found: [number, number][] = [];
  for (let nowMs = fromMs; nowMs <= toMs; nowMs += 100) {
    const silentMs = watch.check(nowMs);
    if (silentMs !== null) found.push([nowMs, silentMs]);
  }
  return found;
}

describe('patience', () => {
  it('ends once, after the limit', () => {
    const watch = new SilenceWatch(1000);
    watch.settle(true, 500);
    expect(told(watch, 500, 60_000)).toEqual([[1500, 1000]]);
  });

  it('begins anew with every packet', () => {
    const watch = new SilenceWatch(1000);
    watch.settle(true, 0);
    for (let nowMs = 0; nowMs < 5000; nowMs += 500) {
      watch.heard(nowMs);
      expect(told(watch, nowMs, nowMs + 400)).toEqual([]);
    }
    expect(told(watch, 4500, 9000)).toEqual([[5500, 1000]]);
  });

  it('is told again for the next silence', () => {
    const watch = new SilenceWatch(1000);
    watch.settle(true, 0);
    told(watch, 0, 3000);
    watch.heard(3000);
    expect(told(watch, 3000, 6000)).toEqual([[4000, 1000]]);
  });

  it('does not run before anything is settled, nor while nothing is expected', () => {
    const watch = new SilenceWatch(1000);
    expect(told(watch, 0, 10_000)).toEqual([]);
    watch.settle(false, 10_000);
    expect(told(watch, 10_000, 600_000)).toEqual([]);
  });

  it('runs from the moment that sound is expected, not from the ringing or the hold before', () => {
    const watch = new SilenceWatch(1000);
    watch.settle(false, 0);
    watch.settle(true, 60_000);
    expect(told(watch, 60_000, 65_000)).toEqual([[61_000, 1000]]);
    watch.settle(false, 70_000);
    watch.settle(true, 700_000);
    expect(told(watch, 700_000, 705_000)).toEqual([[701_000, 1000]]);
  });

  it('of 0 has no end', () => {
    const watch = new SilenceWatch(0);
    watch.settle(true, 0);
    expect(told(watch, 0, 600_000)).toEqual([]);
  });
});
