import { describe, expect, it } from 'vitest';
import { DELAY_SAMPLES, NoiseFilter } from '../../../../src/agent/models/offline/noise-filter.ts';
import { SeededRandom } from '../../../support/random.ts';

const second = 8000;

/** What a filter makes of it, all of it, in pieces of a length. */
function cleaned(samples: Int16Array, piece = samples.length): Int16Array {
  const filter = new NoiseFilter();
  const out = new Int16Array(samples.length + 400);
  let written = 0;
  for (let at = 0; at < samples.length; at += piece)
    written += filter.clean(samples.subarray(at, at + piece), out.subarray(written));
  written += filter.flush(out.subarray(written));
  filter.close();
  filter.close();
  return out.subarray(0, written);
}

function rms(samples: Int16Array): number {
  return Math.sqrt(samples.reduce((sum, one) => sum + one * one, 0) / samples.length);
}

/** Something like a voice: harmonics of 120 Hz that come and go four times a second. */
function voice(samples: number): Int16Array {
  return Int16Array.from({ length: samples }, (_, at) => {
    const swell = Math.max(0, Math.sin((2 * Math.PI * 4 * at) / second));
    const harmonics = [1, 2, 3, 4, 5, 6, 8, 10, 12].map(
      (nth) => Math.sin((2 * Math.PI * 120 * nth * at) / second) / nth,
    );
    return 5000 * swell * harmonics.reduce((sum, one) => sum + one, 0);
  });
}

function hiss(samples: number, peak: number): Int16Array {
  const random = new SeededRandom(7);
  return Int16Array.from({ length: samples }, () => (random.next() * 2 - 1) * peak);
}

describe('noise filter', () => {
  it('gives all that went in, later by its delay', () => {
    const samples = voice(2 * second);
    const out = cleaned(samples);
    expect(out.length).toBeGreaterThanOrEqual(samples.length + DELAY_SAMPLES);
    expect(out.length % 80).toBe(0);
    const likeness = (lag: number): number => {
      let sum = 0;
      for (let at = second; at < 2 * second; at += 1) sum += (samples[at] ?? 0) * (out[at + lag] ?? 0);
      return sum;
    };
    const lags = Array.from({ length: 200 }, (_, lag) => lag);
    const [best = 0] = lags.toSorted((a, b) => likeness(b) - likeness(a));
    expect(Math.abs(best - DELAY_SAMPLES)).toBeLessThanOrEqual(1);
  });

  it('leaves a voice as loud as it was, within 3 dB', () => {
    const samples = voice(3 * second);
    const ratio = rms(cleaned(samples).subarray(second)) / rms(samples.subarray(second));
    expect(Math.abs(20 * Math.log10(ratio))).toBeLessThan(3);
  });

  it('takes steady noise down to less than half', () => {
    const samples = hiss(3 * second, 3000);
    const ratio = rms(cleaned(samples).subarray(2 * second)) / rms(samples);
    expect(20 * Math.log10(ratio)).toBeLessThan(-6);
  });

  it.each([1, 79, 80, 160, 333])('makes the same of it in pieces of %i samples', (piece) => {
    const samples = hiss(2000, 8000);
    expect(cleaned(samples, piece)).toEqual(cleaned(samples));
  });

  it('gives silence for silence, and nothing but its delay for nothing', () => {
    expect(rms(cleaned(new Int16Array(second)))).toBe(0);
    expect(cleaned(new Int16Array(0))).toEqual(new Int16Array(160));
  });

  it('stays within 16 bits', () => {
    const loudest = Int16Array.from({ length: second }, (_, at) => (at % 40 < 20 ? 32_767 : -32_768));
    const out = cleaned(loudest);
    expect(Math.max(...out)).toBeGreaterThan(10_000);
    // A sample that wrapped round would jump from one end to the other.
    const jumps = out.slice(1).map((one, at) => Math.abs(one / 2 - (out[at] ?? 0) / 2));
    expect(Math.max(...jumps)).toBeLessThan(25_000);
  });

  it('keeps two callers apart', () => {
    const [one, two] = [new NoiseFilter(), new NoiseFilter()];
    const [samples, noise] = [voice(second), hiss(second, 20_000)];
    const alone = cleaned(samples);
    const out = new Int16Array(samples.length + 80);
    const other = new Int16Array(samples.length + 80);
    let written = 0;
    for (let at = 0; at < samples.length; at += 160) {
      written += one.clean(samples.subarray(at, at + 160), out.subarray(written));
      two.clean(noise.subarray(at, at + 160), other);
    }
    expect(out.subarray(0, written)).toEqual(alone.subarray(0, written));
    one.close();
    two.close();
  });
});
