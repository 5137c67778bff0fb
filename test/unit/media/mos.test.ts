import { describe, expect, it } from 'vitest';
import { bufferDelayMs, mosOf, mosOfRating, rating } from '../../../src/media/mos.ts';

describe('the E-model', () => {
  it.each([
    // ITU-T G.107 annex B: R to MOS-CQE.
    [93.2, 4.41],
    [90, 4.34],
    [80, 4.03],
    [70, 3.6],
    [60, 3.1],
    [50, 2.58],
    [0, 1],
    [-10, 1],
    [100, 4.5],
    [120, 4.5],
  ])('takes R = %f for MOS %f', (r, mos) => {
    expect(Math.abs(mosOfRating(r) - mos)).toBeLessThan(0.01);
  });

  it('is 4.41 for G.711 without loss and within 100 ms', () => {
    expect(rating({ lossRatio: 0, oneWayDelayMs: 0 })).toBe(93.2);
    expect(mosOf({ lossRatio: 0, oneWayDelayMs: 100 })).toBe(4.41);
  });

  it('follows Ie-eff of G.107 with G.113 numbers for loss', () => {
    // 95 x 5 / (5 + 25.1)
    expect(rating({ lossRatio: 0.05, oneWayDelayMs: 0 })).toBeCloseTo(93.2 - 15.781, 2);
    expect(mosOf({ lossRatio: 0.05, oneWayDelayMs: 0 })).toBe(3.92);
  });

  it.each([
    // Idd of G.107 eq. 27, one-way: about 0.2 at 150 ms, 3 at 200, 14 at 300, 24 at 400.
    [150, 0.2, 0.3],
    [200, 3, 0.4],
    [300, 14.7, 0.5],
    [400, 24.2, 0.5],
  ])('takes Idd for %i ms', (oneWayDelayMs, loss, within) => {
    const idd = 93.2 - rating({ lossRatio: 0, oneWayDelayMs });
    expect(Math.abs(idd - loss)).toBeLessThan(within);
  });

  it('only falls with loss and with delay, and stays within 1 and 4.5', () => {
    let last = 5;
    for (let percent = 0; percent <= 100; percent++) {
      const mos = mosOf({ lossRatio: percent / 100, oneWayDelayMs: percent * 20 });
      expect(mos).toBeLessThanOrEqual(last);
      expect(mos).toBeGreaterThanOrEqual(1);
      last = mos;
    }
    expect(last).toBe(1);
  });

  it('takes nonsense for the nearest sense', () => {
    expect(mosOf({ lossRatio: -1, oneWayDelayMs: -50 })).toBe(4.41);
    expect(mosOf({ lossRatio: 7, oneWayDelayMs: 1e6 })).toBe(1);
  });

  it('counts a receiver’s buffer as delay', () => {
    expect(bufferDelayMs(0)).toBe(20);
    expect(bufferDelayMs(15)).toBe(50);
  });
});
