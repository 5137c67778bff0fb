import { describe, expect, it } from 'vitest';
import { attenuate, decode, encode, fade, G711, transcode } from '../../../src/media/g711.ts';
import type { Codec } from '../../../src/media/frame.ts';

const CODECS: Codec[] = ['pcmu', 'pcma'];

function decoded(codec: Codec, bytes: readonly number[]): number[] {
  const samples = new Int16Array(bytes.length);
  decode(codec, Uint8Array.from(bytes), samples);
  return [...samples];
}

function encoded(codec: Codec, samples: readonly number[]): number[] {
  const bytes = new Uint8Array(samples.length);
  encode(codec, Int16Array.from(samples), bytes);
  return [...bytes];
}

describe('G.711', () => {
  it('expands µ-law as table 2 of the recommendation says (14 bits, here times 4)', () => {
    expect(decoded('pcmu', [0x00, 0x80, 0x0f, 0x8f, 0x10, 0x7f, 0xff, 0xfe, 0x7e])).toEqual([
      -32124, 32124, -16764, 16764, -15996, 0, 0, 8, -8,
    ]);
  });

  it('expands A-law as table 1 says (13 bits, here times 8)', () => {
    expect(decoded('pcma', [0xaa, 0x2a, 0xd5, 0x55, 0xd4, 0x54, 0x80, 0x00, 0xc5])).toEqual([
      32256, -32256, 8, -8, 24, -24, 5504, -5504, 264,
    ]);
  });

  it('compresses the decision values of both laws', () => {
    expect(encoded('pcmu', [0, 32767, -32768, 8, -8, 1000, -1000, 30000])).toEqual([
      0xff, 0x80, 0x00, 0xfe, 0x7e, 0xce, 0x4e, 0x82,
    ]);
    expect(encoded('pcma', [0, 32767, -32768, 8, -8, 1000, -1000, 30000])).toEqual([
      0xd5, 0xaa, 0x2a, 0xd5, 0x55, 0xfa, 0x7a, 0xa8,
    ]);
  });

  it.each(CODECS)('gives every byte of %s back after a round trip', (codec) => {
    const all = Array.from({ length: 256 }, (_, byte) => byte);
    const back = encoded(codec, decoded(codec, all));
    // µ-law has two zeros, and the negative one becomes the positive.
    expect(back).toEqual(all.map((byte) => (codec === 'pcmu' && byte === 0x7f ? 0xff : byte)));
  });

  it.each(CODECS)('stays within half a step for every sample of %s, and never turns order round', (codec) => {
    let last = -40_000;
    for (let sample = -32_768; sample <= 32_767; sample++) {
      const byte = G711[codec].compress[sample & 0xffff] ?? -1;
      const back = G711[codec].expand[byte] ?? Number.NaN;
      const error = Math.abs(back - sample);
      const allowed = Math.max(8, Math.abs(sample) / 16, Math.abs(sample) > 32_000 ? 700 : 0) + 8;
      if (!(error <= allowed)) throw new Error(`${codec} ${sample}: ${back}`);
      if (back < last) throw new Error(`${codec} ${sample}: order`);
      last = back;
    }
    expect(last).toBeGreaterThan(32_000);
  });

  it('calls 0xff and 0xd5 silence', () => {
    expect(G711.pcmu.silence).toBe(0xff);
    expect(G711.pcma.silence).toBe(0xd5);
  });

  it.each(CODECS)('goes over to the other law and back with an error no ear hears: %s', (codec) => {
    const other = codec === 'pcmu' ? 'pcma' : 'pcmu';
    const all = Uint8Array.from({ length: 256 }, (_, byte) => byte);
    const there = new Uint8Array(256);
    const back = new Uint8Array(256);
    transcode(codec, all, there);
    transcode(other, there, back);
    for (let byte = 0; byte < 256; byte++) {
      const before = G711[codec].expand[byte] ?? 0;
      const after = G711[codec].expand[back[byte] ?? 0] ?? 0;
      expect(Math.abs(after - before)).toBeLessThanOrEqual(Math.max(16, Math.abs(before) / 12));
    }
  });

  it.each(CODECS)('makes sound of %s quieter, and silence at level 0', (codec) => {
    const loud = Uint8Array.from(encoded(codec, [20_000, -20_000, 0]));
    const quiet = new Uint8Array(3);
    attenuate(codec, loud, 0.5, quiet);
    const [plus = 0, minus = 0] = decoded(codec, [...quiet]);
    expect(Math.abs(plus - 10_000)).toBeLessThan(400);
    expect(Math.abs(minus + 10_000)).toBeLessThan(400);
    attenuate(codec, loud, 0, quiet);
    expect([...quiet]).toEqual([G711[codec].silence, G711[codec].silence, G711[codec].silence]);
  });

  it.each(CODECS)('leads %s from one loudness to another without a step', (codec) => {
    const steady = Uint8Array.from(encoded(codec, new Array<number>(160).fill(8000)));
    const faded = new Uint8Array(160);
    fade(codec, steady, { from: 1, to: 0 }, faded);
    const samples = decoded(codec, [...faded]);
    expect(samples[0]).toBeGreaterThan(7500);
    expect(Math.abs(samples[159] ?? 1)).toBeLessThanOrEqual(8);
    const steps = samples.slice(1).map((sample, index) => Math.abs(sample - (samples[index] ?? 0)));
    expect(Math.max(...steps)).toBeLessThan(600);
    fade(codec, faded, { from: 1, to: 1 }, faded);
    expect(decoded(codec, [...faded])).toEqual(samples);
  });
});
