/**
 * The agent's ears: one patched source goes straight in, several are mixed on the tick. What comes out is
 * 20 ms of the call's codec at a time, with the voice activity of each.
 */
import { FRAME_MS, FRAME_SAMPLES, type Codec, type Frame, type Source } from '../media/frame.ts';
import { decode, transcode } from '../media/g711.ts';
import { Mixer } from '../media/mixer.ts';
import { Vad } from '../media/vad.ts';

/** Ticks without a frame after which the caller counts as silent: two lost packets are no pause. */
const MISSING_TICKS_MAX = 3;

export interface EarsEvents {
  /** 160 bytes, valid during the call; `gapMs` of sound was missing before. */
  frame(bytes: Uint8Array, gapMs: number): void;
  /** Told after `frame`, and once per tick while nothing arrives. */
  voiced(voiced: boolean): void;
}

export class Ears {
  /** Frames of another length than 20 ms. */
  refused = 0;
  readonly #codec: Codec;
  readonly #on: EarsEvents;
  readonly #mixer: Mixer;
  readonly #vad = new Vad();
  readonly #samples = new Int16Array(FRAME_SAMPLES);
  readonly #translated = new Uint8Array(FRAME_SAMPLES);
  #missingTicks = 0;

  constructor(options: { codec: Codec; on: EarsEvents }) {
    this.#codec = options.codec;
    this.#on = options.on;
    this.#mixer = new Mixer(options.codec);
  }

  sourceAdded(source: Source): void {
    this.#mixer.addInput(source);
  }

  sourceRemoved(source: Source): void {
    this.#mixer.removeInput(source);
  }

  take(frame: Frame, from: Source): void {
    if (frame.payload.length !== FRAME_SAMPLES) {
      this.refused += 1;
      return;
    }
    if (this.#mixer.inputs > 1) {
      this.#mixer.take(frame, from);
      return;
    }
    let bytes = frame.payload;
    if (frame.codec !== this.#codec) {
      transcode(frame.codec, bytes, this.#translated);
      bytes = this.#translated;
    }
    this.#hear(bytes, frame.gapMs);
  }

  /** Once per 20 ms. */
  tick(): void {
    if (this.#mixer.inputs > 1) {
      const mixed = this.#mixer.read();
      // The tick that heard the last frame counts as one without the next: it is no gap.
      if (mixed) this.#hear(mixed, Math.max(0, this.#missingTicks - 1) * FRAME_MS);
    }
    this.#missingTicks += 1;
    // A phone with silence suppression sends nothing between words; its silence must end the turn too.
    if (this.#missingTicks > MISSING_TICKS_MAX) this.#on.voiced(false);
  }

  #hear(bytes: Uint8Array, gapMs: number): void {
    this.#missingTicks = 0;
    decode(this.#codec, bytes, this.#samples);
    this.#on.frame(bytes, gapMs);
    this.#on.voiced(this.#vad.isSpeech(this.#samples));
  }

  close(): void {
    this.#vad.close();
  }
}
