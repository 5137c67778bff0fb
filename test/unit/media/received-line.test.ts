import { describe, expect, it } from 'vitest';
import type { Frame } from '../../../src/media/frame.ts';
import { ReceivedLine } from '../../../src/media/received-line.ts';
import { parseRtp, RtpHeader } from '../../../src/media/rtp.ts';
import { Collector, testSource } from '../../support/media/parts.ts';
import { rtpPacket } from '../../support/media/packets.ts';
import { SeededRandom } from '../../support/random.ts';

class Scene {
  readonly line = new ReceivedLine('pcmu');
  readonly sink = new Collector();
  readonly #source = testSource({ paced: false });
  readonly #header = new RtpHeader();
  nowMs = 1000;
  #value = 0;

  constructor() {
    this.#source.sinks = [this.sink];
  }

  get frames(): Frame[] {
    return this.sink.frames;
  }

  /** One packet of so many samples, each filled with the next byte. */
  hear(
    sequence: number,
    timestamp: number,
    options: { ssrc?: number; samples?: number; marker?: boolean } = {},
  ): void {
    const { ssrc = 1, samples = 160, marker = false } = options;
    const payload = new Uint8Array(samples).fill(this.#value++ % 256);
    const packet = rtpPacket({ sequence, timestamp, ssrc, marker, payload });
    if (!parseRtp(packet, this.#header)) throw new Error('not RTP');
    if (this.line.accept(this.#header)) this.line.deliver(packet, this.#header, this.nowMs, this.#source);
  }

  /** `count` packets in step with time, from these numbers on. */
  talk(count: number, sequence: number, timestamp: number, ssrc = 1): void {
    for (let i = 0; i < count; i++) {
      this.hear(sequence + i, timestamp + i * 160, { ssrc });
      this.nowMs += 20;
    }
  }

  /**
   * Distance of neighbours in samples, without what is declared missing:
   * 160 everywhere when the line is sound.
   */
  get steps(): number[] {
    return this.frames.slice(1).map((frame, i) => {
      const before = this.frames[i]?.rtpTimestamp ?? 0;
      return ((frame.rtpTimestamp - before) >>> 0) - frame.gapMs * 8;
    });
  }
}

describe('a line of 20 ms packets', () => {
  it('is given on without a copy, and without a gap', () => {
    const scene = new Scene();
    scene.talk(50, 65_520, 0xfffffa00);
    expect(scene.frames).toHaveLength(50);
    expect(scene.frames.map((frame) => frame.payload[0])).toEqual(Array.from({ length: 50 }, (_, i) => i));
    expect(new Set(scene.steps)).toEqual(new Set([160]));
    expect(scene.frames.every((frame) => frame.gapMs === 0 && !frame.marker)).toBe(true);
  });

  it('says how much is missing, and marks what follows', () => {
    const scene = new Scene();
    scene.talk(5, 0, 0);
    scene.nowMs += 60;
    scene.talk(5, 8, 8 * 160);
    expect(scene.frames[5]).toMatchObject({ gapMs: 60, marker: true });
    expect(scene.frames[6]).toMatchObject({ gapMs: 0, marker: false });
    expect(scene.line.reception.lost).toBe(3);
    expect(new Set(scene.steps)).toEqual(new Set([160]));
  });

  it('says so too when the far end sends nothing while silent (sequence goes on)', () => {
    const scene = new Scene();
    scene.talk(5, 0, 0);
    scene.nowMs += 2000;
    scene.hear(5, 5 * 160 + 16_000, { marker: true });
    expect(scene.frames[5]).toMatchObject({ gapMs: 2000, marker: true });
    expect(scene.line.reception.lost).toBe(0);
  });

  it('drops duplicates and late ones', () => {
    const scene = new Scene();
    scene.talk(3, 0, 0);
    scene.hear(2, 320);
    scene.talk(1, 4, 4 * 160);
    scene.hear(3, 3 * 160);
    expect(scene.frames).toHaveLength(4);
    expect(scene.line.reception).toMatchObject({ duplicates: 1, late: 1, lost: 0 });
  });

  it('passes over empty packets', () => {
    const scene = new Scene();
    scene.hear(1, 0, { samples: 0 });
    expect(scene.frames).toEqual([]);
  });
});

describe('other packet times', () => {
  it.each([10, 30, 40, 60, 5, 100])(
    '%i ms come out as 20 ms frames, every sample in its place',
    (ptimeMs) => {
      const scene = new Scene();
      const samples = ptimeMs * 8;
      const count = 1200 / ptimeMs;
      for (let i = 0; i < count; i++) {
        scene.hear(i, i * samples, { samples });
        scene.nowMs += ptimeMs;
      }
      expect(scene.frames).toHaveLength(60);
      expect(scene.frames.every((frame) => frame.payload.length === 160)).toBe(true);
      expect(new Set(scene.steps)).toEqual(new Set([160]));
      const heard = Buffer.concat(scene.frames.map((frame) => frame.payload));
      for (let i = 0; i < heard.length; i++) {
        if (heard[i] !== Math.floor(i / samples) % 256) throw new Error(`sample ${i}`);
      }
    },
  );

  it('with a loss fill the frame that was begun, and say what is missing beyond', () => {
    const scene = new Scene();
    scene.hear(0, 0, { samples: 240 });
    scene.nowMs += 60;
    scene.hear(2, 480, { samples: 240 });
    expect(scene.frames.map((frame) => frame.gapMs)).toEqual([0, 0, 20]);
    expect([...(scene.frames[1]?.payload.subarray(80) ?? [])]).toEqual(Array<number>(80).fill(0xff));
    expect(new Set(scene.steps)).toEqual(new Set([160]));
  });
});

describe('a far end that becomes another', () => {
  it('by a new SSRC stays one line', () => {
    const scene = new Scene();
    scene.talk(10, 100, 5000, 1);
    scene.talk(10, 40_000, 0x90000000, 2);
    expect(scene.frames).toHaveLength(20);
    expect(new Set(scene.steps)).toEqual(new Set([160]));
    expect(scene.frames.every((frame) => frame.gapMs === 0)).toBe(true);
    expect(scene.line.ssrcChanges).toBe(1);
    expect(scene.line.ssrc).toBe(2);
  });

  it('after a pause has a gap as long as the wall clock says', () => {
    const scene = new Scene();
    scene.talk(10, 100, 5000, 1);
    scene.nowMs += 500;
    scene.talk(10, 7, 7, 2);
    expect(scene.frames[10]).toMatchObject({ gapMs: 500, marker: true });
    expect(new Set(scene.steps)).toEqual(new Set([160]));
  });

  it.each([
    ['forward', 5000 + 10 * 160 + 900_000],
    ['back', 5000 + 10 * 160 - 900_000],
    ['to zero', 0],
  ])('by a timestamp that jumps %s stays one line', (_where, timestamp) => {
    const scene = new Scene();
    scene.talk(10, 100, 5000);
    scene.talk(10, 110, timestamp);
    expect(scene.frames).toHaveLength(20);
    expect(new Set(scene.steps)).toEqual(new Set([160]));
    expect(scene.frames.every((frame) => frame.gapMs === 0)).toBe(true);
    expect(scene.line.reception.jitter).toBeLessThan(1);
  });

  it('by sequence numbers that jump costs one packet, for proof', () => {
    const scene = new Scene();
    scene.talk(10, 100, 5000);
    scene.talk(10, 30_000, 5000 + 1600);
    expect(scene.frames).toHaveLength(19);
    expect(scene.line.reception.lost).toBe(0);
  });

  it('leaves no part of its last frame in the frames of the next', () => {
    const scene = new Scene();
    scene.hear(0, 0, { samples: 240 });
    scene.talk(3, 500, 9000, 2);
    expect(scene.frames.map((frame) => new Set(frame.payload))).toEqual(
      [[0], [0, 0xff], [1], [2], [3]].map((bytes) => new Set(bytes)),
    );
    expect(new Set(scene.steps)).toEqual(new Set([160]));
  });

  it('in every way at once still gives a line that never steps back', () => {
    for (let seed = 1; seed <= 50; seed++) {
      const random = new SeededRandom(seed);
      const scene = new Scene();
      let [sequence, timestamp, ssrc] = [random.below(65_536), random.below(2 ** 32), 1];
      for (let i = 0; i < 300; i++) {
        if (random.chance(0.03)) ssrc++;
        if (random.chance(0.03)) timestamp = random.below(2 ** 32);
        if (random.chance(0.03)) sequence = random.below(65_536);
        if (random.chance(0.05)) scene.nowMs += random.below(3000);
        scene.hear(sequence, timestamp >>> 0, { ssrc, samples: [80, 160, 240][random.below(3)] ?? 160 });
        sequence++;
        timestamp += 160;
        scene.nowMs += 20;
      }
      expect(scene.frames.length).toBeGreaterThan(100);
      expect(new Set(scene.steps)).toEqual(new Set([160]));
      expect(scene.frames.every((frame) => frame.gapMs >= 0)).toBe(true);
    }
  });
});
