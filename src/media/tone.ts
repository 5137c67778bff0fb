import { at } from '../base/at.ts';
import { SAMPLE_RATE_HZ } from './frame.ts';
import type { Codec } from './frame.ts';
import { G711 } from './g711.ts';

/** Loudness of a full-scale sine. */
const FULL_SCALE = 32_000;

/** Row and column frequencies of the keys, in Hz (ITU-T Q.23). */
const ROWS_HZ = [697, 770, 852, 941];
const COLUMNS_HZ = [1209, 1336, 1477, 1633];
const KEYPAD = '123A456B789C*0#D';

export function dtmfFrequenciesHz(digit: string): readonly number[] {
  const key = KEYPAD.indexOf(digit);
  return [at(ROWS_HZ, Math.floor(key / 4)), at(COLUMNS_HZ, key % 4)];
}

/** A steady sum of sines, without a click from one frame to the next. */
export class Tone {
  readonly #stepsRad: readonly number[];
  readonly #amplitude: number;
  #sample = 0;

  /** `level`: loudness of the sum, in dB below full scale (0 to -60). */
  constructor(frequenciesHz: readonly number[], level: number) {
    this.#stepsRad = frequenciesHz.map((hz) => (2 * Math.PI * hz) / SAMPLE_RATE_HZ);
    this.#amplitude = (FULL_SCALE * 10 ** (level / 20)) / frequenciesHz.length;
  }

  /** Encodes the next samples into all of `target`. */
  fill(codec: Codec, target: Uint8Array): void {
    const { compress } = G711[codec];
    for (let i = 0; i < target.length; i++) {
      let sum = 0;
      for (const stepRad of this.#stepsRad) sum += Math.sin(stepRad * this.#sample);
      target[i] = compress[Math.round(sum * this.#amplitude) & 0xffff] ?? 0;
      this.#sample = (this.#sample + 1) % SAMPLE_RATE_HZ;
    }
  }
}
