/** What an agent hears: one line straight through, several mixed, and when somebody speaks. */
import { afterEach, describe, expect, it } from 'vitest';
import { Ears } from '../../../src/agent/ears.ts';
import type { Codec, Frame, Source } from '../../../src/media/frame.ts';
import { encode, G711 } from '../../../src/media/g711.ts';

const line = (id: string, paced = false): Source => ({ id, paced, sinks: [] });

/** A vowel, near enough for the detector: 120 Hz and its harmonics, waving. */
function vowel(frame: number, codec: Codec): Uint8Array {
  const samples = Int16Array.from({ length: 160 }, (_, index) => {
    const t = (frame * 160 + index) / 8000;
    let sum = 0;
    for (let harmonic = 1; harmonic <= 20; harmonic += 1)
      sum += Math.sin(2 * Math.PI * 120 * harmonic * t) / harmonic;
    return 6000 * sum * (0.6 + 0.4 * Math.sin(8 * Math.PI * t));
  });
  const bytes = new Uint8Array(160);
  encode(codec, samples, bytes);
  return bytes;
}

/** Every sample the same. */
function constant(value: number, codec: Codec): Uint8Array {
  const bytes = new Uint8Array(160);
  encode(codec, new Int16Array(160).fill(value), bytes);
  return bytes;
}

function frameOf(payload: Uint8Array, over: Partial<Frame> = {}): Frame {
  return { codec: 'pcmu', sampleRateHz: 8000, payload, rtpTimestamp: 0, marker: false, gapMs: 0, ...over };
}

let ears: Ears;
afterEach(() => ears.close());

interface Heard {
  readonly frames: { bytes: Uint8Array; gapMs: number }[];
  readonly voiced: boolean[];
}

function listen(codec: Codec, ...sources: Source[]): Heard {
  const heard: Heard = { frames: [], voiced: [] };
  ears = new Ears({
    codec,
    on: {
      frame: (bytes, gapMs) => heard.frames.push({ bytes: bytes.slice(), gapMs }),
      voiced: (voiced) => heard.voiced.push(voiced),
    },
  });
  for (const source of sources) ears.sourceAdded(source);
  return heard;
}

describe('one line', () => {
  const phone = line('phone');

  it('passes untouched and at once, with its gaps', () => {
    const heard = listen('pcmu', phone);
    ears.take(frameOf(vowel(0, 'pcmu')), phone);
    ears.take(frameOf(vowel(1, 'pcmu'), { gapMs: 40 }), phone);
    expect(heard.frames).toEqual([
      { bytes: vowel(0, 'pcmu'), gapMs: 0 },
      { bytes: vowel(1, 'pcmu'), gapMs: 40 },
    ]);
    expect(heard.voiced).toHaveLength(2);
  });

  it.each<[from: Codec, to: Codec]>([
    ['pcmu', 'pcma'],
    ['pcma', 'pcmu'],
  ])('of %s is heard as %s', (from, to) => {
    const heard = listen(to, phone);
    ears.take(frameOf(constant(8000, from), { codec: from }), phone);
    const [first] = heard.frames;
    expect(first?.bytes).toHaveLength(160);
    const loudness = G711[to].expand[first?.bytes[80] ?? 0] ?? 0;
    expect(Math.abs(loudness - 8000)).toBeLessThan(400);
  });

  it.each([0, 80, 159, 161, 240])('with a frame of %i bytes is refused and counted', (length) => {
    const heard = listen('pcmu', phone);
    ears.take(frameOf(new Uint8Array(length)), phone);
    expect(ears.refused).toBe(1);
    expect(heard).toEqual({ frames: [], voiced: [] });
  });

  it('is voiced while somebody speaks, and not in silence', () => {
    const heard = listen('pcmu', phone);
    for (let frame = 0; frame < 25; frame += 1) ears.take(frameOf(vowel(frame, 'pcmu')), phone);
    expect(heard.voiced.slice(5)).not.toContain(false);
    const silence = new Uint8Array(160).fill(G711.pcmu.silence);
    for (let frame = 0; frame < 25; frame += 1) ears.take(frameOf(silence), phone);
    expect(heard.voiced.slice(-15)).not.toContain(true);
  });

  it('that sends nothing more counts as silent after three ticks: two lost packets are no pause', () => {
    const heard = listen('pcmu', phone);
    ears.take(frameOf(vowel(0, 'pcmu')), phone);
    const before = heard.voiced.length;
    for (let tick = 0; tick < 3; tick += 1) ears.tick();
    expect(heard.voiced).toHaveLength(before);
    ears.tick();
    ears.tick();
    expect(heard.voiced.slice(before)).toEqual([false, false]);
    expect(heard.frames).toHaveLength(1);
  });

  it('that goes on in time is never called silent by the clock', () => {
    const heard = listen('pcmu', phone);
    for (let tick = 0; tick < 50; tick += 1) {
      ears.take(frameOf(vowel(tick, 'pcmu')), phone);
      ears.tick();
    }
    expect(heard.voiced).toHaveLength(50);
  });
});

describe('two lines', () => {
  const [one, two] = [line('one', true), line('two', true)];
  const loudnessOf = (bytes: Uint8Array | undefined): number => G711.pcmu.expand[bytes?.[80] ?? 0] ?? 0;

  it('are heard together, one frame a tick', () => {
    const heard = listen('pcmu', one, two);
    ears.take(frameOf(constant(4000, 'pcmu')), one);
    ears.take(frameOf(constant(3000, 'pcma'), { codec: 'pcma' }), two);
    expect(heard.frames).toEqual([]);
    ears.tick();
    expect(heard.frames).toHaveLength(1);
    expect(Math.abs(loudnessOf(heard.frames[0]?.bytes) - 7000)).toBeLessThan(400);
  });

  it('that shout together clip instead of wrapping around', () => {
    const heard = listen('pcmu', one, two);
    for (const source of [one, two]) ears.take(frameOf(constant(30_000, 'pcmu')), source);
    ears.tick();
    expect(loudnessOf(heard.frames[0]?.bytes)).toBeGreaterThan(31_000);
  });

  it('of which one is silent pass the other, and tell how much was missing when both were', () => {
    const heard = listen('pcmu', one, two);
    ears.take(frameOf(constant(4000, 'pcmu')), one);
    ears.tick();
    for (let tick = 0; tick < 3; tick += 1) ears.tick();
    ears.take(frameOf(constant(4000, 'pcmu')), two);
    ears.tick();
    expect(heard.frames).toHaveLength(2);
    expect(heard.frames[1]?.gapMs).toBe(60);
  });

  it('that go on and on have no gaps', () => {
    const heard = listen('pcmu', one, two);
    for (let tick = 0; tick < 10; tick += 1) {
      for (const source of [one, two]) ears.take(frameOf(constant(1000, 'pcmu')), source);
      ears.tick();
    }
    expect(heard.frames.map((frame) => frame.gapMs)).toEqual(Array.from({ length: 10 }, () => 0));
  });

  it('become one again when the other leaves', () => {
    const heard = listen('pcmu', one, two);
    ears.sourceRemoved(two);
    ears.take(frameOf(vowel(3, 'pcmu')), one);
    expect(heard.frames).toEqual([{ bytes: vowel(3, 'pcmu'), gapMs: 0 }]);
  });
});
