import { describe, expect, it } from 'vitest';
import { Listening } from '../../../bench/listening.ts';

/** Packets of 20 ms whose last arrives now. */
function hear(listening: Listening, levels: readonly number[]): void {
  const nowMs = performance.now();
  for (const [at, levelDbfs] of levels.entries())
    listening.take({ atMs: nowMs - 20 * (levels.length - 1 - at), levelDbfs, sequence: at });
}
const times = (count: number, level: number): number[] => Array.from({ length: count }, () => level);

describe('listening', () => {
  it('knows when the far end began, and that it has been silent since', async () => {
    const listening = new Listening();
    const beganMs = performance.now() - 20 * 29;
    hear(listening, [...times(20, -20), ...times(10, -Infinity)]);
    expect(listening.firstMs).toBeCloseTo(beganMs, -1);
    expect(await listening.spoken(150, 1000)).toBe(true);
  });

  it('waits until the silence has lasted, whether packets come or not', async () => {
    const listening = new Listening();
    hear(listening, times(20, -20));
    const fromMs = performance.now();
    expect(await listening.spoken(100, 1000)).toBe(true);
    expect(performance.now() - fromMs).toBeGreaterThanOrEqual(80);
  });

  it('takes no click for speech, and forgets what was before', async () => {
    const listening = new Listening();
    hear(listening, [...times(2, -20), ...times(30, -60)]);
    expect(await listening.spoken(20, 50)).toBe(false);
    hear(listening, times(20, -20));
    listening.anew();
    expect(listening.firstMs).toBeNull();
    expect(await listening.spoken(20, 50)).toBe(false);
  });
});
