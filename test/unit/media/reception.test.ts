import { describe, expect, it } from 'vitest';
import { Reception } from '../../../src/media/reception.ts';
import type { Verdict } from '../../../src/media/reception.ts';
import { SeededRandom } from '../../support/random.ts';

function verdicts(reception: Reception, sequences: readonly number[]): Verdict[] {
  return sequences.map((sequence) => reception.receive(sequence & 0xffff, 160));
}

/** Packets `from` to `to`, one every 20 ms. */
function run(from: number, to: number): number[] {
  return Array.from({ length: to - from + 1 }, (_, i) => from + i);
}

describe('sequence numbers', () => {
  it('are counted over the end of their 16 bits', () => {
    const reception = new Reception();
    verdicts(reception, run(65_500, 65_600));
    expect(reception).toMatchObject({ packets: 101, bytes: 101 * 160, lost: 0, expected: 101, late: 0 });
    expect(reception.highestSequence).toBe(65_600);
  });

  it('go through many cycles', () => {
    const reception = new Reception();
    verdicts(reception, run(0, 200_000));
    expect(reception).toMatchObject({ packets: 200_001, lost: 0, highestSequence: 200_000 });
  });

  it('that are missing are lost', () => {
    const reception = new Reception();
    verdicts(reception, [...run(10, 19), ...run(25, 29)]);
    expect(reception).toMatchObject({ packets: 15, lost: 5, expected: 20 });
  });

  it('that come again are duplicates, and change no loss', () => {
    const reception = new Reception();
    expect(verdicts(reception, [1, 2, 2, 3, 1])).toEqual([
      'fresh',
      'fresh',
      'duplicate',
      'fresh',
      'duplicate',
    ]);
    expect(reception).toMatchObject({ packets: 3, duplicates: 2, lost: 0 });
  });

  it('that come late fill their hole', () => {
    const reception = new Reception();
    expect(verdicts(reception, [1, 3, 2, 2])).toEqual(['fresh', 'fresh', 'late', 'duplicate']);
    expect(reception).toMatchObject({ lost: 0, late: 1, duplicates: 1 });
  });

  it('from before the first packet are late, and nobody had expected them', () => {
    const reception = new Reception();
    expect(verdicts(reception, [100, 99, 101])).toEqual(['fresh', 'late', 'fresh']);
    expect(reception).toMatchObject({ lost: 0, expected: 2, late: 1 });
  });

  it('that come late over the wrap belong to the cycle before', () => {
    const reception = new Reception();
    expect(verdicts(reception, [65_534, 0, 65_535, 1])).toEqual(['fresh', 'fresh', 'late', 'fresh']);
    expect(reception.lost).toBe(0);
  });

  it('far off are doubtful until the next one proves a new line (RFC 3550 A.1)', () => {
    const reception = new Reception();
    expect(verdicts(reception, [1, 2, 40_000, 3, 50_000, 50_001, 50_002])).toEqual([
      'fresh',
      'fresh',
      'doubtful',
      'fresh',
      'doubtful',
      'restarted',
      'fresh',
    ]);
    expect(reception).toMatchObject({ packets: 5, lost: 0, expected: 5 });
  });

  it('of a new sender begin a new line, and what was lost before stays lost', () => {
    const reception = new Reception();
    verdicts(reception, [1, 2, 5]);
    reception.restart();
    expect(verdicts(reception, [60_000, 60_001])).toEqual(['fresh', 'fresh']);
    expect(reception).toMatchObject({ lost: 2, expected: 7, packets: 5 });
  });

  it('in any order give the counts of a list', () => {
    const random = new SeededRandom(3);
    for (let round = 0; round < 50; round++) {
      const start = random.below(65_536);
      const kept = run(start, start + 500).filter((_, i) => i === 0 || i === 500 || random.chance(0.9));
      const order = kept.map((sequence, i) => ({ sequence, at: i === 0 ? -1 : i + random.next() * 8 }));
      order.sort((a, b) => a.at - b.at);
      const reception = new Reception();
      verdicts(
        reception,
        order.map(({ sequence }) => sequence),
      );
      expect(reception).toMatchObject({ packets: kept.length, expected: 501, lost: 501 - kept.length });
      expect(reception.duplicates).toBe(0);
    }
  });
});

describe('the fraction lost', () => {
  it('is told per interval, in 256ths (RFC 3550 A.3)', () => {
    const reception = new Reception();
    verdicts(reception, run(0, 99));
    expect(reception.takeFractionLost()).toBe(0);
    verdicts(reception, run(125, 199));
    // 25 of 100 are missing: 64 of 256.
    expect(reception.takeFractionLost()).toBe(64);
    expect(reception.takeFractionLost()).toBe(0);
  });

  it('is never below zero when late ones arrive after all', () => {
    const reception = new Reception();
    verdicts(reception, [0, 1, 3]);
    expect(reception.takeFractionLost()).toBe(64);
    verdicts(reception, [2, 4]);
    expect(reception.takeFractionLost()).toBe(0);
  });
});

describe('jitter', () => {
  it('stays zero for an even stream, whatever its delay', () => {
    const reception = new Reception();
    for (let i = 0; i < 100; i++) reception.arrived(i * 160, 5_000_000 + i * 160);
    expect(reception.jitter).toBe(0);
  });

  it('follows the recurrence of RFC 3550 A.8', () => {
    const reception = new Reception();
    const random = new SeededRandom(4);
    let expected = 0;
    let last: number | null = null;
    for (let i = 0; i < 1000; i++) {
      const delay = random.below(200);
      if (last !== null) expected += (Math.abs(delay - last) - expected) / 16;
      last = delay;
      reception.arrived((i * 160) >>> 0, i * 160 + delay);
    }
    expect(reception.jitter).toBeCloseTo(expected, 9);
    expect(reception.jitter).toBeGreaterThan(20);
  });

  it('knows nothing of a wrap of the clock', () => {
    const reception = new Reception();
    for (let i = 0; i < 10; i++) reception.arrived((0xffffff00 + i * 160) >>> 0, 1000 + i * 160);
    expect(reception.jitter).toBe(0);
  });

  it('does not count a jump that is known', () => {
    const reception = new Reception();
    reception.arrived(0, 0);
    reception.forgetTransit();
    reception.arrived(900_000, 160);
    reception.arrived(900_160, 320);
    expect(reception.jitter).toBe(0);
  });
});
