/**
 * Any rate down to the telephone's 8 kHz (or up to it): a polyphase FIR low-pass that works on a stream,
 * chunk by chunk, and gives the same samples wherever the chunks are cut.
 */
import { SAMPLE_RATE_HZ } from '../../../media/frame.ts';

/** Everything from the new Nyquist frequency on is at least so far down, in dB. */
export const STOPBAND_DB = 70;
/** Share of the narrower Nyquist frequency up to which nothing is lost: 3400 Hz of 4000. */
const PASSBAND = 0.85;

export const rate_hz_min = 8000;
export const rate_hz_max = 96_000;

interface Filter {
  /** Upsampling factor: the number of phases. */
  readonly up: number;
  /** Downsampling factor. */
  readonly down: number;
  /** Per phase, the taps in the order of the samples they meet: oldest first. */
  readonly phases: readonly Float32Array[];
  /** Delay of the filter, in steps of the upsampled rate. */
  readonly delay: number;
}

/** Designing one takes some ms, and there are only a few rates. */
const filters = new Map<number, Filter>();

function filterFrom(rateHz: number): Filter {
  const known = filters.get(rateHz);
  if (known !== undefined) return known;
  const designed = design(rateHz, SAMPLE_RATE_HZ);
  filters.set(rateHz, designed);
  return designed;
}

/** Kaiser's window method (Oppenheim and Schafer, Discrete-Time Signal Processing, §7.5.3). */
function design(fromHz: number, toHz: number): Filter {
  const divisor = greatestCommonDivisor(fromHz, toHz);
  const [up, down] = [toHz / divisor, fromHz / divisor];
  const fullHz = fromHz * up;
  const stopHz = Math.min(fromHz, toHz) / 2;
  const passHz = stopHz * PASSBAND;
  const width = (2 * Math.PI * (stopHz - passHz)) / fullHz;
  const tapsPerPhase = Math.ceil((STOPBAND_DB - 8) / (2.285 * width) / up) + 1;
  const length = tapsPerPhase * up;
  const beta = 0.1102 * (STOPBAND_DB - 8.7);
  const cutoff = (passHz + stopHz) / fullHz;
  const middle = (length - 1) / 2;
  const taps = Float64Array.from({ length }, (_, index) => {
    const x = index - middle;
    const sinc = x === 0 ? 1 : Math.sin(Math.PI * cutoff * x) / (Math.PI * cutoff * x);
    return cutoff * sinc * (bessel(beta * Math.sqrt(1 - (x / middle) ** 2)) / bessel(beta)) * up;
  });
  const phases = Array.from({ length: up }, (_, phase) => {
    const ofPhase = Float32Array.from({ length: tapsPerPhase }, (__, tap) => taps[phase + tap * up] ?? 0);
    // Each phase passes 0 Hz unchanged: no ripple from one sample to the next.
    const gain = ofPhase.reduce((sum, tap) => sum + tap, 0);
    return ofPhase.map((tap) => tap / gain).reverse();
  });
  return { up, down, phases, delay: Math.floor(middle) };
}

function greatestCommonDivisor(a: number, b: number): number {
  return b === 0 ? a : greatestCommonDivisor(b, a % b);
}

/** Modified Bessel function of the first kind, order 0. */
function bessel(x: number): number {
  let [sum, term] = [1, 1];
  for (let k = 1; term > sum * 1e-12; k += 1) {
    term *= (x / (2 * k)) ** 2;
    sum += term;
  }
  return sum;
}

export class Resampler {
  readonly #filter: Filter | null;
  readonly #taps: number;
  /** The last samples before the chunk that comes next: the filter still needs them. */
  #past: Int16Array;
  /** Samples taken so far, without the silence put before them. */
  #taken = 0;
  /** Samples given so far. */
  #given = 0;

  /** @throws RangeError when the rate is outside 8 to 96 kHz */
  constructor(fromHz: number) {
    if (!Number.isInteger(fromHz) || fromHz < rate_hz_min || fromHz > rate_hz_max)
      throw new RangeError(`${fromHz} Hz is not between ${rate_hz_min} and ${rate_hz_max} Hz`);
    this.#filter = fromHz === SAMPLE_RATE_HZ ? null : filterFrom(fromHz);
    this.#taps = this.#filter?.phases[0]?.length ?? 1;
    this.#past = new Int16Array(this.#taps - 1);
  }

  /** 8 kHz samples, as many as the sound so far allows: the rest comes with the next chunk. */
  push(samples: Int16Array): Int16Array {
    if (this.#filter === null) return samples;
    this.#taken += samples.length;
    const { up, down, delay } = this.#filter;
    // Output m needs the input up to (m * down + delay) / up.
    const ready = Math.max(this.#given, Math.floor((this.#taken * up - 1 - delay) / down) + 1);
    return this.#filtered(samples, ready, this.#filter);
  }

  /** What is left when the sound is over; afterwards a new sound may begin. */
  flush(): Int16Array {
    if (this.#filter === null) return new Int16Array(0);
    const { up, down, delay } = this.#filter;
    const whole = Math.ceil((this.#taken * up) / down);
    const missing = Math.ceil(((whole - 1) * down + delay + 1) / up) - this.#taken;
    const silence = new Int16Array(Math.max(0, missing));
    this.#taken += silence.length;
    const rest = this.#filtered(silence, Math.max(this.#given, whole), this.#filter);
    this.#past = new Int16Array(this.#taps - 1);
    this.#taken = 0;
    this.#given = 0;
    return rest;
  }

  #filtered(samples: Int16Array, ready: number, { up, down, delay, phases }: Filter): Int16Array {
    const known = new Int16Array(this.#past.length + samples.length);
    known.set(this.#past);
    known.set(samples, this.#past.length);
    // Index in `known` of input sample 0.
    const origin = known.length - this.#taken;
    const result = new Int16Array(ready - this.#given);
    for (let index = 0; index < result.length; index += 1) {
      const place = (this.#given + index) * down + delay;
      const taps = phases[place % up];
      if (taps === undefined) break;
      const first = Math.floor(place / up) + origin - taps.length + 1;
      let sum = 0;
      for (let tap = 0; tap < taps.length; tap += 1) sum += (taps[tap] ?? 0) * (known[first + tap] ?? 0);
      result[index] = Math.max(-32_768, Math.min(32_767, Math.round(sum)));
    }
    this.#given = ready;
    // The next output was not ready: it begins with a sample that is still to come, or T - 1 before it.
    this.#past = known.slice(known.length - (this.#taps - 1));
    return result;
  }
}
