/**
 * What the caller says, from a little before it was noticed to its end; and how it is sent to be written
 * down.
 */
import { FRAME_MS, SAMPLE_RATE_HZ, type Codec } from '../../../media/frame.ts';
import { decode, G711 } from '../../../media/g711.ts';
import { utterance_ms_max } from './limits.ts';

const BYTES_PER_MS = SAMPLE_RATE_HZ / 1000;
/** Sound kept from before speech was noticed, beyond the time it takes to notice it, in ms. */
const LEAD_MS = 300;
/** Longest gap that is filled with silence. */
const GAP_MS_MAX = 200;
/** Silence that is left after the last word: recognisers want some, and the rest only costs time. */
const TAIL_MS = 240;
/** The buffer grows by whole seconds. */
const STEP_BYTES = SAMPLE_RATE_HZ;

export interface Utterance {
  /** 16-bit samples at 8 kHz. */
  readonly samples: Int16Array;
  /** From the first voiced frame to the last, as far as the voice told. */
  readonly spokenMs: number;
}

export class UtteranceRecorder {
  readonly #codec: Codec;
  readonly #endOfSpeechMs: number;
  readonly #leadBytes: number;
  #bytes = new Uint8Array(STEP_BYTES);
  #length = 0;
  #recording = false;
  #heardMs = 0;

  /** `noticeMs`: how long the voice needs to be sure that the caller speaks. */
  constructor(options: { codec: Codec; endOfSpeechMs: number; noticeMs: number }) {
    this.#codec = options.codec;
    this.#endOfSpeechMs = options.endOfSpeechMs;
    this.#leadBytes = (LEAD_MS + options.noticeMs) * BYTES_PER_MS;
  }

  hear(frame: Uint8Array, gapMs: number): void {
    if (this.#recording) this.#heardMs += FRAME_MS;
    if (gapMs > 0) this.#add(Math.min(gapMs, GAP_MS_MAX) * BYTES_PER_MS, null);
    this.#add(frame.length, frame);
    // Before speech only the lead is kept; the buffer is moved once a second, not at every frame.
    if (!this.#recording && this.#length > this.#leadBytes + STEP_BYTES) this.#keepLead();
  }

  start(): void {
    this.#keepLead();
    this.#recording = true;
    this.#heardMs = 0;
  }

  end(): Utterance {
    const surplus = Math.max(0, this.#endOfSpeechMs - TAIL_MS) * BYTES_PER_MS;
    const length = Math.max(0, this.#length - surplus);
    const samples = new Int16Array(length);
    decode(this.#codec, this.#bytes.subarray(0, length), samples);
    this.#recording = false;
    this.#length = 0;
    if (this.#bytes.length > this.#leadBytes + 2 * STEP_BYTES)
      this.#bytes = new Uint8Array(this.#leadBytes + 2 * STEP_BYTES);
    return { samples, spokenMs: Math.max(0, this.#heardMs - this.#endOfSpeechMs) };
  }

  #keepLead(): void {
    if (this.#length <= this.#leadBytes) return;
    this.#bytes.copyWithin(0, this.#length - this.#leadBytes, this.#length);
    this.#length = this.#leadBytes;
  }

  /** null: silence. */
  #add(length: number, sound: Uint8Array | null): void {
    const end = this.#length + length;
    if (end > utterance_ms_max * BYTES_PER_MS) return;
    if (end > this.#bytes.length) {
      const larger = new Uint8Array(end + STEP_BYTES);
      larger.set(this.#bytes.subarray(0, this.#length));
      this.#bytes = larger;
    }
    if (sound === null) this.#bytes.fill(G711[this.#codec].silence, this.#length, end);
    else this.#bytes.set(sound, this.#length);
    this.#length = end;
  }
}

const HEAD_BYTES = 44;

/** A WAV file of 16-bit mono samples at 8 kHz. */
export function wavOf(samples: Int16Array): Uint8Array {
  const file = Buffer.alloc(HEAD_BYTES + 2 * samples.length);
  file.write('RIFF', 0, 'latin1');
  file.writeUInt32LE(file.length - 8, 4);
  file.write('WAVEfmt ', 8, 'latin1');
  file.writeUInt32LE(16, 16);
  file.writeUInt16LE(1, 20);
  file.writeUInt16LE(1, 22);
  file.writeUInt32LE(SAMPLE_RATE_HZ, 24);
  file.writeUInt32LE(SAMPLE_RATE_HZ * 2, 28);
  file.writeUInt16LE(2, 32);
  file.writeUInt16LE(16, 34);
  file.write('data', 36, 'latin1');
  file.writeUInt32LE(2 * samples.length, 40);
  for (let index = 0; index < samples.length; index += 1)
    file.writeInt16LE(samples[index] ?? 0, HEAD_BYTES + 2 * index);
  return file;
}
