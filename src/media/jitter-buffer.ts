import { at } from '../base/at.ts';
import { FRAME_SAMPLES } from './frame.ts';
import type { Codec, Frame } from './frame.ts';
import { attenuate, G711 } from './g711.ts';

/** Frames that can wait: 640 ms. A power of two. */
const CAPACITY = 32;
/** Depth that playing starts from, in frames: 40 ms absorbs a worker's and a thread's scheduling. */
export const DEPTH_MIN = 2;
export const DEPTH_MAX = 12;
/** More than this is never worth the delay: the oldest go. */
export const OVERFLOW_FRAMES = 20;
/** Missing frames that are filled by repeating the last one, each quieter. Then silence. */
export const CONCEAL_FRAMES = 3;
const CONCEAL_LEVELS = [0.8, 0.5, 0.2];
/** A buffer that never fell below its need for so long (5 s) is too deep by a frame. */
const SHRINK_READS = 250;

/**
 * Turns what the network delivers into one frame per tick.
 * Depth follows the network: a late frame deepens it,
 * five smooth seconds make it shallower by a frame. Takes whole 20 ms frames only.
 */
export class JitterBuffer {
  /** Frames that came after their turn, and those thrown away because too many waited. */
  late = 0;
  overflowed = 0;
  concealed = 0;
  /** Codec of the payload that `read` returned last. */
  codec: Codec = 'pcmu';
  readonly #payloads = Array.from({ length: CAPACITY }, () => new Uint8Array(FRAME_SAMPLES));
  readonly #codecs: Codec[] = new Array<Codec>(CAPACITY).fill('pcmu');
  /** Index of the frame that stands in a place; -1: empty. */
  readonly #places = new Float64Array(CAPACITY).fill(-1);
  readonly #last = new Uint8Array(FRAME_SAMPLES);
  readonly #filler = new Uint8Array(FRAME_SAMPLES);
  #started = false;
  #playing = false;
  #timestamp = 0;
  #newest = 0;
  #next = 0;
  /** Frames up to here belong to an earlier line. */
  #floor = 0;
  #missed = 0;
  #depth = DEPTH_MIN;
  #smoothReads = 0;
  #spareMin = CAPACITY;

  /** Frames that playing starts from. */
  get depth(): number {
    return this.#depth;
  }

  /** Frames from the next one to play to the newest. */
  get waiting(): number {
    return this.#started ? Math.max(0, this.#newest - this.#next + 1) : 0;
  }

  /** Copies a frame in. */
  put(frame: Frame): void {
    const index = this.#indexOf(frame.rtpTimestamp);
    // Nothing was played yet: an older frame may still take its place at the front.
    if (!this.#playing && index < this.#next && index > this.#floor) this.#next = index;
    if (index < this.#next) {
      this.late++;
      // Only while playing is lateness a sign of jitter; else the frame belongs to the past talk.
      if (this.#playing) this.#deepen();
      return;
    }
    const place = index & (CAPACITY - 1);
    at(this.#payloads, place).set(frame.payload);
    this.#codecs[place] = frame.codec;
    this.#places[place] = index;
    if (index > this.#newest) this.#newest = index;
    while (this.waiting > OVERFLOW_FRAMES) {
      this.overflowed++;
      this.#next++;
    }
  }

  /** The payload of this tick, or null for silence. Valid until the next `put` or `read`. */
  read(): Uint8Array | null {
    if (!this.#started) return null;
    if (!this.#playing && !this.#begin()) return null;
    this.#shrink();
    const place = this.#next & (CAPACITY - 1);
    if (this.#places[place] === this.#next) return this.#play(place);
    return this.#conceal();
  }

  /** Index of a frame on the buffer's own line; a leap begins the line anew. */
  #indexOf(timestamp: number): number {
    if (!this.#started) return this.#restart(timestamp);
    const step = Math.round(((timestamp - this.#timestamp) | 0) / FRAME_SAMPLES);
    const index = this.#newest + step;
    if (step > CAPACITY || step < -CAPACITY || (this.waiting === 0 && step > CONCEAL_FRAMES)) {
      return this.#restart(timestamp);
    }
    if (step > 0) this.#timestamp = timestamp;
    return index;
  }

  #restart(timestamp: number): number {
    this.#floor = Math.max(this.#newest, this.#next);
    const index = this.#floor + CAPACITY;
    this.#started = true;
    this.#playing = false;
    this.#timestamp = timestamp;
    this.#next = index;
    this.#newest = index - 1;
    return index;
  }

  #begin(): boolean {
    if (this.waiting < this.#depth) return false;
    while (this.#places[this.#next & (CAPACITY - 1)] !== this.#next) this.#next++;
    this.#playing = true;
    this.#missed = 0;
    this.#smoothReads = 0;
    this.#spareMin = CAPACITY;
    return true;
  }

  #play(place: number): Uint8Array {
    const payload = at(this.#payloads, place);
    this.codec = at(this.#codecs, place);
    this.#places[place] = -1;
    this.#next++;
    this.#missed = 0;
    this.#last.set(payload);
    return payload;
  }

  #conceal(): Uint8Array | null {
    const level = CONCEAL_LEVELS[this.#missed];
    this.#missed++;
    if (this.waiting > 0) {
      // Lost on the way: newer ones are here, so its turn passes.
      this.#next++;
    } else if (this.#missed > CONCEAL_FRAMES) {
      // Nothing came: the far end paused, and the next talk starts from a full depth again.
      this.#playing = false;
      this.#floor = this.#next - 1;
      return null;
    }
    if (level === undefined) return null;
    this.concealed++;
    attenuate(this.codec, this.#last, level, this.#filler);
    return this.#filler;
  }

  #deepen(): void {
    this.#depth = Math.min(DEPTH_MAX, this.#depth + 1);
    this.#smoothReads = 0;
    this.#spareMin = CAPACITY;
  }

  /** Frames that waited through all of a long time are delay for nothing. */
  #shrink(): void {
    this.#smoothReads++;
    this.#spareMin = Math.min(this.#spareMin, this.waiting - 1);
    if (this.#smoothReads < SHRINK_READS) return;
    if (this.#spareMin >= 1) {
      this.#depth = Math.max(DEPTH_MIN, this.#depth - 1);
      if (this.#spareMin >= this.#depth) this.#next++;
    }
    this.#smoothReads = 0;
    this.#spareMin = CAPACITY;
  }
}

/** One frame of silence in a codec. */
export function silenceOf(codec: Codec): Uint8Array {
  return new Uint8Array(FRAME_SAMPLES).fill(G711[codec].silence);
}
