/** Which tones are in a piece of sound: so that every party of a call can be proved to hear every other. */
import type { Codec } from '../../src/media/frame.ts';
import { decode } from '../../src/media/g711.ts';

const sample_rate_hz = 8000;
/** 200 ms: tones 5 Hz apart are told from each other, and a gap spoils only its own window. */
const window_samples = 1600;
/** Louder than this is heard, quieter than `unheard_db` is not; in dB below a full-scale sine. */
const heard_db = -25;
const unheard_db = -45;

/**
 * How loud each frequency is in the sound, in dB below a full-scale sine (Goertzel). It is the median over
 * windows of 200 ms, so a click at the start or a lost packet changes nothing; shorter sound is one window.
 * -Infinity: not there at all.
 */
export function toneLevels(
  payloads: readonly Uint8Array[],
  codec: Codec,
  frequenciesHz: readonly number[],
): number[] {
  const bytes = Buffer.concat(payloads);
  const samples = new Int16Array(bytes.length);
  decode(codec, bytes, samples);
  return toneLevelsIn(samples, frequenciesHz);
}

/** The same for 16-bit samples at 8 kHz. */
export function toneLevelsIn(samples: Int16Array, frequenciesHz: readonly number[]): number[] {
  return frequenciesHz.map((frequencyHz) => {
    const levels: number[] = [];
    for (let start = 0; start === 0 || start + window_samples <= samples.length; start += window_samples)
      levels.push(toneLevel(samples.subarray(start, start + window_samples), frequencyHz));
    return levels.sort((a, b) => a - b)[Math.floor(levels.length / 2)] ?? -Infinity;
  });
}

/** Which of the tones are heard. @throws Error when one is neither loud enough nor as good as not there */
export function clearTones(levels: readonly number[], frequenciesHz: readonly number[]): number[] {
  const unclear = levels.find((level) => level > unheard_db && level < heard_db);
  if (unclear !== undefined) throw new Error(`neither heard nor unheard: ${unclear} dB`);
  return frequenciesHz.filter((_, index) => (levels[index] ?? -Infinity) >= heard_db);
}

/** Seconds until tones must be as they should: an agent holds its voice back while others begin to speak. */
const listens_max = 15;

/**
 * Listens again and again until what is heard is good, and gives it; at last whatever it is.
 * @throws Error of `clearTones` when it never became clear
 */
export async function settled<T>(listen: () => Promise<T>, isGood: (heard: T) => boolean): Promise<T> {
  for (let listens = 1; ; listens += 1) {
    try {
      const heard = await listen();
      if (isGood(heard) || listens === listens_max) return heard;
    } catch (error) {
      // A tone that has begun in the middle of it, or is turned down for a moment, is neither.
      if (listens === listens_max) throw error;
    }
  }
}

function toneLevel(samples: Int16Array, frequencyHz: number): number {
  const turn = 2 * Math.cos((2 * Math.PI * frequencyHz) / sample_rate_hz);
  let [last, before] = [0, 0];
  samples.forEach((sample, index) => {
    // A Hann window: speech-loud tones a few hundred Hz away leave less than -60 dB here.
    const weight = 1 - Math.cos((2 * Math.PI * index) / samples.length);
    [last, before] = [sample * weight + turn * last - before, last];
  });
  const power = last * last + before * before - turn * last * before;
  const amplitude = (2 * Math.sqrt(Math.max(0, power))) / Math.max(1, samples.length);
  return 20 * Math.log10(amplitude / 32_768);
}
