import { describe, expect, it } from 'vitest';
import {
  repeatSamples,
  toEightKilohertz,
  trimSilence,
} from '../../../../src/agent/models/offline/telephone-band.ts';

const tone = (frequencyHz: number, samples = 16_000): Int16Array =>
  Int16Array.from({ length: samples }, (_, index) =>
    Math.round(10_000 * Math.sin((2 * Math.PI * frequencyHz * index) / 16_000)),
  );

/** Loudness away from the edges, in dB of the tone that went in. */
function level(samples: Int16Array): number {
  const middle = samples.subarray(200, -200);
  const power = middle.reduce((sum, sample) => sum + sample ** 2, 0) / middle.length;
  return 10 * Math.log10(Math.max(power, 1e-9) / (10_000 ** 2 / 2));
}

describe('toEightKilohertz', () => {
  it.each([200, 1000, 2000, 3000])('passes %i Hz', (frequencyHz) => {
    expect(Math.abs(level(toEightKilohertz(tone(frequencyHz))))).toBeLessThan(0.5);
  });

  it.each([4500, 5000, 6000, 7500])('lets nothing of %i Hz fold back', (frequencyHz) => {
    expect(level(toEightKilohertz(tone(frequencyHz)))).toBeLessThan(-50);
  });

  it('keeps the moment: a click stays where it was', () => {
    const click = new Int16Array(1000);
    click[400] = 20_000;
    const half = toEightKilohertz(click);
    expect(half).toHaveLength(500);
    expect(half.indexOf(Math.max(...half))).toBe(200);
  });

  it('clips instead of wrapping around', () => {
    const loud = new Int16Array(400).fill(32_767);
    expect(Math.min(...toEightKilohertz(loud).subarray(50, 150))).toBeGreaterThan(32_000);
  });

  it('takes nothing at all', () => expect(toEightKilohertz(new Int16Array(0))).toHaveLength(0));
});

describe('repeatSamples', () => {
  it('says every sample twice', () => {
    const twice = new Int16Array(6);
    repeatSamples(Int16Array.of(1, -2, 3), twice);
    expect([...twice]).toEqual([1, 1, -2, -2, 3, 3]);
  });
});

describe('trimSilence', () => {
  const options = { rateHz: 8000, leadMs: 10, tailMs: 20 };
  const speech = (before: number, loud: number, after: number): Int16Array => {
    const samples = new Int16Array(before + loud + after);
    samples.fill(5000, before, before + loud);
    return samples;
  };

  it.each([
    [800, 400, 800],
    [80, 400, 160],
    [800, 400, 40],
    [800, 400, 0],
  ])('leaves 10 ms before and 20 ms after (%i, %i, %i)', (before, loud, after) => {
    const trimmed = trimSilence(speech(before, loud, after), options);
    expect([...trimmed]).toEqual([...speech(80, loud, 160)]);
  });

  it('adds nothing before speech that begins at once', () => {
    expect(trimSilence(speech(0, 400, 800), options)).toHaveLength(400 + 160);
  });

  it('makes a short pause of silence', () => {
    expect(trimSilence(new Int16Array(8000), options).length).toBeLessThanOrEqual(240);
  });
});
