/** A server's ear: sound in, utterances out, by real voice activity and real recognition. */
import { CallerSpeech } from '../../../../src/agent/caller-speech.ts';
import type { Ear } from '../../../../src/agent/models/offline/recogniser.ts';
import { FRAME_MS, FRAME_SAMPLES, type Codec } from '../../../../src/media/frame.ts';
import { decode } from '../../../../src/media/g711.ts';
import { Vad } from '../../../../src/media/vad.ts';

/** Voiced sound that makes an utterance: shorter is a cough or a click. */
const confirm_ms = 200;
/** Sound from before that was noticed, which belongs to it. */
const lead_frames = 30;

export interface ListenerOptions {
  readonly ear: Ear;
  readonly codec: Codec;
  readonly endOfSpeechMs: number;
  /** Ms of sound since the beginning. */
  readonly started: (atMs: number) => void;
  readonly stopped: (atMs: number, text: Promise<string>) => void;
}

export class Listener {
  readonly #options: ListenerOptions;
  readonly #vad = new Vad();
  readonly #speech: CallerSpeech;
  readonly #frame = new Uint8Array(FRAME_SAMPLES);
  readonly #samples = new Int16Array(FRAME_SAMPLES);
  #filled = 0;
  #lead: Uint8Array[] = [];
  #listening = false;
  #heardMs = 0;
  #closed = false;

  constructor(options: ListenerOptions) {
    this.#options = options;
    this.#speech = new CallerSpeech({ endOfSpeechMs: options.endOfSpeechMs });
  }

  /** All sound so far, in ms. */
  get heardMs(): number {
    return this.#heardMs;
  }

  expect(expecting: string): void {
    this.#options.ear.expect(expecting);
  }

  /** G.711 of any length. */
  hear(bytes: Uint8Array): void {
    for (let from = 0; from < bytes.length && !this.#closed;) {
      const part = bytes.subarray(from, from + FRAME_SAMPLES - this.#filled);
      this.#frame.set(part, this.#filled);
      this.#filled += part.length;
      from += part.length;
      if (this.#filled < FRAME_SAMPLES) return;
      this.#filled = 0;
      this.#take();
    }
  }

  #take(): void {
    const { ear, codec, started } = this.#options;
    this.#heardMs += FRAME_MS;
    decode(codec, this.#frame, this.#samples);
    const change = this.#speech.frame(this.#vad.isSpeech(this.#samples), confirm_ms);
    if (change === 'started') {
      this.#listening = true;
      ear.start();
      for (const frame of this.#lead) ear.hear(frame);
      started(Math.max(0, this.#heardMs - (this.#lead.length + 1) * FRAME_MS));
      this.#lead = [];
    }
    if (this.#listening) ear.hear(this.#frame);
    else this.#keep();
    if (change === 'stopped') this.finish();
  }

  #keep(): void {
    this.#lead.push(this.#frame.slice());
    if (this.#lead.length > lead_frames) this.#lead.shift();
  }

  /** Whatever was said is whole, now. false: nothing was. */
  finish(): boolean {
    if (!this.#listening) return false;
    this.#listening = false;
    const text = this.#options.ear.end().then((hearing) => hearing.text);
    // Whoever does not wait for the words does not mind that there are none.
    text.catch(() => undefined);
    this.#options.stopped(this.#heardMs, text);
    return true;
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#options.ear.close();
    this.#vad.close();
  }
}
