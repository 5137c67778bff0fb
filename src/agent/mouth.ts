/**
 * The agent's mouth: what the model wants said goes to the caller 20 ms a tick, and is told when it was
 * heard or cut. It knows nothing of turns.
 */
import { FRAME_SAMPLES, SAMPLE_RATE_HZ, type Codec, type Frame } from '../media/frame.ts';
import { Playout, type Played } from './playout.ts';
import { SpokenWords } from './spoken-words.ts';
import { Replies, type Reply, type ReplyTimes } from './replies.ts';

/** Captions follow the voice in steps of so many frames: half a second is a word or two. */
const CAPTION_FRAMES = 20;

/** A reply that was played out or cut. Times are ms since the voice was opened. */
export interface Said extends Reply, Played {
  readonly interrupted: boolean;
}

export interface MouthEvents {
  /** To the caller; valid during the call. */
  frame(frame: Frame): void;
  /** A reply sounds from this frame on; its times, for the record. */
  begins(itemId: string): ReplyTimes;
  /** The words that have been said so far of the reply that sounds. */
  saying(words: { itemId: string; text: string }): void;
  /** Told of replies of which something was heard. */
  said(said: Said): void;
}

/** The end of a question in which people begin to answer it, in ms. */
const ASKED_MS = 600;

/** What became of a tick. `starved`: a reply is under way, and its sound is late. */
export type Spoken = 'frame' | 'paused' | 'starved' | 'empty';

export class Mouth {
  readonly #on: MouthEvents;
  readonly #playout: Playout;
  readonly #replies = new Replies();
  readonly #protected = new Set<string>();
  readonly #frame: Frame;
  readonly #words = new SpokenWords();
  #frames = 0;
  #silent = true;

  constructor(options: { codec: Codec; on: MouthEvents }) {
    this.#on = options.on;
    this.#playout = new Playout({
      codec: options.codec,
      finished: (played) => this.#tell(played, this.#replies.finished(played.itemId), false),
    });
    this.#frame = {
      codec: options.codec,
      sampleRateHz: SAMPLE_RATE_HZ,
      payload: new Uint8Array(FRAME_SAMPLES),
      rtpTimestamp: 0,
      marker: true,
      gapMs: 0,
    };
  }

  /** Is any reply under way or waiting? */
  get busy(): boolean {
    return this.#playout.busy;
  }

  /** The reply of which something was said, and not everything. */
  get sounding(): string | null {
    return this.#playout.sounding;
  }

  /** A reply that may not be interrupted is the one that sounds. */
  get protected(): boolean {
    const sounding = this.#playout.sounding;
    return sounding !== null && this.#protected.has(sounding);
  }

  /** A question is nearly said: what the caller says now is the answer to it. */
  get endsAsking(): boolean {
    const { sounding, leftMs } = this.#playout;
    return sounding !== null && leftMs <= ASKED_MS && /\?\s*$/.test(this.#replies.textOf(sounding));
  }

  begin(itemId: string, options: { uninterruptible: boolean }): void {
    if (this.#replies.isCut(itemId)) return;
    if (options.uninterruptible) this.#protected.add(itemId);
    this.#playout.begin(itemId);
  }

  /** Encoded sound of a reply; the bytes are kept. */
  audio(itemId: string, bytes: Uint8Array): void {
    if (!this.#replies.isCut(itemId)) this.#playout.append(itemId, bytes);
  }

  /** A whole reply of the voice's own, before whatever sounds or waits. */
  interject(phrase: { itemId: string; text: string; bytes: Uint8Array }): void {
    this.#replies.text(phrase.itemId, phrase.text);
    this.#playout.interject(phrase.itemId, phrase.bytes);
  }

  text(itemId: string, text: string): void {
    this.#replies.text(itemId, text);
  }

  end(itemId: string): void {
    this.#playout.end(itemId);
  }

  /** No more sound comes of any reply; true when one was not whole. */
  endAll(): boolean {
    return this.#playout.endAll();
  }

  /** The model took a reply back; one that may not be interrupted is said as far as it is here. */
  withdraw(itemId: string): void {
    if (this.#protected.has(itemId)) {
      this.#playout.end(itemId);
      return;
    }
    const played = this.#playout.drop(itemId);
    const reply = this.#replies.cut(itemId);
    if (played && played.heardMs > 0) this.#tell(played, reply, true);
  }

  /** The replies that sound or wait, in order. */
  get waiting(): readonly string[] {
    return this.#playout.itemIds;
  }

  /** Nothing more of these replies is said; how far each got. */
  cut(itemIds: readonly string[]): readonly Played[] {
    const cut: Played[] = [];
    for (const itemId of itemIds) {
      const played = this.#playout.drop(itemId);
      const reply = this.#replies.cut(itemId);
      if (!played) continue;
      cut.push(played);
      if (played.heardMs > 0) this.#tell(played, reply, true);
    }
    return cut;
  }

  /** A reply that has just begun is not wanted: nothing of it is said. */
  refuse(itemId: string): void {
    this.#replies.cut(itemId);
  }

  /** What is here counts as all there is of every reply. */
  giveUp(): void {
    for (const played of this.#playout.flush())
      this.#tell(played, this.#replies.finished(played.itemId), false);
  }

  get ducked(): boolean {
    return this.#playout.ducked;
  }

  /** Softer: somebody may be interrupting. */
  duck(): void {
    this.#playout.duck();
  }

  /** Silent, and the words wait: somebody is probably interrupting. */
  pause(): void {
    this.#playout.pause();
  }

  /** Goes on from where it was. */
  restore(): void {
    this.#playout.restore();
  }

  /** A tick in which nothing may be said. */
  rest(): void {
    this.#frame.rtpTimestamp = (this.#frame.rtpTimestamp + FRAME_SAMPLES) >>> 0;
    this.#silent = true;
  }

  /** Says the next 20 ms. */
  speak(): Spoken {
    this.#frame.rtpTimestamp = (this.#frame.rtpTimestamp + FRAME_SAMPLES) >>> 0;
    const read = this.#playout.read(this.#frame.payload);
    if (read.kind !== 'frame') {
      this.#silent = true;
      return read.kind;
    }
    if (read.begins !== null) this.#replies.started(read.begins, this.#on.begins(read.begins));
    this.#frame.marker = this.#silent;
    this.#silent = false;
    this.#on.frame(this.#frame);
    this.#frames += 1;
    if (this.#frames % CAPTION_FRAMES === 0) this.#caption();
    return 'frame';
  }

  #caption(): void {
    const progress = this.#playout.progress;
    if (progress === null) return;
    const text = this.#words.advance(progress, this.#replies.textOf(progress.itemId));
    if (text !== null) this.#on.saying({ itemId: progress.itemId, text });
  }

  #tell(played: Played, reply: Reply, interrupted: boolean): void {
    this.#protected.delete(played.itemId);
    this.#on.said({ ...reply, ...played, interrupted });
  }
}
