/**
 * Takes the noise of cars, streets and fans out of a caller's sound before it is recognised: RNNoise
 * (https://jmvalin.ca/demo/rnnoise, BSD-3-Clause) compiled to WASM. It knows 48 kHz only, so that sound is
 * brought there and back; all in all 25 ms of CPU per second of sound.
 */
import loadRNNoise from '@echogarden/rnnoise-wasm';

const RATIO = 6;
/** 10 ms: what RNNoise takes at a time, at its rate and at the telephone's. */
const WIDE = 480;
const NARROW = WIDE / RATIO;
/** Taps of the low-pass filter per sample of 8 kHz. */
const TAPS_PER_SAMPLE = 16;
const TAPS = TAPS_PER_SAMPLE * RATIO;
/** The telephone ends at 3400 Hz; images begin at 4600 Hz. */
const CUTOFF_HZ = 3900;
const WIDE_HZ = 48_000;
/** The filters' delay and RNNoise's own look ahead, in samples of 8 kHz: what `flush` still gives. */
export const DELAY_SAMPLES = TAPS_PER_SAMPLE + NARROW;

/** Windowed sinc (Hamming), unity gain at 0 Hz. */
const lowPass = ((): Float32Array => {
  const middle = (TAPS - 1) / 2;
  const taps = Float64Array.from({ length: TAPS }, (_, index) => {
    const x = 2 * (CUTOFF_HZ / WIDE_HZ) * (index - middle);
    const sinc = x === 0 ? 1 : Math.sin(Math.PI * x) / (Math.PI * x);
    return sinc * (0.54 - 0.46 * Math.cos((2 * Math.PI * index) / (TAPS - 1)));
  });
  const sum = taps.reduce((total, tap) => total + tap, 0);
  return Float32Array.from(taps, (tap) => tap / sum);
})();

const silence = new Int16Array(DELAY_SAMPLES + NARROW);
const rnnoise = await loadRNNoise();

export class NoiseFilter {
  readonly #handle = rnnoise._rnnoise_create(0);
  readonly #address = rnnoise._malloc(WIDE * 4);
  /** The last samples of 8 kHz, the frame that is being filled behind them. */
  readonly #narrow = new Float32Array(TAPS_PER_SAMPLE + NARROW);
  /** The last cleaned samples of 48 kHz, a frame of new ones behind them. */
  readonly #wide = new Float32Array(TAPS + WIDE);
  #filled = 0;
  #closed = false;

  /**
   * Cleans 8 kHz sound, any length, into `cleaned`, which has room for 80 samples more than that. 80 samples
   * (10 ms) come out for every 80 that went in, later by `DELAY_SAMPLES`.
   * @returns how many samples came out
   */
  clean(samples: Int16Array, cleaned: Int16Array): number {
    let written = 0;
    for (const sample of samples) {
      this.#narrow[TAPS_PER_SAMPLE + this.#filled] = sample;
      this.#filled += 1;
      if (this.#filled < NARROW) continue;
      this.#frame(cleaned.subarray(written, written + NARROW));
      written += NARROW;
    }
    return written;
  }

  /** The sound has ended: at least all that is still in the filters comes out. `cleaned` has room for 240. */
  flush(cleaned: Int16Array): number {
    const missing = Math.ceil((this.#filled + DELAY_SAMPLES) / NARROW) * NARROW - this.#filled;
    return this.clean(silence.subarray(0, missing), cleaned);
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    rnnoise._rnnoise_destroy(this.#handle);
    rnnoise._free(this.#address);
  }

  #frame(cleaned: Int16Array): void {
    this.#filled = 0;
    // WASM memory may have grown and moved since the last frame: look it up anew.
    const place = this.#address >> 2;
    this.#widen(rnnoise.HEAPF32.subarray(place, place + WIDE));
    rnnoise._rnnoise_process_frame(this.#handle, this.#address, this.#address);
    this.#wide.copyWithin(0, WIDE);
    this.#wide.set(rnnoise.HEAPF32.subarray(place, place + WIDE), TAPS);
    this.#narrowDown(cleaned);
  }

  /** Eight kilohertz to forty-eight: each phase of the filter makes one of six samples. */
  #widen(wide: Float32Array): void {
    for (let index = 0; index < WIDE; index += 1) {
      const newest = TAPS_PER_SAMPLE + Math.floor(index / RATIO);
      let sum = 0;
      for (let tap = 0; tap < TAPS_PER_SAMPLE; tap += 1)
        sum += (lowPass[tap * RATIO + (index % RATIO)] ?? 0) * (this.#narrow[newest - tap] ?? 0);
      wide[index] = sum * RATIO;
    }
    this.#narrow.copyWithin(0, NARROW);
  }

  #narrowDown(cleaned: Int16Array): void {
    for (let index = 0; index < NARROW; index += 1) {
      const newest = TAPS + index * RATIO;
      let sum = 0;
      for (let tap = 0; tap < TAPS; tap += 1) sum += (lowPass[tap] ?? 0) * (this.#wide[newest - tap] ?? 0);
      cleaned[index] = Math.max(-32_768, Math.min(32_767, Math.round(sum)));
    }
  }
}
