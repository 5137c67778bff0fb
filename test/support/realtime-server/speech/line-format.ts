/** Between the formats that a client may choose and the telephone's, which the speech parts know. */
import type { Codec } from '../../../../src/media/frame.ts';
import { decode, encode } from '../../../../src/media/g711.ts';
import { resample } from '../../sound/resample.ts';

export interface LineFormat {
  /** What ears and voice work in. */
  readonly codec: Codec;
  /** 0: G.711, which passes as it is. */
  readonly pcmHz: number;
}

/** Whatever is not said is the vendor's default, PCM of 24 kHz. */
export function lineFormat(format: { type?: string; rate?: number } | undefined): LineFormat {
  if (format?.type === 'audio/pcma') return { codec: 'pcma', pcmHz: 0 };
  if (format?.type === 'audio/pcmu') return { codec: 'pcmu', pcmHz: 0 };
  return { codec: 'pcmu', pcmHz: format?.rate ?? 24_000 };
}

/** Sound of the line as G.711; 16-bit PCM is brought to 8 kHz by the mean of the samples it falls between. */
export function fromLine({ codec, pcmHz }: LineFormat, bytes: Uint8Array): Uint8Array {
  if (pcmHz === 0) return bytes;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const factor = pcmHz / 8000;
  const samples = new Int16Array(Math.floor(bytes.length / 2 / factor));
  for (let at = 0; at < samples.length; at += 1) {
    let sum = 0;
    for (let k = 0; k < factor; k += 1) sum += view.getInt16((at * factor + k) * 2, true);
    samples[at] = Math.round(sum / factor);
  }
  const coded = new Uint8Array(samples.length);
  encode(codec, samples, coded);
  return coded;
}

export function toLine({ codec, pcmHz }: LineFormat, bytes: Uint8Array): Uint8Array {
  if (pcmHz === 0) return bytes;
  const samples = new Int16Array(bytes.length);
  decode(codec, bytes, samples);
  const wide = resample(samples, 8000, pcmHz);
  return new Uint8Array(wide.buffer, wide.byteOffset, wide.byteLength);
}
