import { describe, expect, it } from 'vitest';
import { decode } from '../../../src/media/g711.ts';
import {
  CONCEAL_FRAMES,
  DEPTH_MAX,
  DEPTH_MIN,
  JitterBuffer,
  OVERFLOW_FRAMES,
} from '../../../src/media/jitter-buffer.ts';
import { frameOf } from '../../support/media/parts.ts';
import { SeededRandom } from '../../support/random.ts';

/** Frame `n` of a line, filled with a byte that tells it. */
function put(buffer: JitterBuffer, n: number, start = 0): void {
  buffer.put(frameOf({ value: n % 100, rtpTimestamp: (start + n * 160) >>> 0 }));
}

/** What the next reads give: the byte of the frame, or null for silence. */
function read(buffer: JitterBuffer, count = 1): (number | null)[] {
  return Array.from({ length: count }, () => buffer.read()?.[0] ?? null);
}

/** A buffer that plays: frames 0 to depth - 1 waited, and frame 0 was read. */
function playing(): JitterBuffer {
  const buffer = new JitterBuffer();
  for (let n = 0; n < DEPTH_MIN; n++) put(buffer, n);
  expect(read(buffer)).toEqual([0]);
  return buffer;
}

describe('an even stream', () => {
  it('is silent until its depth is reached, then flows untouched', () => {
    const buffer = new JitterBuffer();
    expect(read(buffer)).toEqual([null]);
    put(buffer, 0);
    expect(read(buffer)).toEqual([null]);
    put(buffer, 1);
    const heard: (number | null)[] = [];
    for (let n = 2; n < 80; n++) {
      heard.push(...read(buffer));
      put(buffer, n);
    }
    expect(heard).toEqual(Array.from({ length: 78 }, (_, n) => n));
    expect(buffer).toMatchObject({ late: 0, overflowed: 0, concealed: 0, depth: DEPTH_MIN });
  });

  it('flows over the end of the clock', () => {
    const buffer = new JitterBuffer();
    const start = 0xffffffff - 500;
    for (let n = 0; n < 2; n++) put(buffer, n, start);
    const heard: (number | null)[] = [];
    for (let n = 2; n < 20; n++) {
      heard.push(...read(buffer));
      put(buffer, n, start);
    }
    expect(heard).toEqual(Array.from({ length: 18 }, (_, n) => n));
  });
});

describe('disorder', () => {
  it('is put in order', () => {
    const buffer = playing();
    for (const n of [3, 2, 5, 4]) put(buffer, n);
    expect(read(buffer, 5)).toEqual([1, 2, 3, 4, 5]);
  });

  it('is put in order before playing began, too', () => {
    const buffer = new JitterBuffer();
    for (const n of [2, 0, 1]) put(buffer, n);
    expect(read(buffer, 3)).toEqual([0, 1, 2]);
    expect(buffer.late).toBe(0);
  });

  it('that comes after its turn is late, and makes the buffer deeper', () => {
    const buffer = playing();
    read(buffer);
    put(buffer, 3);
    read(buffer);
    put(buffer, 2);
    expect(buffer).toMatchObject({ late: 1, depth: DEPTH_MIN + 1 });
    expect(read(buffer)).toEqual([3]);
  });

  it('never makes it deeper than its limit', () => {
    const buffer = playing();
    for (let n = 2; n < 100; n++) {
      put(buffer, n);
      read(buffer);
      put(buffer, n - 2);
    }
    expect(buffer.depth).toBe(DEPTH_MAX);
  });
});

describe('loss', () => {
  it('is filled with what came before, quieter, and the rest stays in its place', () => {
    const buffer = new JitterBuffer();
    const loud = 0x80;
    buffer.put(frameOf({ value: loud, rtpTimestamp: 0 }));
    buffer.put(frameOf({ value: loud, rtpTimestamp: 160 }));
    buffer.put(frameOf({ value: 7, rtpTimestamp: 4 * 160 }));
    const levels = Array.from({ length: 4 }, () => {
      const payload = buffer.read();
      if (payload === null) return 0;
      const samples = new Int16Array(160);
      decode(buffer.codec, payload, samples);
      return samples[0] ?? 0;
    });
    expect(levels[0]).toBe(32_124);
    expect(levels[1]).toBe(32_124);
    expect((levels[2] ?? 0) / 32_124).toBeCloseTo(0.8, 1);
    expect((levels[3] ?? 0) / 32_124).toBeCloseTo(0.5, 1);
    expect(read(buffer)).toEqual([7]);
    expect(buffer.concealed).toBe(2);
  });

  it('of much is silence after the filling', () => {
    const buffer = playing();
    put(buffer, 8);
    const heard = read(buffer, 8);
    expect(heard.filter((byte) => byte === null)).toHaveLength(6 - CONCEAL_FRAMES);
    expect(heard.at(-1)).toBe(8);
  });

  it('of all ends in silence, and the next talk waits for its depth again', () => {
    const buffer = playing();
    read(buffer);
    expect(read(buffer, CONCEAL_FRAMES).every((byte) => byte !== null)).toBe(true);
    expect(read(buffer, 100).every((byte) => byte === null)).toBe(true);
    put(buffer, 150);
    expect(read(buffer)).toEqual([null]);
    put(buffer, 151);
    expect(read(buffer, 2)).toEqual([50, 51]);
  });
});

describe('too much', () => {
  it('loses the oldest, never the newest', () => {
    const buffer = playing();
    for (let n = 2; n < 90; n++) put(buffer, n);
    expect(buffer.waiting).toBe(OVERFLOW_FRAMES);
    expect(buffer.overflowed).toBe(89 - OVERFLOW_FRAMES);
    expect(read(buffer, OVERFLOW_FRAMES)).toEqual(
      Array.from({ length: OVERFLOW_FRAMES }, (_, i) => 90 - OVERFLOW_FRAMES + i),
    );
  });

  it('of depth is given back after seconds without need', () => {
    const buffer = new JitterBuffer();
    for (let n = 0; n < 8; n++) put(buffer, n);
    for (let n = 8; n < 3000; n++) {
      read(buffer);
      put(buffer, n);
    }
    expect(buffer.waiting).toBeLessThanOrEqual(DEPTH_MIN + 1);
    expect(buffer.concealed).toBe(0);
  });
});

describe('a line that begins anew', () => {
  it.each([1_000_000, 0x80000000, 0xfffff000, 33 * 160])('at another timestamp: %i', (start) => {
    const buffer = playing();
    read(buffer);
    put(buffer, 50, start);
    put(buffer, 51, start);
    const heard = read(buffer, 4);
    expect(heard).toContain(50);
    expect(heard).toContain(51);
  });
});

describe('any network', () => {
  it('gets out every frame at most once, in order, and within the limit of waiting', () => {
    for (let seed = 1; seed <= 40; seed++) {
      const random = new SeededRandom(seed);
      const buffer = new JitterBuffer();
      const arrivals = Array.from({ length: 2000 }, (_, n) => ({
        n,
        at: n + random.next() * random.below(6),
      }));
      arrivals.sort((a, b) => a.at - b.at);
      let last = -1;
      let next = 0;
      for (let tick = 0; tick < 2010; tick++) {
        while ((arrivals[next]?.at ?? Infinity) <= tick) {
          const n = arrivals[next++]?.n ?? 0;
          const payload = Uint8Array.from({ length: 160 }, (_, i) =>
            i === 0 ? n >> 8 : i === 1 ? n & 0xff : 0,
          );
          if (!random.chance(0.05)) buffer.put(frameOf({ payload, rtpTimestamp: n * 160 }));
        }
        const concealed = buffer.concealed;
        const payload = buffer.read();
        expect(buffer.waiting).toBeLessThanOrEqual(OVERFLOW_FRAMES);
        if (payload === null || buffer.concealed !== concealed) continue;
        const n = (payload[0] ?? 0) * 256 + (payload[1] ?? 0);
        if (n <= last) throw new Error(`seed ${seed}: ${n} after ${last}`);
        last = n;
      }
      expect(last).toBeGreaterThan(1900);
    }
  });
});
