import { describe, expect, it, vi } from 'vitest';
import { systemClock } from '../../../src/base/clock.ts';
import { newId, random16, random32 } from '../../../src/base/ids.ts';

const many = Array.from({ length: 2000 });

describe('ids', () => {
  it('carry their prefix, fit into a URL and do not repeat', () => {
    const ids = many.map(() => newId('call'));
    expect(new Set(ids).size).toBe(ids.length);
    for (const id of ids) expect(id).toMatch(/^call_[A-Za-z0-9_-]{12}$/);
  });

  it('are within the range of the RTP field they are for', () => {
    for (const _ of many) {
      const ssrc = random32();
      expect(Number.isInteger(ssrc) && ssrc > 0 && ssrc <= 0xffffffff).toBe(true);
      const sequence = random16();
      expect(Number.isInteger(sequence) && sequence >= 0 && sequence <= 0xffff).toBe(true);
    }
  });
});

describe('the system clock', () => {
  it('fires once after the delay, and not when taken back', () => {
    vi.useFakeTimers();
    try {
      const fired: string[] = [];
      systemClock.after(100, () => fired.push('kept'));
      const cancel = systemClock.after(100, () => fired.push('cancelled'));
      cancel();
      vi.advanceTimersByTime(99);
      expect(fired).toEqual([]);
      vi.advanceTimersByTime(1000);
      expect(fired).toEqual(['kept']);
    } finally {
      vi.useRealTimers();
    }
  });

  it('never goes back', () => {
    let last = systemClock.nowMs();
    for (const _ of many) {
      const now = systemClock.nowMs();
      expect(now).toBeGreaterThanOrEqual(last);
      last = now;
    }
  });
});
