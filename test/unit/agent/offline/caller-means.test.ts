import { describe, expect, it } from 'vitest';
import { CallerMeans, TELEPHONE_MEANS } from '../../../../src/agent/models/offline/caller-means.ts';

/** Means that lie so far from the telephone's in every coefficient. */
const off = (by: number): Float32Array => Float32Array.from(TELEPHONE_MEANS, (mean) => mean + by);
const distance = (caller: CallerMeans): number =>
  caller.expected.reduce((sum, mean, index) => sum + mean - (TELEPHONE_MEANS[index] ?? 0), 0) /
  TELEPHONE_MEANS.length;

describe('means of a caller', () => {
  it("are the telephone's before they have spoken", () => {
    expect([...CallerMeans.unknown.expected]).toEqual([...Float32Array.from(TELEPHONE_MEANS)]);
  });

  it.each([
    [100, 0.5],
    [300, 0.75],
    [900, 0.9],
  ])('are after %i frames to %f their own', (frames, share) => {
    expect(distance(CallerMeans.unknown.with(off(10), frames))).toBeCloseTo(10 * share, 4);
  });

  it('count utterances by their length, whichever came first', () => {
    const one = CallerMeans.unknown.with(off(2), 100).with(off(8), 200);
    const other = CallerMeans.unknown.with(off(8), 200).with(off(2), 100);
    expect(distance(one)).toBeCloseTo((100 * 2 + 200 * 8) / 400, 4);
    expect(distance(other)).toBeCloseTo(distance(one), 6);
  });

  it('forget slowly: a line that changes is followed', () => {
    let caller = CallerMeans.unknown;
    for (let utterance = 0; utterance < 100; utterance += 1) caller = caller.with(off(5), 300);
    expect(distance(caller)).toBeCloseTo((3000 * 5) / 3100, 3);
    for (let utterance = 0; utterance < 10; utterance += 1) caller = caller.with(off(-5), 300);
    expect(distance(caller)).toBeLessThan(0);
  });

  it('learn nothing of silence, nor of what is no number', () => {
    const caller = CallerMeans.unknown.with(off(3), 50);
    expect(caller.with(off(9), 0)).toBe(caller);
    expect(caller.with(off(9).fill(Number.NaN, 3, 4), 100)).toBe(caller);
    expect(caller.with(off(Infinity), 100)).toBe(caller);
  });

  it('leave those alone that they were made from', () => {
    const before = distance(CallerMeans.unknown.with(off(3), 50));
    const caller = CallerMeans.unknown.with(off(3), 50);
    caller.with(off(30), 500);
    expect(distance(caller)).toBe(before);
    expect(distance(CallerMeans.unknown)).toBeCloseTo(0, 5);
  });
});
