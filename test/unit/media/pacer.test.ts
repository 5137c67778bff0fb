import { describe, expect, it } from 'vitest';
import type { Ticked } from '../../../src/media/frame.ts';
import { LatenessHistogram } from '../../../src/media/lateness.ts';
import { CATCH_UP_MS_MAX, Pacer, SLOT_MS } from '../../../src/media/pacer.ts';
import { ManualClock } from '../../support/manual-clock.ts';

class Part implements Ticked {
  readonly ticks: number[] = [];
  readonly atMs: number[] = [];
  readonly lateMs: number[] = [];
  readonly #clock: ManualClock;
  readonly #also: () => void;

  constructor(clock: ManualClock, also: () => void = () => undefined) {
    this.#clock = clock;
    this.#also = also;
  }

  tick(tick: number, lateMs: number): void {
    this.ticks.push(tick);
    this.atMs.push(this.#clock.nowMs());
    this.lateMs.push(lateMs);
    this.#also();
  }
}

/** A clock that can stand still: alarms ring late, as in a thread that was held up. */
class StallingClock extends ManualClock {
  stalledMs = 0;

  override nowMs(): number {
    return super.nowMs() + this.stalledMs;
  }
}

function setUp(): { clock: StallingClock; pacer: Pacer; errors: unknown[] } {
  const clock = new StallingClock();
  const errors: unknown[] = [];
  return { clock, pacer: new Pacer({ clock, onError: (error) => errors.push(error) }), errors };
}

function steps(values: readonly number[]): number[] {
  return values.slice(1).map((value, i) => value - (values[i] ?? 0));
}

describe('ticks', () => {
  it('come every 20 ms, each with the next number', () => {
    const { clock, pacer } = setUp();
    const part = new Part(clock);
    pacer.add(part, 'sink');
    clock.advance(1000);
    expect(part.ticks.length).toBeGreaterThanOrEqual(50);
    expect(steps(part.ticks).every((step) => step === 1)).toBe(true);
    expect(steps(part.atMs).every((step) => step === 20)).toBe(true);
    expect(part.lateMs.every((late) => late === 0)).toBe(true);
  });

  it('are spread: four parts tick in four slots', () => {
    const { clock, pacer } = setUp();
    const parts = Array.from({ length: 8 }, () => new Part(clock));
    for (const part of parts) pacer.add(part, 'sink');
    clock.advance(100);
    const slots = parts.map((part) => ((part.atMs[1] ?? 0) % 20) / SLOT_MS);
    expect(slots.toSorted()).toEqual([0, 0, 1, 1, 2, 2, 3, 3]);
  });

  it('reach sources before sinks of the same slot, whoever came first', () => {
    const { clock, pacer } = setUp();
    const order: string[] = [];
    const sink = new Part(clock, () => order.push('sink'));
    const source = new Part(clock, () => order.push('source'));
    pacer.add(sink, 'sink');
    pacer.add(source, 'source');
    pacer.align(source, sink);
    clock.advance(40);
    expect(order.slice(0, 4)).toEqual(['source', 'sink', 'source', 'sink']);
    expect(source.atMs).toEqual(sink.atMs);
  });

  it('cost nothing while there is nobody: no timer is left', () => {
    const { clock, pacer } = setUp();
    const part = new Part(clock);
    expect(clock.pending).toBe(0);
    pacer.add(part, 'sink');
    pacer.add(part, 'source');
    expect([clock.pending, pacer.size]).toEqual([1, 1]);
    pacer.remove(part);
    pacer.remove(part);
    expect([clock.pending, pacer.size]).toEqual([0, 0]);
    clock.advance(1000);
    expect(part.ticks).toEqual([]);
  });

  it('go on with the clock’s number after a pause', () => {
    const { clock, pacer } = setUp();
    const first = new Part(clock);
    pacer.add(first, 'sink');
    clock.advance(100);
    pacer.close();
    clock.advance(900);
    const second = new Part(clock);
    pacer.add(second, 'sink');
    clock.advance(20);
    expect(second.ticks[0]).toBe(50);
    expect(clock.pending).toBe(1);
  });
});

describe('a thread that was held up', () => {
  it('makes up for every tick, and runs none ahead of time', () => {
    const { clock, pacer } = setUp();
    const part = new Part(clock);
    pacer.add(part, 'sink');
    clock.advance(100);
    clock.stalledMs += 90;
    clock.advance(200);
    const ticks = part.ticks;
    expect(steps(ticks).every((step) => step === 1)).toBe(true);
    expect(ticks.at(-1)).toBe(Math.floor(clock.nowMs() / 20));
    for (const [i, tick] of ticks.entries()) expect(part.atMs[i] ?? 0).toBeGreaterThanOrEqual(tick * 20);
    expect(Math.max(...part.lateMs)).toBeGreaterThan(60);
  });

  it('lets the past go when it is too long, and the numbers tell', () => {
    const { clock, pacer } = setUp();
    const part = new Part(clock);
    pacer.add(part, 'sink');
    clock.advance(100);
    const before = part.ticks.length;
    clock.stalledMs += CATCH_UP_MS_MAX * 4;
    clock.advance(20);
    expect(part.ticks.length - before).toBeLessThanOrEqual(2);
    expect(part.ticks.at(-1)).toBeGreaterThanOrEqual(100);
  });
});

describe('parts that change while they tick', () => {
  it('a part that another removes in the same slot does not run any more', () => {
    const { clock, pacer } = setUp();
    const victim = new Part(clock);
    const killer = new Part(clock, () => pacer.remove(victim));
    pacer.add(killer, 'source');
    pacer.add(victim, 'sink');
    pacer.align(killer, victim);
    clock.advance(100);
    expect(victim.ticks).toEqual([]);
    expect(killer.ticks.length).toBeGreaterThan(3);
  });

  it('the last one may remove itself and another may come in its place', () => {
    const { clock, pacer } = setUp();
    const next = new Part(clock);
    const last: Part = new Part(clock, () => {
      pacer.remove(last);
      pacer.add(next, 'sink');
    });
    pacer.add(last, 'sink');
    clock.advance(200);
    expect(last.ticks).toHaveLength(1);
    expect(next.ticks.length).toBeGreaterThan(7);
    expect(steps(next.ticks).every((step) => step === 1)).toBe(true);
    expect(clock.pending).toBe(1);
  });

  it('one that moves to another slot never ticks twice in one tick', () => {
    const { clock, pacer } = setUp();
    const parts = Array.from({ length: 4 }, () => new Part(clock));
    for (const part of parts) pacer.add(part, 'sink');
    const [mover, ...others] = parts;
    if (mover === undefined) throw new Error('nobody');
    for (let round = 0; round < 300; round++) {
      const beside = others[round % 3];
      if (beside !== undefined) pacer.align(mover, beside);
      clock.advance(23);
    }
    expect(new Set(mover.ticks).size).toBe(mover.ticks.length);
    expect(steps(mover.ticks).every((step) => step <= 2)).toBe(true);
  });

  it('one that throws is told, and the others go on', () => {
    const { clock, pacer, errors } = setUp();
    const broken = new Part(clock, () => {
      throw new Error('broken part');
    });
    const whole = new Part(clock);
    pacer.add(broken, 'source');
    pacer.add(whole, 'sink');
    clock.advance(100);
    expect(errors.length).toBe(broken.ticks.length);
    expect(whole.ticks.length).toBeGreaterThan(3);
  });
});

describe('lateness', () => {
  it('is told as percentiles since the last question', () => {
    const histogram = new LatenessHistogram();
    for (let i = 0; i < 98; i++) histogram.add(0.25);
    histogram.add(7.0);
    histogram.add(40);
    expect(histogram.take()).toEqual({ p50Ms: 0.3, p99Ms: 7.1 });
    expect(histogram.take()).toEqual({ p50Ms: 0, p99Ms: 0 });
  });

  it('takes any value', () => {
    const histogram = new LatenessHistogram();
    for (const late of [-5, 0, 1e9, 99.99]) histogram.add(late);
    expect(histogram.take().p99Ms).toBe(100);
  });

  it('is measured by the pacer', () => {
    const { clock, pacer } = setUp();
    pacer.add(new Part(clock), 'sink');
    clock.advance(1000);
    expect(pacer.takeLateness()).toEqual({ p50Ms: 0.1, p99Ms: 0.1 });
  });
});
