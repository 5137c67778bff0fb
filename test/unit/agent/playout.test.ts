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
    expect(read(1)).toEqual(['empty']);
  });

  it('drops one reply and keeps the others', () => {
    playout.append('a', sound(320));
    playout.append('b', sound(160));
    read(1);
    expect(playout.drop('a')).toEqual({ itemId: 'a', heardMs: 20, totalMs: 40 });
    expect(playout.drop('a')).toBeNull();
    expect(playout.queuedMs).toBe(20);
    expect(playout.read(frame)).toEqual({ kind: 'frame', begins: 'b' });
  });

  it.each(['pcmu', 'pcma'] as const)('ducks and restores %s between two frames', (codec) => {
    const ducking = new Playout({ codec, finished: () => undefined });
    const loud = G711[codec].compress[8000] ?? 0;
    ducking.append('a', sound(480, loud));
    ducking.duck();
    ducking.read(frame);
    const soft = G711[codec].expand[frame[80] ?? 0] ?? 0;
    expect(soft).toBeGreaterThan(8000 * 0.17);
    expect(soft).toBeLessThan(8000 * 0.23);
    expect(ducking.ducked).toBe(true);
    ducking.restore();
    ducking.read(frame);
    expect(frame[80]).toBe(loud);
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
