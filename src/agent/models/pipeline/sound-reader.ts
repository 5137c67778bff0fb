/**
 * Sound as a speech server streams it, to G.711: a WAV head or raw samples, cut anywhere, at any usual rate.
 */
import type { Codec } from '../../../media/frame.ts';
import { decode, encode } from '../../../media/g711.ts';
import { StageError } from './failure.ts';
import { leading_silence_ms_max } from './limits.ts';
import { Resampler } from './resampler.ts';

const WAVE_PCM = 1;
const WAVE_ALAW = 6;
const WAVE_ULAW = 7;
const WAVE_EXTENSIBLE = 0xfffe;
/** Longest head before the sound of a WAV file: beyond it there is none. */
const HEAD_BYTES_MAX = 64 * 1024;

/** Quieter samples before the first word are silence (-46 dB of full scale). */
const SILENCE_LEVEL = 160;
/** Kept before the first word, in 8 kHz samples: 20 ms. */
const LEAD_SAMPLES = 160;

interface Format {
  readonly encoding: 'linear16' | Codec;
  readonly channels: number;
  readonly rateHz: number;
}

/** Beginnings of what people get when they ask for the wrong response_format. */
const WRONG_BEGINNINGS: readonly [string, string][] = [
  ['ID3', 'MP3'],
  ['\u00ff\u00fb', 'MP3'],
  ['\u00ff\u00f3', 'MP3'],
  ['OggS', 'Ogg'],
  ['fLaC', 'FLAC'],
  ['{"', 'JSON'],
  ['<!', 'HTML'],
];

export class SoundReader {
  readonly #codec: Codec;
  readonly #rawRateHz: number;
  #head: Buffer | null = Buffer.alloc(0);
  #format: Format | null = null;
  #resampler: Resampler | null = null;
  /** Sound that is still to come by the file's own word; Infinity when it does not say. */
  #leftBytes = Infinity;
  /** The beginning of a sample whose end is in the next chunk. */
  #odd: Buffer = Buffer.alloc(0);
  #spoken = false;
  #silentSamples = 0;
  #lead = new Int16Array(0);

  /** `rawRateHz`: of sound without a WAV head, 16-bit little-endian mono. */
  constructor(options: { codec: Codec; rawRateHz: number }) {
    this.#codec = options.codec;
    this.#rawRateHz = options.rawRateHz;
  }

  /** G.711 bytes, perhaps none yet. @throws StageError for sound in a format that nobody asked for */
  push(chunk: Uint8Array): Uint8Array {
    const bytes = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.length);
    if (this.#head === null) return this.#sound(bytes);
    this.#head = Buffer.concat([this.#head, bytes]);
    const start = this.#readHead(this.#head);
    if (start === null) {
      if (this.#head.length > HEAD_BYTES_MAX) throw wrong('a WAV file without sound in it');
      return new Uint8Array(0);
    }
    const rest = this.#head.subarray(start);
    this.#head = null;
    return this.#sound(rest);
  }

  /** What is left when the stream is over. @throws StageError when no sound came */
  end(): Uint8Array {
    if (this.#head !== null && this.#head.length > 0 && this.#format === null)
      throw wrong(`only ${this.#head.length} bytes`);
    return this.#encoded(this.#resampler?.flush() ?? new Int16Array(0));
  }

  /** Where the sound begins; null until the head is whole. */
  #readHead(head: Buffer): number | null {
    if (head.length < 4) return null;
    if (head.toString('latin1', 0, 4) === 'RIFF') return this.#readWave(head);
    const beginning = head.toString('latin1', 0, 4);
    const known = WRONG_BEGINNINGS.find(([start]) => beginning.startsWith(start));
    if (known !== undefined) throw wrong(known[1]);
    this.#setFormat({ encoding: 'linear16', channels: 1, rateHz: this.#rawRateHz });
    return 0;
  }

  #readWave(head: Buffer): number | null {
    if (head.length < 12) return null;
    if (head.toString('latin1', 8, 12) !== 'WAVE') throw wrong('a RIFF file that is no WAV');
    for (let at = 12; at + 8 <= head.length;) {
      const name = head.toString('latin1', at, at + 4);
      const length = head.readUInt32LE(at + 4);
      if (name === 'data') {
        if (this.#format === null) throw wrong('a WAV file without a format');
        // Who streams does not know the length yet, and writes the largest number, or none.
        this.#leftBytes = length === 0 || length >= 0x7fffffff ? Infinity : length;
        return at + 8;
      }
      if (at + 8 + length > head.length) return null;
      if (name === 'fmt ') this.#setFormat(waveFormat(head.subarray(at + 8, at + 8 + length)));
      at += 8 + length + (length % 2);
    }
    return null;
  }

  #setFormat(format: Format): void {
    this.#format = format;
    try {
      this.#resampler = new Resampler(format.rateHz);
    } catch (thrown) {
      throw wrong(`sound at ${format.rateHz} Hz`, thrown);
    }
  }

  #sound(bytes: Buffer): Uint8Array {
    const format = this.#format;
    if (format === null) return new Uint8Array(0);
    const taken = bytes.subarray(0, Math.min(bytes.length, this.#leftBytes));
    this.#leftBytes -= taken.length;
    const whole = this.#odd.length === 0 ? taken : Buffer.concat([this.#odd, taken]);
    const frameBytes = format.channels * (format.encoding === 'linear16' ? 2 : 1);
    const frames = Math.floor(whole.length / frameBytes);
    this.#odd = Buffer.from(whole.subarray(frames * frameBytes));
    const samples = monoOf(whole.subarray(0, frames * frameBytes), format, frames);
    return this.#encoded(this.#resampler?.push(samples) ?? samples);
  }

  #encoded(samples: Int16Array): Uint8Array {
    const kept = this.#spoken ? samples : this.#fromFirstWord(samples);
    const bytes = new Uint8Array(kept.length);
    encode(this.#codec, kept, bytes);
    return bytes;
  }

  /** Nothing while only silence has come: the caller waits for the first word, not for a pause before it. */
  #fromFirstWord(samples: Int16Array): Int16Array {
    let first = 0;
    while (first < samples.length && Math.abs(samples[first] ?? 0) < SILENCE_LEVEL) first += 1;
    const known = new Int16Array(this.#lead.length + samples.length);
    known.set(this.#lead);
    known.set(samples, this.#lead.length);
    this.#silentSamples += first;
    const longSilence = this.#silentSamples > leading_silence_ms_max * 8;
    if (first === samples.length && !longSilence) {
      this.#lead = known.slice(Math.max(0, known.length - LEAD_SAMPLES));
      return new Int16Array(0);
    }
    this.#spoken = true;
    return known.subarray(Math.max(0, this.#lead.length + first - LEAD_SAMPLES));
  }
}

function waveFormat(chunk: Buffer): Format {
  if (chunk.length < 16) throw wrong('a WAV file whose format is cut short');
  const tag = chunk.readUInt16LE(0);
  // The extensible head carries the real tag at the front of its GUID.
  const kind = tag === WAVE_EXTENSIBLE && chunk.length >= 26 ? chunk.readUInt16LE(24) : tag;
  const channels = chunk.readUInt16LE(2);
  const rateHz = chunk.readUInt32LE(4);
  const bits = chunk.readUInt16LE(14);
  if (channels < 1 || channels > 2) throw wrong(`${channels} channels`);
  if (kind === WAVE_ULAW) return { encoding: 'pcmu', channels, rateHz };
  if (kind === WAVE_ALAW) return { encoding: 'pcma', channels, rateHz };
  if (kind !== WAVE_PCM || bits !== 16) throw wrong(`a WAV file of kind ${kind} with ${bits} bits`);
  return { encoding: 'linear16', channels, rateHz };
}

function monoOf(bytes: Buffer, { encoding, channels }: Format, frames: number): Int16Array {
  const samples = new Int16Array(frames * channels);
  if (encoding === 'linear16')
    for (let index = 0; index < samples.length; index += 1) samples[index] = bytes.readInt16LE(2 * index);
  else decode(encoding, bytes, samples);
  if (channels === 1) return samples;
  return Int16Array.from({ length: frames }, (_, frame) =>
    Math.round(((samples[2 * frame] ?? 0) + (samples[2 * frame + 1] ?? 0)) / 2),
  );
}

function wrong(what: string, cause?: unknown): StageError {
  const detail = `the speech server sent ${what}, not WAV or raw 16-bit samples`;
  return new StageError('speech', detail, { retryable: false }, cause === undefined ? {} : { cause });
}
