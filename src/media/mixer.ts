import { at } from '../base/at.ts';
import { FRAME_SAMPLES } from './frame.ts';
import type { Codec, Frame, Source } from './frame.ts';
import { decode, encode, transcode } from './g711.ts';
import { JitterBuffer } from './jitter-buffer.ts';

/** Frames of a paced source that can wait for their tick: it may live in another slot. */
const PACED_FRAMES_MAX = 4;

interface Input {
  /** Codec of the payload that `read` returned last. */
  readonly codec: Codec;
  put(frame: Frame): void;
  read(): Uint8Array | null;
}

/**
 * Many sources, one frame per tick. The inside of every paced sink.
 *
 * Use: `addInput` in the sink's `sourceAdded`, `removeInput` in `sourceRemoved`, `take` in `take`,
 * and `read` once per tick.
 * One source that speaks in the mixer's codec passes untouched; another codec is translated by table;
 * two or more are decoded, summed with saturation and encoded.
 * Unpaced sources get a jitter buffer of their own.
 */
export class Mixer {
  /** Frames refused because they hold other than 20 ms, or come from a source that was not added. */
  refused = 0;
  #codec: Codec;
  readonly #inputs = new Map<Source, Input>();
  readonly #sum = new Int32Array(FRAME_SAMPLES);
  readonly #samples = new Int16Array(FRAME_SAMPLES);
  readonly #mixed = new Uint8Array(FRAME_SAMPLES);

  /** `codec`: of the payloads that `read` gives. */
  constructor(codec: Codec) {
    this.#codec = codec;
  }

  get codec(): Codec {
    return this.#codec;
  }

  /** A re-negotiation may change it at any time. */
  set codec(codec: Codec) {
    this.#codec = codec;
  }

  get inputs(): number {
    return this.#inputs.size;
  }

  addInput(source: Source): void {
    if (this.#inputs.has(source)) return;
    this.#inputs.set(source, source.paced ? new PacedInput() : new JitterBuffer());
  }

  /** What the source had waiting is forgotten. */
  removeInput(source: Source): void {
    this.#inputs.delete(source);
  }

  /** Copies the frame; the source may reuse it. */
  take(frame: Frame, from: Source): void {
    const input = this.#inputs.get(from);
    if (input === undefined || frame.payload.length !== FRAME_SAMPLES) {
      this.refused++;
      return;
    }
    input.put(frame);
  }

  /**
   * 160 bytes in the mixer's codec for this tick, or null when every source is silent.
   * Valid until the next call.
   */
  read(): Uint8Array | null {
    let first: Uint8Array | null = null;
    let firstCodec: Codec = this.#codec;
    let speaking = 0;
    for (const input of this.#inputs.values()) {
      const payload = input.read();
      if (payload === null) continue;
      speaking++;
      if (first === null) {
        first = payload;
        firstCodec = input.codec;
        continue;
      }
      if (speaking === 2) this.#begin(first, firstCodec);
      this.#add(payload, input.codec);
    }
    if (first === null) return null;
    if (speaking > 1) return this.#finish();
    if (firstCodec === this.#codec) return first;
    transcode(firstCodec, first, this.#mixed);
    return this.#mixed;
  }

  #begin(payload: Uint8Array, codec: Codec): void {
    this.#sum.fill(0);
    this.#add(payload, codec);
  }

  #add(payload: Uint8Array, codec: Codec): void {
    decode(codec, payload, this.#samples);
    for (let i = 0; i < FRAME_SAMPLES; i++) {
      this.#sum[i] = (this.#sum[i] ?? 0) + (this.#samples[i] ?? 0);
    }
  }

  #finish(): Uint8Array {
    for (let i = 0; i < FRAME_SAMPLES; i++) {
      this.#samples[i] = Math.max(-32_768, Math.min(32_767, this.#sum[i] ?? 0));
    }
    encode(this.#codec, this.#samples, this.#mixed);
    return this.#mixed;
  }
}

/** A source in step with us: its frames wait for a slot's time, and no longer. */
class PacedInput implements Input {
  codec: Codec = 'pcmu';
  readonly #payloads = Array.from({ length: PACED_FRAMES_MAX }, () => new Uint8Array(FRAME_SAMPLES));
  readonly #codecs: Codec[] = new Array<Codec>(PACED_FRAMES_MAX).fill('pcmu');
  #first = 0;
  #waiting = 0;

  put(frame: Frame): void {
    if (this.#waiting === PACED_FRAMES_MAX) {
      this.#first = (this.#first + 1) % PACED_FRAMES_MAX;
      this.#waiting--;
    }
    const place = (this.#first + this.#waiting) % PACED_FRAMES_MAX;
    at(this.#payloads, place).set(frame.payload);
    this.#codecs[place] = frame.codec;
    this.#waiting++;
  }

  read(): Uint8Array | null {
    if (this.#waiting === 0) return null;
    const payload = at(this.#payloads, this.#first);
    this.codec = at(this.#codecs, this.#first);
    this.#first = (this.#first + 1) % PACED_FRAMES_MAX;
    this.#waiting--;
    return payload;
  }
}
