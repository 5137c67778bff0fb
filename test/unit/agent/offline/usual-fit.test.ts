import { describe, expect, it } from 'vitest';
import { UsualFit } from '../../../../src/agent/models/offline/usual-fit.ts';

/** After so many words of two seconds that fit so well. */
const after = (fits: readonly number[]): UsualFit =>
  fits.reduce((usual, fit) => usual.with(fit, 200), UsualFit.unknown);
const times = (count: number, fit: number): number[] => Array.from({ length: count }, () => fit);

describe('what is believed of a caller', () => {
  it('is what it is of callers at large before they have spoken', () => {
    expect(UsualFit.unknown.limit).toBe(-46.5);
  });

  it('lies ten below what is usual for them, the sooner the longer they speak', () => {
    // Callers at large are usual at -36.5 and count for three seconds.
    expect(after([-42]).limit).toBeCloseTo((300 * -36.5 + 200 * -42) / 500 - 10, 6);
    expect(after(times(10, -42)).limit).toBeCloseTo((300 * -36.5 + 2000 * -42) / 2300 - 10, 6);
    expect(after(times(10, -42)).limit).toBeLessThan(after([-42]).limit);
  });

  it.each([
    ['an accent that the model does not know', -45, -54],
    ['a voice that the model was made of', -28, -42],
    ['noise, in which everything fits', -20, -42],
    ['nothing that anybody could mean', -70, -56],
  ])('follows the caller, within bounds: %s', (_what, fit, limit) => {
    expect(after(times(14, fit)).limit).toBeCloseTo(limit, 0);
  });

  it('weights words by their length', () => {
    const yes = UsualFit.unknown.with(-20, 40).with(-44, 400);
    expect(yes.limit).toBeLessThan(after([-32, -32]).limit);
    expect(yes.limit).toBeCloseTo(UsualFit.unknown.with(-44, 400).with(-20, 40).limit, 6);
  });

  it('forgets slowly: another hand takes the telephone', () => {
    const first = after(times(100, -44));
    const second = times(30, -34).reduce((usual, fit) => usual.with(fit, 200), first);
    expect(first.limit).toBeLessThan(-52);
    expect(second.limit).toBeGreaterThan(-46);
  });

  it('learns nothing of no words', () => {
    const usual = after([-40]);
    expect(usual.with(0, 0)).toBe(usual);
    expect(usual.with(-Infinity, 10)).toBe(usual);
    expect(usual.with(Number.NaN, 10)).toBe(usual);
  });

  it('is of one caller: what another says changes nothing', () => {
    const one = after([-44]);
    one.with(-20, 3000);
    expect(one.limit).toBe(after([-44]).limit);
    expect(UsualFit.unknown.limit).toBe(-46.5);
  });
});
