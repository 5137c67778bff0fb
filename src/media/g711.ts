/** G.711 by table: µ-law and A-law to 16-bit linear and back, and each to the other (ITU-T G.711). */
import type { Codec } from './frame.ts';

const BIAS = 0x84;
const CLIP = 32_635;

function expandUlaw(byte: number): number {
  const code = ~byte & 0xff;
  const magnitude = ((((code & 0x0f) << 3) + BIAS) << ((code & 0x70) >> 4)) - BIAS;
  return (code & 0x80) !== 0 ? -magnitude : magnitude;
}

function compressUlaw(sample: number): number {
  const sign = sample < 0 ? 0x80 : 0;
  const magnitude = Math.min(CLIP, Math.abs(sample)) + BIAS;
  const exponent = 24 - Math.clz32(magnitude);
  const mantissa = (magnitude >> (exponent + 3)) & 0x0f;
  return ~(sign | (exponent << 4) | mantissa) & 0xff;
}

function expandAlaw(byte: number): number {
  const code = byte ^ 0x55;
  const segment = (code & 0x70) >> 4;
  const step = ((code & 0x0f) << 4) + 8;
  const magnitude = segment === 0 ? step : (step + 0x100) << (segment - 1);
  return (code & 0x80) !== 0 ? magnitude : -magnitude;
}

function compressAlaw(sample: number): number {
  const sign = sample < 0 ? 0 : 0x80;
  const magnitude = sample < 0 ? ~sample : sample;
  const exponent = Math.max(0, 24 - Math.clz32(magnitude));
  const mantissa = (magnitude >> (exponent === 0 ? 4 : exponent + 3)) & 0x0f;
  return (sign | (exponent << 4) | mantissa) ^ 0x55;
}

interface Tables {
  /** Byte -> 16-bit linear sample. */
  readonly expand: Int16Array;
  /** Low 16 bits of a linear sample -> byte. */
  readonly compress: Uint8Array;
  /** Byte of this codec -> byte of the other one. */
  readonly toOther: Uint8Array;
  /** The byte that stands for silence. */
  readonly silence: number;
}

function tables(
  expand: (byte: number) => number,
  compress: (sample: number) => number,
  other: (sample: number) => number,
): Tables {
  return {
    expand: Int16Array.from({ length: 256 }, (_, byte) => expand(byte)),
    compress: Uint8Array.from({ length: 65_536 }, (_, word) => compress((word << 16) >> 16)),
    toOther: Uint8Array.from({ length: 256 }, (_, byte) => other(expand(byte))),
    silence: compress(0),
  };
}

export const G711: Readonly<Record<Codec, Tables>> = {
  pcmu: tables(expandUlaw, compressUlaw, compressAlaw),
  pcma: tables(expandAlaw, compressAlaw, compressUlaw),
};

/** Decodes into `samples`, which is at least as long as `bytes`. */
export function decode(codec: Codec, bytes: Uint8Array, samples: Int16Array): void {
  const { expand } = G711[codec];
  for (let i = 0; i < bytes.length; i++) samples[i] = expand[bytes[i] ?? 0] ?? 0;
}

/** Encodes into `bytes`, which is at least as long as `samples`. */
export function encode(codec: Codec, samples: Int16Array, bytes: Uint8Array): void {
  const { compress } = G711[codec];
  for (let i = 0; i < samples.length; i++) bytes[i] = compress[(samples[i] ?? 0) & 0xffff] ?? 0;
}

/** Writes `bytes` of codec `from` into `target` in the other law. */
export function transcode(from: Codec, bytes: Uint8Array, target: Uint8Array): void {
  const { toOther } = G711[from];
  for (let i = 0; i < bytes.length; i++) target[i] = toOther[bytes[i] ?? 0] ?? 0;
}

/** `level` 0 to 1: `bytes` at that loudness, into `target`. */
export function attenuate(codec: Codec, bytes: Uint8Array, level: number, target: Uint8Array): void {
  const { expand, compress } = G711[codec];
  for (let i = 0; i < bytes.length; i++) {
    const sample = Math.round((expand[bytes[i] ?? 0] ?? 0) * level);
    target[i] = compress[sample & 0xffff] ?? 0;
  }
}

/** From one loudness to another over the length of `bytes`: a step would click. Levels are 0 to 1. */
export function fade(
  codec: Codec,
  bytes: Uint8Array,
  { from, to }: { from: number; to: number },
  target: Uint8Array,
): void {
  const { expand, compress } = G711[codec];
  const step = (to - from) / bytes.length;
  for (let i = 0; i < bytes.length; i++) {
    const sample = Math.round((expand[bytes[i] ?? 0] ?? 0) * (from + step * (i + 1)));
    target[i] = compress[sample & 0xffff] ?? 0;
  }
}
