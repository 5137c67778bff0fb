import { beforeEach, describe, expect, it } from 'vitest';
import { Playout, type Played } from '../../../src/agent/playout.ts';
import { G711 } from '../../../src/media/g711.ts';

const frame = new Uint8Array(160);
const sound = (bytes: number, value = 0x55): Uint8Array => new Uint8Array(bytes).fill(value);

let told: Played[];
let playout: Playout;

beforeEach(() => {
  told = [];
  playout = new Playout({ codec: 'pcmu', finished: (played) => told.push(played) });
});

/** The largest step from one sample to the next. */
const steps = (levels: number[]): number =>
  Math.max(...levels.slice(1).map((level, index) => Math.abs(level - (levels[index] ?? 0))));

const read = (times: number): string[] => Array.from({ length: times }, () => playout.read(frame).kind);

describe('Playout', () => {
  it('is empty at first', () => {
    expect(playout.busy).toBe(false);
    expect(playout.read(frame)).toEqual({ kind: 'empty' });
  });

  it('gives 20 ms at a time, in order, across chunks of any length', () => {
    playout.append(
      'a',
      Uint8Array.from({ length: 100 }, (_, index) => index),
    );
    playout.append(
      'a',
      Uint8Array.from({ length: 220 }, (_, index) => (100 + index) % 256),
    );
    expect(playout.queuedMs).toBe(40);
    playout.read(frame);
    expect([...frame]).toEqual(Array.from({ length: 160 }, (_, index) => index));
    playout.read(frame);
    expect([...frame]).toEqual(Array.from({ length: 160 }, (_, index) => (160 + index) % 256));
    expect(playout.queuedMs).toBe(0);
  });

  it('names the reply whose first sound a frame holds, once', () => {
    playout.append('a', sound(320));
    expect(playout.read(frame)).toEqual({ kind: 'frame', begins: 'a' });
    expect(playout.read(frame)).toEqual({ kind: 'frame', begins: null });
  });

  it('starves while a reply is open and less than a frame is there', () => {
    playout.begin('a');
    expect(read(1)).toEqual(['starved']);
    playout.append('a', sound(159));
    expect(read(1)).toEqual(['starved']);
    playout.append('a', sound(1));
    expect(read(2)).toEqual(['frame', 'starved']);
  });

  it('fills the last frame of a reply up with silence', () => {
    playout.append('a', sound(200));
    playout.end('a');
    expect(read(2)).toEqual(['frame', 'frame']);
    expect([...frame.subarray(0, 40)]).toEqual([...sound(40)]);
    expect([...frame.subarray(40)]).toEqual([...sound(120, G711.pcmu.silence)]);
    expect(read(1)).toEqual(['empty']);
    expect(told).toEqual([{ itemId: 'a', heardMs: 25, totalMs: 25 }]);
  });

  it('plays replies one after the other and tells each when it is through', () => {
    playout.append('a', sound(160));
    playout.append('b', sound(320));
    playout.end('a');
    playout.end('b');
    expect(read(1)).toEqual(['frame']);
    expect(told).toEqual([]);
    expect(playout.read(frame)).toEqual({ kind: 'frame', begins: 'b' });
    expect(told).toEqual([{ itemId: 'a', heardMs: 20, totalMs: 20 }]);
    expect(read(2)).toEqual(['frame', 'empty']);
    expect(told.map((played) => played.itemId)).toEqual(['a', 'b']);
    expect(playout.busy).toBe(false);
  });

  it('tells a reply without sound as heard for 0 ms', () => {
    playout.begin('a');
    playout.end('a');
    expect(read(1)).toEqual(['empty']);
    expect(told).toEqual([{ itemId: 'a', heardMs: 0, totalMs: 0 }]);
  });

  it.each([0, 1, 2, 7, 50])('knows after %i frames exactly how much was heard', (frames) => {
    playout.append('a', sound(160 * 60));
    read(frames);
    expect(playout.flush()).toEqual([{ itemId: 'a', heardMs: frames * 20, totalMs: 1200 }]);
    expect(playout.busy).toBe(false);
    expect(playout.queuedMs).toBe(0);
    expect(told).toEqual([]);
  });

  it('flushes the replies that wait as well: nothing of them was heard', () => {
    playout.append('a', sound(320));
    playout.append('b', sound(800));
    read(1);
    expect(playout.flush()).toEqual([
      { itemId: 'a', heardMs: 20, totalMs: 40 },
      { itemId: 'b', heardMs: 0, totalMs: 100 },
    ]);
    expect(read(2)).toEqual(['frame', 'empty']);
  });

  it('drops one reply and keeps the others', () => {
    playout.append('a', sound(320));
    playout.append('b', sound(160));
    read(1);
    expect(playout.drop('a')).toEqual({ itemId: 'a', heardMs: 20, totalMs: 40 });
    expect(playout.drop('a')).toBeNull();
    expect(playout.queuedMs).toBe(20);
    expect(playout.read(frame)).toEqual({ kind: 'frame', begins: null });
    expect(playout.read(frame)).toEqual({ kind: 'frame', begins: 'b' });
  });

  it.each(['pcmu', 'pcma'] as const)('ducks and restores %s over one frame each', (codec) => {
    const ducking = new Playout({ codec, finished: () => undefined });
    const loud = G711[codec].compress[8000] ?? 0;
    const full = G711[codec].expand[loud] ?? 0;
    const levels = (): number[] => {
      ducking.read(frame);
      return [...frame].map((byte) => (G711[codec].expand[byte] ?? 0) / full);
    };
    ducking.append('a', sound(800, loud));
    ducking.duck();
    const down = levels();
    expect(steps(down)).toBeLessThan(0.07);
    expect([down[0], down[80], down[159]].map((level) => level?.toFixed(1))).toEqual(['1.0', '0.6', '0.2']);
    expect(new Set(levels()).size).toBe(1);
    expect(ducking.ducked).toBe(true);
    ducking.restore();
    const up = levels();
    expect(steps(up)).toBeLessThan(0.07);
    expect(up[159]).toBe(1);
    expect(levels()).toEqual(new Array(160).fill(1));
  });

  it.each([
    ['at full level', false, 1],
    ['ducked', true, 0.2],
  ])('fades a reply out that is cut %s, and begins the next one at full level', (_how, ducked, from) => {
    const loud = G711.pcmu.compress[8000] ?? 0;
    const levels = (): number[] => [...frame].map((byte) => (G711.pcmu.expand[byte] ?? 0) / 7932);
    playout.append('a', sound(160 * 3 + 100, loud));
    if (ducked) playout.duck();
    read(2);
    playout.flush();
    playout.append('b', sound(160, loud));
    expect(playout.read(frame)).toEqual({ kind: 'frame', begins: null });
    expect(levels()[0]).toBeCloseTo(from, 1);
    expect(levels()[159]).toBeCloseTo(0, 2);
    expect(steps(levels())).toBeLessThan(0.07);
    expect(playout.read(frame)).toEqual({ kind: 'frame', begins: 'b' });
    expect([...frame]).toEqual([...sound(160, loud)]);
  });

  it('counts sound that fades out as neither heard nor waiting', () => {
    playout.append('a', sound(160 + 100));
    playout.append('b', sound(160));
    read(1);
    expect(playout.drop('a')).toEqual({ itemId: 'a', heardMs: 20, totalMs: 33 });
    expect(playout.queuedMs).toBe(20);
    expect(read(1)).toEqual(['frame']);
    expect([...frame.subarray(100)]).toEqual([...sound(60, G711.pcmu.silence)]);
    expect(playout.queuedMs).toBe(20);
  });

  it('does not write to the bytes it was given', () => {
    const bytes = sound(160);
    playout.append('a', bytes);
    playout.duck();
    read(1);
    expect([...bytes]).toEqual([...sound(160)]);
  });

  it('takes five minutes and drops the rest, counted', () => {
    playout.append('a', sound(300_000 * 8));
    playout.append('a', sound(160));
    expect(playout.droppedBytes).toBe(160);
    expect(playout.queuedMs).toBe(300_000);
  });

  it('ignores the end of a reply it does not know', () => {
    playout.end('x');
    expect(playout.busy).toBe(false);
  });
});

describe('a paused playout', () => {
  const frames = (playout: Playout, count: number): string[] =>
    Array.from({ length: count }, () => playout.read(new Uint8Array(160)).kind);

  function playing(ms = 100): { playout: Playout; finished: Played[] } {
    const finished: Played[] = [];
    const playout = new Playout({ codec: 'pcmu', finished: (played) => finished.push(played) });
    playout.append('a', new Uint8Array(ms * 8).fill(0x10));
    playout.end('a');
    return { playout, finished };
  }

  it('fades out within one frame, which counts, and goes on with the next sound', () => {
    const { playout, finished } = playing();
    expect(frames(playout, 1)).toEqual(['frame']);
    playout.pause();
    const fading = new Uint8Array(160);
    expect(playout.read(fading)).toEqual({ kind: 'frame', begins: null });
    expect(fading[0]).toBe(0x10);
    expect(fading[159]).not.toBe(0x10);
    expect(frames(playout, 2)).toEqual(['paused', 'paused']);
    expect(playout.queuedMs).toBe(60);
    playout.restore();
    const rising = new Uint8Array(160);
    playout.read(rising);
    expect(rising[0]).not.toBe(0x10);
    expect(rising[159]).toBe(0x10);
    expect(frames(playout, 3)).toEqual(['frame', 'frame', 'empty']);
    expect(finished).toEqual([{ itemId: 'a', heardMs: 100, totalMs: 100 }]);
  });

  it('is flushed without a tail: it is silent already', () => {
    const { playout } = playing();
    frames(playout, 1);
    playout.pause();
    frames(playout, 2);
    expect(playout.flush()).toEqual([{ itemId: 'a', heardMs: 40, totalMs: 100 }]);
    expect(frames(playout, 1)).toEqual(['empty']);
    playout.append('b', new Uint8Array(160).fill(0x10));
    const loud = new Uint8Array(160);
    playout.read(loud);
    expect(loud[0]).toBe(0x10);
  });

  it('keeps one that waits from beginning', () => {
    const { playout } = playing();
    playout.pause();
    expect(frames(playout, 2)).toEqual(['paused', 'paused']);
    expect(playout.sounding).toBeNull();
    playout.restore();
    frames(playout, 1);
    expect(playout.sounding).toBe('a');
  });

  it('says an interjection before everything else, even in the middle of a reply', () => {
    const { playout, finished } = playing();
    frames(playout, 2);
    playout.interject('now', new Uint8Array(160).fill(0x30));
    expect(playout.itemIds).toEqual(['now', 'a']);
    const first = new Uint8Array(160);
    expect(playout.read(first)).toEqual({ kind: 'frame', begins: 'now' });
    expect(first[0]).toBe(0x30);
    expect(frames(playout, 4)).toEqual(['frame', 'frame', 'frame', 'empty']);
    expect(finished.map((played) => played.itemId)).toEqual(['now', 'a']);
  });

  it('can be told that nothing more comes, and tells whether something was missing', () => {
    const { playout } = playing(20);
    expect(playout.endAll()).toBe(false);
    playout.append('b', new Uint8Array(160).fill(0x10));
    expect(playout.endAll()).toBe(true);
    expect(frames(playout, 3)).toEqual(['frame', 'frame', 'empty']);
  });
});
