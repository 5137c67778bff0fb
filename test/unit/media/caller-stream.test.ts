import { describe, expect, it } from 'vitest';
import { CallerStream } from '../../../src/media/caller-stream.ts';
import type { StreamFormat } from '../../../src/media/caller-stream.ts';
import { frameOf, testSource } from '../../support/media/parts.ts';
import { readRtp } from '../../support/media/packets.ts';
import type { ParsedRtp } from '../../support/media/packets.ts';
import { SeededRandom } from '../../support/random.ts';

const FORMAT: StreamFormat = { payloadType: 0, telephoneEventPayloadType: 101 };
const TIMING = { toneMs: 100, gapMs: 60 };

interface Sent extends ParsedRtp {
  readonly tick: number;
}

class Scene {
  readonly stream = new CallerStream();
  readonly sent: Sent[] = [];
  tick = 0;

  run(ticks: number, format: StreamFormat | null = FORMAT, each?: () => void): void {
    for (let i = 0; i < ticks; i++) {
      each?.();
      const packet = this.stream.next(this.tick, format);
      if (packet !== null) this.sent.push({ ...readRtp(packet), tick: this.tick });
      this.tick++;
    }
  }

  /** Throws when the line is not what a receiver may expect of one sender. */
  checkLine(): void {
    for (const [i, packet] of this.sent.entries()) {
      const before = this.sent[i - 1];
      if (before === undefined) continue;
      if (packet.ssrc !== before.ssrc) throw new Error(`SSRC changed at ${i}`);
      if (packet.sequence !== ((before.sequence + 1) & 0xffff)) throw new Error(`sequence jumped at ${i}`);
    }
    const sound = this.sent.filter((packet) => packet.payloadType !== 101);
    for (const [i, packet] of sound.entries()) {
      const before = sound[i - 1];
      if (before === undefined) continue;
      const step = (packet.timestamp - before.timestamp) >>> 0;
      if (step !== (packet.tick - before.tick) * 160) throw new Error(`timestamp jumped at ${i}: ${step}`);
    }
  }
}

describe('the stream to the caller', () => {
  it('is silence in the caller’s law when nobody speaks', () => {
    const scene = new Scene();
    scene.run(3);
    scene.stream.mixer.codec = 'pcma';
    scene.run(3, { ...FORMAT, payloadType: 8 });
    expect(
      scene.sent.map((packet) => [packet.payloadType, packet.payload[0], packet.payload.length]),
    ).toEqual([
      [0, 0xff, 160],
      [0, 0xff, 160],
      [0, 0xff, 160],
      [8, 0xd5, 160],
      [8, 0xd5, 160],
      [8, 0xd5, 160],
    ]);
    scene.checkLine();
  });

  it('carries what its source says, untouched, on the same tick', () => {
    const scene = new Scene();
    const source = testSource();
    scene.stream.mixer.addInput(source);
    for (let value = 0; value < 20; value++) {
      scene.stream.mixer.take(frameOf({ value }), source);
      scene.run(1);
    }
    expect(scene.sent.map((packet) => packet.payload[0])).toEqual(Array.from({ length: 20 }, (_, i) => i));
    scene.checkLine();
  });

  it('marks its first packet and the first after a pause, and no other', () => {
    const scene = new Scene();
    scene.run(5);
    scene.run(5, null);
    scene.run(5);
    expect(scene.sent.filter((packet) => packet.marker).map((packet) => packet.tick)).toEqual([0, 10]);
  });

  it('does not play what was said while it could not send', () => {
    const scene = new Scene();
    const source = testSource();
    scene.stream.mixer.addInput(source);
    scene.run(10, null, () => scene.stream.mixer.take(frameOf({ value: 1 }), source));
    scene.run(3);
    expect(scene.sent.every((packet) => packet.payload[0] === 0xff)).toBe(true);
  });

  it('goes on in time when the pacer had to skip', () => {
    const scene = new Scene();
    scene.run(5);
    scene.tick += 40;
    scene.run(5);
    scene.checkLine();
  });
});

describe('keys that we press', () => {
  it('replace sound, with a frozen timestamp and growing durations', () => {
    const scene = new Scene();
    scene.run(3);
    scene.stream.press('42', TIMING, true);
    scene.run(30);
    scene.checkLine();
    expect(scene.sent).toHaveLength(33);
    const events = scene.sent.filter((packet) => packet.payloadType === 101);
    expect(events).toHaveLength(14);
    const [first] = events;
    expect(events.slice(0, 7).every((packet) => packet.timestamp === first?.timestamp)).toBe(true);
    expect(first?.timestamp).toBe(((scene.sent[0]?.timestamp ?? 0) + 3 * 160) >>> 0);
    expect(events.filter((packet) => packet.marker)).toHaveLength(2);
    expect(new Set(events.map((packet) => packet.payload[0]))).toEqual(new Set([4, 2]));
  });

  it('sound in band where the far end knows no events', () => {
    const scene = new Scene();
    const format = { payloadType: 0, telephoneEventPayloadType: null };
    scene.stream.press('5', TIMING, false);
    scene.run(10, format);
    scene.checkLine();
    expect(scene.sent.map((packet) => packet.payload.some((byte) => byte !== 0xff))).toEqual([
      ...Array<boolean>(5).fill(true),
      ...Array<boolean>(5).fill(false),
    ]);
  });

  it('wait while nothing may be sent', () => {
    const scene = new Scene();
    scene.stream.press('5', TIMING, true);
    scene.run(20, null);
    scene.run(20);
    expect(scene.sent.filter((packet) => packet.payloadType === 101)).toHaveLength(7);
  });
});

describe('whatever happens', () => {
  it('it stays one line: one SSRC, no sequence jump, timestamps that follow time', () => {
    for (let seed = 1; seed <= 60; seed++) {
      const random = new SeededRandom(seed);
      const scene = new Scene();
      const sources = [
        testSource({ id: 'a' }),
        testSource({ id: 'b', paced: false }),
        testSource({ id: 'c' }),
      ];
      let format: StreamFormat | null = FORMAT;
      for (let round = 0; round < 60; round++) {
        const source = sources[random.below(3)] ?? testSource();
        if (random.chance(0.3)) scene.stream.mixer.addInput(source);
        if (random.chance(0.1)) scene.stream.mixer.removeInput(source);
        if (random.chance(0.1)) scene.stream.press('5', TIMING, random.chance(0.8));
        if (random.chance(0.1)) format = format === null ? FORMAT : null;
        if (random.chance(0.1)) scene.stream.mixer.codec = random.chance(0.5) ? 'pcmu' : 'pcma';
        if (random.chance(0.05)) scene.tick += random.below(100);
        scene.run(random.below(20), format, () => {
          if (random.chance(0.7)) {
            const codec = random.chance(0.5) ? 'pcmu' : 'pcma';
            scene.stream.mixer.take(frameOf({ value: 3, codec, rtpTimestamp: scene.tick * 160 }), source);
          }
        });
      }
      expect(scene.sent.length).toBeGreaterThan(20);
      scene.checkLine();
    }
  });

  it('it counts what it sent', () => {
    const scene = new Scene();
    scene.run(10);
    expect(scene.stream.line).toMatchObject({ packets: 10, bytes: 1600 });
    expect(scene.stream.line.firstSequence).toBe(scene.sent[0]?.sequence);
  });
});
