import { describe, expect, it } from 'vitest';
import { mistakes, speechLevel, withNoise } from '../../../bench/test-set.ts';

/** One second of a tone between half seconds of silence. */
const speech = Int16Array.from({ length: 16_000 }, (_, at) =>
  at >= 4000 && at < 12_000 ? 6000 * Math.sin((2 * Math.PI * 700 * at) / 8000) : 0,
);

describe('noise of the test set', () => {
  it('takes the level of speech where there is some', () => {
    expect(speechLevel(speech)).toBeCloseTo(6000 / Math.SQRT2, -2);
  });

  it.each([20, 10, 0])('is %i dB under the speech', (snrDb) => {
    const noisy = withNoise(speech, snrDb, 1);
    const noise = noisy.map((one, at) => one - (speech[at] ?? 0));
    const level = Math.sqrt(noise.reduce((sum, one) => sum + one * one, 0) / noise.length);
    expect(20 * Math.log10(speechLevel(speech) / level)).toBeCloseTo(snrDb, 0);
  });

  it('is the same for the same seed', () => {
    expect(withNoise(speech, 10, 3)).toEqual(withNoise(speech, 10, 3));
    expect(withNoise(speech, 10, 3)).not.toEqual(withNoise(speech, 10, 4));
  });

  it('falls towards high notes', () => {
    const noise = withNoise(new Int16Array(16_000).fill(1), 0, 5).map((one) => one - 1);
    const silent = withNoise(speech, 0, 5).map((one, at) => one - (speech[at] ?? 0));
    const power = (samples: Int16Array, step: number): number =>
      samples.reduce((sum, one, at) => sum + ((samples[at + step] ?? 0) - one) ** 2, 0);
    // Of white noise neighbours differ as much as strangers.
    expect(power(silent, 1)).toBeLessThan(power(silent, 50) / 2);
    expect(noise.every((one) => Number.isInteger(one))).toBe(true);
  });
});

describe('mistakes', () => {
  it.each([
    ['at ten please', 'at ten please', 0],
    ['at ten please', 'at two please', 1],
    ['at ten', 'at ten a m', 2],
    ['at ten please', '', 3],
    ['', 'hello there', 2],
    ['next monday', 'monday next', 2],
  ])('of "%s" heard as "%s" are %i', (truth, heard, count) => {
    const words = (text: string): string[] => text.split(' ').filter((word) => word !== '');
    expect(mistakes(words(truth), words(heard))).toBe(count);
  });
});
