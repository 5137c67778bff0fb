/**
 * The agent's mouth: encoded G.711 in a queue, read 20 ms a tick, with every millisecond counted, so that
 * an interruption can say exactly how much of a reply left for the caller.
 */
import { FRAME_SAMPLES, type Codec } from '../media/frame.ts';
import { fade, G711 } from '../media/g711.ts';

/** G.711 at 8 kHz: one byte is an eighth of a millisecond. */
const BYTES_PER_MS = 8;
/** Sound that may wait, in ms; what a model sends beyond is dropped and counted. */
const QUEUE_MS_MAX = 300_000;
/** How much of the agent's voice is left while the caller may be interrupting (-14 dB). */
const DUCK_LEVEL = 0.2;

/** How far a reply got. */
export interface Played {
  readonly itemId: string;
  readonly heardMs: number;
  /** Sound that had arrived of it. */
  readonly totalMs: number;
}

/** How far the reply that sounds has got. */
export interface Progress extends Played {
  /** All of its sound is here. */
  readonly whole: boolean;
}

interface Item {
  readonly itemId: string;
  readonly chunks: Uint8Array[];
  /** Read position in the first chunk. */
  offset: number;
  queuedBytes: number;
  playedBytes: number;
  done: boolean;
}

export type PlayoutRead =
  /** A frame was written; `begins` is the reply whose first sound it holds. */
  | { readonly kind: 'frame'; readonly begins: string | null }
  /** The model owes sound: a reply is under way, but nothing of it is here yet. */
  | { readonly kind: 'starved' }
  /** The words wait. */
  | { readonly kind: 'paused' }
  | { readonly kind: 'empty' };

const STARVED: PlayoutRead = { kind: 'starved' };
const PAUSED: PlayoutRead = { kind: 'paused' };
const EMPTY: PlayoutRead = { kind: 'empty' };
const FRAME: PlayoutRead = { kind: 'frame', begins: null };

export class Playout {
  readonly #codec: Codec;
  readonly #finished: (played: Played) => void;
  #items: Item[] = [];
  #queuedBytes = 0;
  #ducked = false;
  #paused = false;
  /** Loudness at the end of the last frame. */
  #level = 1;
  /** The sound that follows a cut, on its way to silence: a reply that stops within a sample clicks. */
  readonly #tail = new Uint8Array(FRAME_SAMPLES);
  #hasTail = false;
  /** Bytes dropped because the queue was full. */
  droppedBytes = 0;

  /** `finished` is told of every reply that was played out, in order. */
  constructor(options: { codec: Codec; finished: (played: Played) => void }) {
    this.#codec = options.codec;
    this.#finished = options.finished;
  }

  /** Is any reply under way or waiting? */
  get busy(): boolean {
    return this.#items.length > 0;
  }

  /** The reply of which something left already and something is still to come. */
  get sounding(): string | null {
    const item = this.#items[0];
    return item && item.playedBytes > 0 ? item.itemId : null;
  }

  /** How far the reply that sounds has got; null while none does. */
  get progress(): Progress | null {
    const item = this.#items[0];
    return item && item.playedBytes > 0 ? { ...playedOf(item), whole: item.done } : null;
  }

  /** Replies that sound or wait, in order. */
  get itemIds(): readonly string[] {
    return this.#items.map((item) => item.itemId);
  }

  get queuedMs(): number {
    return this.#queuedBytes / BYTES_PER_MS;
  }

  /** Sound until everything is said, in ms; Infinity while more may come. */
  get leftMs(): number {
    return this.#items.every((item) => item.done) ? this.queuedMs : Infinity;
  }

  get ducked(): boolean {
    return this.#ducked;
  }

  #open(itemId: string): Item {
    const known = this.#items.find((item) => item.itemId === itemId);
    if (known) return known;
    const item = { itemId, chunks: [], offset: 0, queuedBytes: 0, playedBytes: 0, done: false };
    this.#items.push(item);
    return item;
  }

  begin(itemId: string): void {
    this.#open(itemId);
  }

  /** Sound of a reply; the bytes are kept, not copied. */
  append(itemId: string, bytes: Uint8Array): void {
    if (bytes.length === 0) return;
    if (this.#queuedBytes + bytes.length > QUEUE_MS_MAX * BYTES_PER_MS) {
      this.droppedBytes += bytes.length;
      return;
    }
    const item = this.#open(itemId);
    item.chunks.push(bytes);
    item.queuedBytes += bytes.length;
    this.#queuedBytes += bytes.length;
  }

  /** A whole reply that sounds before all others. */
  interject(itemId: string, bytes: Uint8Array): void {
    const whole = {
      itemId,
      chunks: [bytes],
      offset: 0,
      queuedBytes: bytes.length,
      playedBytes: 0,
      done: true,
    };
    this.#items.unshift(whole);
    this.#queuedBytes += bytes.length;
  }

  /** No more sound comes for any reply; true when one was not whole. */
  endAll(): boolean {
    const cutShort = this.#items.some((item) => !item.done);
    for (const item of this.#items) item.done = true;
    return cutShort;
  }

  /** No more sound comes for this reply. */
  end(itemId: string): void {
    const item = this.#items.find((one) => one.itemId === itemId);
    if (item) item.done = true;
  }

  /** Writes the next 20 ms into `frame` (160 bytes). Replies that are through are told first. */
  read(frame: Uint8Array): PlayoutRead {
    if (this.#hasTail) {
      this.#hasTail = false;
      frame.set(this.#tail);
      return FRAME;
    }
    this.#retire();
    const item = this.#items[0];
    if (!item) return EMPTY;
    // A reply that sounds fades out within one more frame, which is heard and counts; one that waits stays.
    if (this.#paused && (this.#level === 0 || item.playedBytes === 0)) return PAUSED;
    // Half a frame would click; only the last one of a reply is filled up with silence.
    if (item.queuedBytes < FRAME_SAMPLES && !item.done) return STARVED;
    const begins = item.playedBytes === 0 ? item.itemId : null;
    const written = this.#copy(item, frame);
    if (written < FRAME_SAMPLES) frame.fill(G711[this.#codec].silence, written, FRAME_SAMPLES);
    this.#levelOut(frame);
    return begins === null ? FRAME : { kind: 'frame', begins };
  }

  #levelOut(frame: Uint8Array): void {
    const [from, to] = [this.#level, this.#paused ? 0 : this.#ducked ? DUCK_LEVEL : 1];
    this.#level = to;
    if (from !== 1 || to !== 1) fade(this.#codec, frame, { from, to }, frame);
  }

  #copy(item: Item, frame: Uint8Array): number {
    let written = 0;
    while (written < FRAME_SAMPLES) {
      const chunk = item.chunks[0];
      if (!chunk) break;
      const bytes = Math.min(FRAME_SAMPLES - written, chunk.length - item.offset);
      frame.set(chunk.subarray(item.offset, item.offset + bytes), written);
      written += bytes;
      item.offset += bytes;
      if (item.offset < chunk.length) continue;
      item.chunks.shift();
      item.offset = 0;
    }
    item.queuedBytes -= written;
    item.playedBytes += written;
    this.#queuedBytes -= written;
    return written;
  }

  /** Takes replies that are played out off the front. */
  #retire(): void {
    for (;;) {
      const item = this.#items[0];
      if (!item?.done || item.queuedBytes > 0) return;
      this.#items.shift();
      this.#finished(playedOf(item));
    }
  }

  /**
   * Throws everything away; how far each reply got, the one that was sounding first. One frame that fades
   * out may follow; nobody counts it as heard.
   */
  flush(): Played[] {
    const cut = this.#items.map(playedOf);
    this.#fadeOut(this.#items[0]);
    this.#items = [];
    this.#queuedBytes = 0;
    this.restore();
    return cut;
  }

  #fadeOut(item: Item | undefined): void {
    if (!item || item.playedBytes === 0) return;
    const from = this.#level;
    this.#level = 1;
    if (item.queuedBytes === 0 || from === 0) return;
    const written = this.#copy(item, this.#tail);
    fade(this.#codec, this.#tail, { from, to: 0 }, this.#tail);
    this.#tail.fill(G711[this.#codec].silence, written);
    this.#hasTail = true;
  }

  /** Throws one reply away; null when it is not here (any more). */
  drop(itemId: string): Played | null {
    const item = this.#items.find((one) => one.itemId === itemId);
    if (!item) return null;
    this.#items = this.#items.filter((one) => one !== item);
    const played = playedOf(item);
    this.#fadeOut(item);
    this.#queuedBytes -= item.queuedBytes;
    return played;
  }

  /** Softer with the next frame: somebody may be interrupting. */
  duck(): void {
    this.#ducked = true;
  }

  /** Silent after one more frame that fades out; nothing is lost: `restore` goes on with the next sound. */
  pause(): void {
    this.#paused = true;
  }

  restore(): void {
    this.#ducked = false;
    this.#paused = false;
  }
}

function playedOf(item: Item): Played {
  return {
    itemId: item.itemId,
    heardMs: Math.round(item.playedBytes / BYTES_PER_MS),
    totalMs: Math.round((item.playedBytes + item.queuedBytes) / BYTES_PER_MS),
  };
}
