import { describe, expect, it } from 'vitest';
import { Resampler } from '../../../../src/agent/models/pipeline/resampler.ts';
import { joined, levelDbfs, tone, toneShare } from '../../../support/sound/level.ts';
import { SeededRandom } from '../../../support/random.ts';

const RATES = [11_025, 12_000, 16_000, 22_050, 24_000, 32_000, 44_100, 48_000];

/** In chunks of the given lengths, over and over; the last one is what is left. */
function resampled(
  sound: Int16Array,
  rateHz: number,
  chunkLengths: readonly number[] = [sound.length],
): Int16Array {
  const resampler = new Resampler(rateHz);
  const parts: Int16Array[] = [];
  for (let at = 0, turn = 0; at < sound.length; turn += 1) {
    const length = chunkLengths[turn % chunkLengths.length] ?? 1;
    parts.push(resampler.push(sound.subarray(at, at + length)));
    at += length;
  }
  return joined(...parts, resampler.flush());
}

/** Without the filter's way in and out at both ends. */
const middle = (sound: Int16Array): Int16Array => sound.subarray(400, sound.length - 400);

describe.each(RATES)('from %i Hz to 8000 Hz', (rateHz) => {
  it('keeps the length of the sound, to the sample', () => {
    for (const ms of [20, 333, 1000])
      expect(resampled(tone(440, ms, rateHz), rateHz).length).toBe(
        Math.ceil((tone(440, ms, rateHz).length * 8000) / rateHz),
      );
  });

  it.each([100, 1000, 2500, 3300])('keeps a tone of %i Hz, as loud as it was', (hz) => {
    const sound = middle(resampled(tone(hz, 500, rateHz), rateHz));
    expect(Math.abs(levelDbfs(sound) - levelDbfs(tone(hz, 500)))).toBeLessThan(0.2);
    expect(toneShare(sound.subarray(0, 2400), hz, 8000)).toBeGreaterThan(0.97);
  });

  it('lets nothing above 4 kHz fold back into what is heard', () => {
    for (let hz = 4050; hz < rateHz / 2; hz += 509) {
      const sound = middle(resampled(tone(hz, 400, rateHz), rateHz));
      // The samples are whole numbers: the quietest thing that they can hold is some -90 dB.
      expect(levelDbfs(sound) - levelDbfs(tone(hz, 400, rateHz)), `${hz} Hz`).toBeLessThan(-60);
    }
  });

  it('gives the same samples however the sound is cut', () => {
    const random = new SeededRandom(rateHz);
    const noise = Int16Array.from({ length: rateHz / 5 }, () => Math.round((random.next() - 0.5) * 20_000));
    const whole = resampled(noise, rateHz);
    for (const lengths of [[1], [7], [160, 1, 999], [480], [3, 0, 5]])
      expect(resampled(noise, rateHz, lengths), lengths.join()).toEqual(whole);
  });

  it('does not delay: a click stays where it was', () => {
    const click = new Int16Array(rateHz / 2);
    click[Math.round(rateHz / 4)] = 30_000;
    const sound = resampled(click, rateHz);
    const loudest = sound.reduce(
      (best, sample, at) => (Math.abs(sample) > Math.abs(sound[best] ?? 0) ? at : best),
      0,
    );
    expect(Math.abs(loudest - 2000)).toBeLessThanOrEqual(1);
  });
});

describe('a resampler', () => {
  it('leaves 8 kHz alone', () => {
    const sound = tone(1000, 100);
    expect(resampled(sound, 8000, [33])).toEqual(sound);
  });

  it('begins anew after a flush', () => {
    const resampler = new Resampler(24_000);
    const sound = tone(700, 100, 24_000);
    const first = joined(resampler.push(sound), resampler.flush());
    expect(joined(resampler.push(sound), resampler.flush())).toEqual(first);
    expect(resampler.flush()).toHaveLength(0);
  });

  it('does not wrap around at full scale', () => {
    const square = Int16Array.from({ length: 4800 }, (_, at) => (at % 48 < 24 ? 32_767 : -32_768));
    const sound = resampled(square, 24_000);
    for (let at = 1; at < sound.length; at += 1)
      expect(Math.abs((sound[at] ?? 0) - (sound[at - 1] ?? 0))).toBeLessThan(65_000);
    expect(Math.max(...sound)).toBeGreaterThan(30_000);
  });

  it.each([0, 4000, 7999, 8000.5, 96_001, Number.NaN])('refuses %d Hz', (rateHz) => {
    expect(() => new Resampler(rateHz)).toThrow(RangeError);
  });
});
