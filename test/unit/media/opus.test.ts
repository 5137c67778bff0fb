import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { OPUS_SAMPLES_MAX, OpusDecoder, OpusEncoder, openOpusStates } from '../../../src/media/opus.ts';
import { BrowserEncoder } from '../../support/opus.ts';
import { SeededRandom } from '../../support/random.ts';

const FRAME = 160;
const BYTES_MAX = 160;

let encoder: OpusEncoder;
let decoder: OpusDecoder;
let before: number;

beforeEach(() => {
  before = openOpusStates();
  encoder = new OpusEncoder();
  decoder = new OpusDecoder();
});

/** Whatever a test did: all that it made is freed, and freeing twice is once. */
afterEach(() => {
  for (const one of [encoder, decoder, encoder, decoder]) one.free();
  expect(openOpusStates()).toBe(before);
});

function sine(frequencyHz: number, samples: number, start = 0): Int16Array {
  return Int16Array.from({ length: samples }, (_, i) =>
    Math.round(8000 * Math.sin((2 * Math.PI * frequencyHz * (start + i)) / 8000)),
  );
}

function encodeAll(sound: Int16Array): Buffer[] {
  const packets: Buffer[] = [];
  for (let start = 0; start + FRAME <= sound.length; start += FRAME) {
    const packet = Buffer.alloc(BYTES_MAX);
    const bytes = encoder.encode(sound.subarray(start, start + FRAME), packet);
    packets.push(packet.subarray(0, bytes));
  }
  return packets;
}

/** `null` stands for a lost packet. */
function decodeAll(packets: readonly (Buffer | null)[]): Int16Array {
  const heard: number[] = [];
  const samples = new Int16Array(OPUS_SAMPLES_MAX);
  let lost = 0;
  for (const packet of packets) {
    if (packet === null) {
      lost += FRAME;
      continue;
    }
    if (lost > 0) heard.push(...samples.subarray(0, decoder.recover(packet, packet.length, samples, lost)));
    lost = 0;
    heard.push(...samples.subarray(0, decoder.decode(packet, packet.length, samples)));
  }
  return Int16Array.from(heard);
}

/** How far a sine of this frequency stands above all else in the sound, in dB. */
function toneToNoiseDb(sound: Int16Array, frequencyHz: number): number {
  let [re, im, all] = [0, 0, 0];
  sound.forEach((sample, i) => {
    const angle = (2 * Math.PI * frequencyHz * i) / 8000;
    re += sample * Math.cos(angle);
    im += sample * Math.sin(angle);
    all += sample * sample;
  });
  const tone = (2 * (re * re + im * im)) / sound.length;
  return 10 * Math.log10(tone / Math.max(1, all - tone));
}

const levelOf = (sound: Int16Array): number =>
  Math.sqrt(sound.reduce((sum, sample) => sum + sample * sample, 0) / Math.max(1, sound.length));

describe('a round trip', () => {
  it.each([300, 440, 1000, 2000, 3000])('keeps a tone of %i Hz', (frequencyHz) => {
    const heard = decodeAll(encodeAll(sine(frequencyHz, 8000)));
    expect(heard).toHaveLength(8000);
    const settled = heard.subarray(1600, 7200);
    expect(toneToNoiseDb(settled, frequencyHz)).toBeGreaterThan(15);
    expect(levelOf(settled) / levelOf(sine(frequencyHz, 8000))).toBeCloseTo(1, 0);
  });

  it('fits into a frame of G.711, and needs half of it on average', () => {
    const random = new SeededRandom(3);
    const noise = Int16Array.from({ length: 8000 }, () => random.bytes(2).readInt16LE(0) / 2);
    const packets = encodeAll(noise);
    for (const packet of packets) expect(packet.length).toBeLessThanOrEqual(BYTES_MAX);
    expect(packets.reduce((sum, packet) => sum + packet.length, 0) / packets.length).toBeLessThan(85);
  });

  it('keeps silence silent', () => {
    expect(levelOf(decodeAll(encodeAll(new Int16Array(8000))))).toBeLessThan(10);
  });
});

describe('loss', () => {
  it('of one packet is made up from the FEC of the next', () => {
    const packets: (Buffer | null)[] = encodeAll(sine(440, 8000));
    for (const lost of [12, 20, 28, 36]) packets[lost] = null;
    const heard = decodeAll(packets);
    expect(heard).toHaveLength(8000);
    for (const lost of [12, 20, 28, 36]) {
      const made = heard.subarray(lost * FRAME, (lost + 1) * FRAME);
      expect(toneToNoiseDb(made, 440)).toBeGreaterThan(10);
      expect(levelOf(made)).toBeGreaterThan(levelOf(heard) / 2);
    }
  });

  it('of three packets is made up, without a hole', () => {
    const packets: (Buffer | null)[] = encodeAll(sine(440, 8000));
    packets.fill(null, 20, 23);
    const heard = decodeAll(packets);
    expect(heard).toHaveLength(8000);
    for (const lost of [20, 21, 22])
      expect(levelOf(heard.subarray(lost * FRAME, (lost + 1) * FRAME))).toBeGreaterThan(500);
  });

  it('is made up in whole steps of 2.5 ms, and never more than 120 ms', () => {
    const samples = new Int16Array(OPUS_SAMPLES_MAX);
    const [first = Buffer.alloc(0)] = encodeAll(sine(440, FRAME));
    decoder.decode(first, first.length, samples);
    const made = (missing: number): number => decoder.recover(first, first.length, samples, missing);
    expect([-160, 0, 19, 20, 165, 400, 1e6].map(made)).toEqual([0, 0, 0, 20, 160, 400, 960]);
  });
});

describe('a browser’s packets', () => {
  it.each([
    { frameMs: 2.5, channels: 1 },
    { frameMs: 10, channels: 1 },
    { frameMs: 20, channels: 2 },
    { frameMs: 60, channels: 1 },
  ] as const)('of $frameMs ms with $channels channels come out as 8 kHz mono', (format) => {
    const browser = new BrowserEncoder(format);
    const heard = decodeAll(Array.from({ length: 600 / format.frameMs }, () => browser.tone(1000)));
    browser.free();
    expect(heard).toHaveLength(4800);
    expect(toneToNoiseDb(heard.subarray(1600), 1000)).toBeGreaterThan(15);
  });
});

describe('what is no Opus', () => {
  it('gives no sound, and does not hurt the sound that follows', () => {
    const random = new SeededRandom(4);
    const samples = new Int16Array(OPUS_SAMPLES_MAX);
    for (let i = 0; i < 500; i++) {
      const bytes = random.bytes(1 + (i % 300));
      expect(decoder.decode(bytes, bytes.length, samples)).toBeLessThanOrEqual(OPUS_SAMPLES_MAX);
      expect(decoder.recover(bytes, bytes.length, samples, 320)).toBeLessThanOrEqual(320);
    }
    // Code 3 with no frames at all (RFC 6716 §3.2.5).
    expect(decoder.decode(Buffer.of(0x03, 0x00), 2, samples)).toBe(0);
    expect(decoder.decode(Buffer.alloc(0), 0, samples)).toBe(0);
    expect(toneToNoiseDb(decodeAll(encodeAll(sine(440, 8000))).subarray(1600), 440)).toBeGreaterThan(15);
  });
});

describe('freeing', () => {
  it('is counted, and what was freed is silent', () => {
    expect(openOpusStates()).toBe(before + 2);
    const [packet = Buffer.alloc(0)] = encodeAll(sine(440, FRAME));
    const samples = new Int16Array(OPUS_SAMPLES_MAX);
    encoder.free();
    decoder.free();
    expect(openOpusStates()).toBe(before);
    expect(encoder.encode(sine(440, FRAME), Buffer.alloc(BYTES_MAX))).toBe(0);
    expect(decoder.decode(packet, packet.length, samples)).toBe(0);
    expect(decoder.recover(packet, packet.length, samples, FRAME)).toBe(0);
  });
});
