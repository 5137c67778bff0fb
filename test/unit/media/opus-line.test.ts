import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { OpusLine } from '../../../src/media/opus-line.ts';
import { openOpusStates } from '../../../src/media/opus.ts';
import { parseRtp, RtpHeader } from '../../../src/media/rtp.ts';
import { Collector, testSource } from '../../support/media/parts.ts';
import { rtpPacket } from '../../support/media/packets.ts';
import { BrowserEncoder } from '../../support/opus.ts';
import { SeededRandom } from '../../support/random.ts';
import { toneLevels } from '../../support/tones.ts';

const TONE_HZ = 1000;
/** 20 ms on the clock of Opus, and on ours. */
const STEP = 960;
const FRAME = 160;

let before: number;
let line: OpusLine;
let browser: BrowserEncoder;
let sink: Collector;
let source: ReturnType<typeof testSource>;

beforeEach(() => {
  before = openOpusStates();
  line = new OpusLine();
  browser = new BrowserEncoder();
  sink = new Collector();
  source = testSource({ paced: false });
  source.sinks = [sink];
});

afterEach(() => {
  browser.free();
  line.free();
  line.free();
  expect(openOpusStates()).toBe(before);
});

interface Sent {
  readonly sequence: number;
  readonly timestamp: number;
  readonly payload?: Uint8Array;
  readonly marker?: boolean;
  readonly nowMs?: number;
}

/** Gives one packet to the line. Without a payload it is the next 20 ms of a tone. */
function receive({ sequence, timestamp, nowMs = timestamp / 48, marker = false, payload }: Sent): boolean {
  const packet = rtpPacket({
    ssrc: 5,
    payloadType: 100,
    marker,
    sequence,
    timestamp,
    payload: payload ?? browser.tone(TONE_HZ),
  });
  const header = new RtpHeader();
  if (!parseRtp(packet, header)) throw new Error('not RTP');
  return line.receive(packet, header, nowMs, source);
}

/** Packets `from` to `to` of an unbroken stream. */
function speak(from: number, to: number): void {
  for (let i = from; i < to; i++) receive({ sequence: i, timestamp: i * STEP });
}

/** When each frame begins, in frames since the first one. */
const times = (): number[] => {
  const first = sink.frames[0]?.rtpTimestamp ?? 0;
  return sink.frames.map((frame) => ((frame.rtpTimestamp - first) >>> 0) / FRAME);
};

const count = (length: number): number[] => Array.from({ length }, (_, i) => i);

function toneIn(from: number, to: number): number {
  const payloads = sink.frames.slice(from, to).map((frame) => frame.payload);
  return toneLevels(payloads, 'pcmu', [TONE_HZ])[0] ?? -Infinity;
}

describe('an unbroken stream', () => {
  it('comes out as 20 ms frames of PCMU on an 8 kHz clock', () => {
    receive({ sequence: 0, timestamp: 0, marker: true });
    speak(1, 50);
    expect(times()).toEqual(count(50));
    for (const { codec, sampleRateHz, payload, gapMs } of sink.frames)
      expect([codec, sampleRateHz, payload.length, gapMs]).toEqual(['pcmu', 8000, FRAME, 0]);
    expect(sink.frames.map(({ marker }) => marker).indexOf(true)).toBe(0);
    expect(sink.frames.filter(({ marker }) => marker)).toHaveLength(1);
    expect(toneIn(10, 50)).toBeGreaterThan(-15);
    expect(line.reception.packets).toBe(50);
  });

  it('goes on where sequence and timestamp wrap around', () => {
    for (let i = 0; i < 60; i++)
      receive({ sequence: 0xffe0 + i, timestamp: (0xffffffff - 30 * STEP + i * STEP) >>> 0, nowMs: i * 20 });
    expect(times()).toEqual(count(60));
    expect(toneIn(20, 60)).toBeGreaterThan(-15);
  });

  it.each([2.5, 10, 40, 60])('is cut to 20 ms when packets hold %f ms', (frameMs) => {
    browser.free();
    browser = new BrowserEncoder({ frameMs });
    for (let i = 0; i < 1200 / frameMs; i++) receive({ sequence: i, timestamp: i * frameMs * 48 });
    expect(times()).toEqual(count(60));
    expect(toneIn(10, 60)).toBeGreaterThan(-15);
  });

  it('takes every packet once, and none that comes late', () => {
    speak(0, 10);
    receive({ sequence: 5, timestamp: 5 * STEP, nowMs: 200 });
    receive({ sequence: 9, timestamp: 9 * STEP, nowMs: 200 });
    speak(10, 12);
    expect(times()).toEqual(count(12));
    expect(line.reception.duplicates).toBe(2);
  });
});

describe('loss', () => {
  it.each([1, 2, 5])('of %i packets is made up in their place', (lost) => {
    speak(0, 20);
    for (let i = 0; i < lost; i++) browser.tone(TONE_HZ);
    speak(20 + lost, 40);
    expect(times()).toEqual(count(40));
    expect(sink.frames.every(({ gapMs }) => gapMs === 0)).toBe(true);
    // What is made up from the past fades: only its beginning must be as loud as the tone.
    expect(toneIn(20, 20 + Math.min(2, lost))).toBeGreaterThan(-30);
    expect(line.reception.lost).toBe(lost);
  });

  it('of more than 120 ms is a gap', () => {
    speak(0, 20);
    speak(28, 40);
    expect(times()).toEqual([...count(20), ...count(12).map((i) => 28 + i)]);
    expect(sink.frames[20]).toMatchObject({ gapMs: 160, marker: true });
  });

  it('of the only packet in a long silence is a gap too', () => {
    speak(0, 20);
    receive({ sequence: 21, timestamp: 60 * STEP });
    expect(times().at(-1)).toBe(60);
    expect(sink.frames).toHaveLength(21);
  });
});

describe('a sender that stops sending in silence (DTX)', () => {
  it('leaves a gap, and its next word comes in its time and whole', () => {
    speak(0, 20);
    receive({ sequence: 20, timestamp: 40 * STEP });
    for (let i = 1; i < 20; i++) receive({ sequence: 20 + i, timestamp: (40 + i) * STEP });
    expect(times()).toEqual([...count(20), ...count(20).map((i) => 40 + i)]);
    expect(sink.frames[20]).toMatchObject({ gapMs: 400, marker: true });
    expect(sink.frames.filter(({ gapMs }) => gapMs > 0)).toHaveLength(1);
    expect(toneIn(22, 40)).toBeGreaterThan(-15);
  });

  it('is quiet in its packets of one or two bytes', () => {
    browser.free();
    browser = new BrowserEncoder({ dtx: true });
    let sequence = 0;
    let tiny = 0;
    for (let i = 0; i < 150; i++) {
      const payload = browser.tone(i < 20 || i >= 120 ? TONE_HZ : 0);
      // libwebrtc sends the first packet of a silence, and keeps the others that hold nothing.
      if (payload.length > 2) tiny = 0;
      else tiny++;
      if (tiny <= 1) receive({ sequence: sequence++, timestamp: i * STEP, payload });
    }
    expect(sequence).toBeLessThan(110);
    expect(times().at(-1)).toBe(149);
    expect(new Set(times()).size).toBe(sink.frames.length);
    const at = times().findIndex((frame) => frame >= 122);
    expect(toneIn(5, 20)).toBeGreaterThan(-15);
    expect(toneIn(30, at - 3)).toBeLessThan(-60);
    expect(toneIn(at, sink.frames.length)).toBeGreaterThan(-15);
  });
});

describe('what is no Opus', () => {
  it('is told, heard as loss, and forgotten', () => {
    speak(0, 20);
    expect(receive({ sequence: 20, timestamp: 20 * STEP, payload: Buffer.of(3, 0) })).toBe(false);
    expect(receive({ sequence: 21, timestamp: 21 * STEP, payload: Buffer.alloc(0) })).toBe(false);
    for (let i = 0; i < 2; i++) browser.tone(TONE_HZ);
    speak(22, 40);
    expect(times()).toEqual(count(40));
    expect(toneIn(22, 40)).toBeGreaterThan(-15);
  });

  it('of any kind breaks nothing', () => {
    const random = new SeededRandom(8);
    for (let i = 0; i < 2000; i++) {
      const bytes = random.bytes(8);
      const payload = random.bytes(1 + random.below(400));
      const far = bytes.readUInt8(0) < 20;
      const sequence = far ? bytes.readUInt16BE(1) : i;
      const timestamp = far ? bytes.readUInt32BE(3) : i * STEP;
      receive({ sequence: sequence & 0xffff, timestamp, payload, nowMs: i * 20 });
    }
    for (const { payload } of sink.frames) expect(payload).toHaveLength(FRAME);
    const heard = sink.frames.length;
    for (let i = 0; i < 40; i++)
      receive({ sequence: (3000 + i) & 0xffff, timestamp: i * STEP, nowMs: 50_000 + i * 20 });
    expect(sink.frames.length).toBeGreaterThanOrEqual(heard + 39);
    expect(toneIn(sink.frames.length - 30, sink.frames.length)).toBeGreaterThan(-15);
  });
});
