import { describe, expect, it } from 'vitest';
import type { Codec, Source } from '../../../src/media/frame.ts';
import { encode, decode, transcode, G711 } from '../../../src/media/g711.ts';
import { Mixer } from '../../../src/media/mixer.ts';
import { frameOf, testSource } from '../../support/media/parts.ts';
import { SeededRandom } from '../../support/random.ts';

function mixerOf(codec: Codec, ...sources: Source[]): Mixer {
  const mixer = new Mixer(codec);
  for (const source of sources) mixer.addInput(source);
  return mixer;
}

function steady(codec: Codec, sample: number): Uint8Array {
  const bytes = new Uint8Array(160);
  encode(codec, new Int16Array(160).fill(sample), bytes);
  return bytes;
}

function samplesOf(codec: Codec, payload: Uint8Array | null): number[] {
  if (payload === null) throw new Error('silence');
  const samples = new Int16Array(payload.length);
  decode(codec, payload, samples);
  return [...samples];
}

const [A, B, C] = [testSource({ id: 'a' }), testSource({ id: 'b' }), testSource({ id: 'c' })];

describe('one source', () => {
  it('in the same codec passes untouched, byte for byte, whatever the bytes', () => {
    const random = new SeededRandom(7);
    const mixer = mixerOf('pcmu', A);
    for (let round = 0; round < 500; round++) {
      const payload = random.bytes(160);
      mixer.take(frameOf({ payload }), A);
      expect(Buffer.from(mixer.read() ?? [])).toEqual(payload);
    }
  });

  it('passes untouched while others are patched and silent', () => {
    const mixer = mixerOf('pcmu', A, B, C);
    const payload = new SeededRandom(8).bytes(160);
    mixer.take(frameOf({ payload }), B);
    expect(Buffer.from(mixer.read() ?? [])).toEqual(payload);
  });

  it('in the other law is translated by table', () => {
    const mixer = mixerOf('pcma', A);
    const payload = new SeededRandom(9).bytes(160);
    const expected = new Uint8Array(160);
    transcode('pcmu', payload, expected);
    mixer.take(frameOf({ payload, codec: 'pcmu' }), A);
    expect(mixer.read()).toEqual(expected);
  });

  it('is copied: the source may reuse its frame', () => {
    const mixer = mixerOf('pcmu', A);
    const frame = frameOf({ value: 5 });
    mixer.take(frame, A);
    frame.payload.fill(9);
    expect(mixer.read()?.[0]).toBe(5);
  });

  it('that says nothing is silence', () => {
    const mixer = mixerOf('pcmu', A);
    expect(mixer.read()).toBeNull();
    mixer.take(frameOf({ value: 1 }), A);
    expect(mixer.read()?.[0]).toBe(1);
    expect(mixer.read()).toBeNull();
  });

  it('that is paced may be a few frames ahead, and the oldest go', () => {
    const mixer = mixerOf('pcmu', A);
    for (let value = 1; value <= 6; value++) mixer.take(frameOf({ value }), A);
    expect(Array.from({ length: 5 }, () => mixer.read()?.[0] ?? null)).toEqual([3, 4, 5, 6, null]);
  });

  it('that is not paced goes through a jitter buffer', () => {
    const network = testSource({ id: 'n', paced: false });
    const mixer = mixerOf('pcmu', network);
    mixer.take(frameOf({ value: 2, rtpTimestamp: 160 }), network);
    expect(mixer.read()).toBeNull();
    mixer.take(frameOf({ value: 1, rtpTimestamp: 0 }), network);
    expect([mixer.read()?.[0], mixer.read()?.[0]]).toEqual([1, 2]);
  });
});

describe('several sources', () => {
  it.each<[Codec, Codec, Codec]>([
    ['pcmu', 'pcmu', 'pcmu'],
    ['pcma', 'pcmu', 'pcma'],
    ['pcmu', 'pcma', 'pcma'],
    ['pcma', 'pcma', 'pcmu'],
  ])('are summed into %s from %s and %s', (codec, one, other) => {
    const mixer = mixerOf(codec, A, B);
    mixer.take(frameOf({ payload: steady(one, 3000), codec: one }), A);
    mixer.take(frameOf({ payload: steady(other, -1000), codec: other }), B);
    for (const sample of samplesOf(codec, mixer.read())) expect(Math.abs(sample - 2000)).toBeLessThan(150);
  });

  it('that are too loud together saturate, and never turn over', () => {
    for (const sign of [1, -1]) {
      const mixer = mixerOf('pcma', A, B, C);
      for (const source of [A, B, C]) {
        mixer.take(frameOf({ payload: steady('pcma', 30_000 * sign), codec: 'pcma' }), source);
      }
      for (const sample of samplesOf('pcma', mixer.read())) expect(sample * sign).toBeGreaterThan(31_000);
    }
  });

  it('leave nothing behind for the next tick', () => {
    const mixer = mixerOf('pcmu', A, B);
    for (const source of [A, B]) mixer.take(frameOf({ payload: steady('pcmu', 20_000) }), source);
    mixer.read();
    for (const source of [A, B]) mixer.take(frameOf({ payload: steady('pcmu', 0) }), source);
    expect(samplesOf('pcmu', mixer.read()).every((sample) => Math.abs(sample) < 10)).toBe(true);
  });

  it('of silence are silence', () => {
    const mixer = mixerOf('pcma', A, B);
    const silence = new Uint8Array(160).fill(G711.pcma.silence);
    for (const source of [A, B]) mixer.take(frameOf({ payload: silence, codec: 'pcma' }), source);
    expect(samplesOf('pcma', mixer.read()).every((sample) => Math.abs(sample) <= 24)).toBe(true);
  });
});

describe('inputs', () => {
  it('come and go; what waited goes with them', () => {
    const mixer = mixerOf('pcmu', A, B);
    mixer.addInput(A);
    expect(mixer.inputs).toBe(2);
    mixer.take(frameOf({ value: 1 }), A);
    mixer.removeInput(A);
    mixer.removeInput(A);
    expect([mixer.inputs, mixer.read()]).toEqual([1, null]);
  });

  it('refuse strangers and frames that are not 20 ms', () => {
    const mixer = mixerOf('pcmu', A);
    mixer.take(frameOf({ value: 1 }), B);
    for (const length of [0, 80, 161, 320]) mixer.take(frameOf({ payload: new Uint8Array(length) }), A);
    expect([mixer.refused, mixer.read()]).toEqual([5, null]);
  });

  it('go on when the far end changes its codec', () => {
    const mixer = mixerOf('pcmu', A);
    mixer.codec = 'pcma';
    mixer.take(frameOf({ payload: steady('pcmu', 5000) }), A);
    expect(Math.abs((samplesOf('pcma', mixer.read())[0] ?? 0) - 5000)).toBeLessThan(300);
  });
});
