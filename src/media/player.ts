import { random32 } from '../base/ids.ts';
import { emit, FRAME_SAMPLES, SAMPLE_RATE_HZ } from './frame.ts';
import type { Codec, Frame, Port, Sink, Source, Ticked } from './frame.ts';
import { G711 } from './g711.ts';
import { Tone } from './tone.ts';

/** Fills all of `target` with the next sound; false: there is none left, `target` is untouched. */
type Fill = (target: Uint8Array) => boolean;

/** Plays a tone or a recording to whoever is patched. It stands still while nobody listens. */
export class Player implements Port, Source, Ticked {
  readonly id: string;
  readonly paced = true;
  sinks: readonly Sink[] = [];
  readonly #fill: Fill;
  readonly #payload = new Uint8Array(FRAME_SAMPLES);
  readonly #frame: Frame;
  #speaking = false;

  private constructor(id: string, codec: Codec, fill: Fill) {
    this.id = id;
    this.#fill = fill;
    this.#frame = {
      codec,
      sampleRateHz: SAMPLE_RATE_HZ,
      payload: this.#payload,
      rtpTimestamp: random32(),
      marker: false,
      gapMs: 0,
    };
  }

  /** An endless tone; `level` in dB below full scale. */
  static tone(id: string, codec: Codec, sound: { frequencyHz: number; level: number }): Player {
    const tone = new Tone([sound.frequencyHz], sound.level);
    return new Player(id, codec, (target) => {
      tone.fill(codec, target);
      return true;
    });
  }

  /** `sound` in `codec`, once or for ever. */
  static recording(id: string, codec: Codec, sound: Uint8Array, loop: boolean): Player {
    let at = 0;
    return new Player(id, codec, (target) => {
      if (at >= sound.length && loop) at = 0;
      if (at >= sound.length) return false;
      const piece = sound.subarray(at, at + target.length);
      target.set(piece);
      target.fill(G711[codec].silence, piece.length);
      at += target.length;
      return true;
    });
  }

  tick(): void {
    if (this.sinks.length === 0) {
      this.#speaking = false;
      return;
    }
    if (!this.#fill(this.#payload)) return;
    this.#frame.marker = !this.#speaking;
    this.#speaking = true;
    emit(this, this.#frame);
    this.#frame.rtpTimestamp = (this.#frame.rtpTimestamp + FRAME_SAMPLES) >>> 0;
  }

  /** Holds nothing that needs closing. */
  close(): void {
    this.#speaking = false;
  }
}
