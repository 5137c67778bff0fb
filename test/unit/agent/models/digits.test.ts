import { describe, expect, it } from 'vitest';
import { Digits } from '../../../../src/agent/models/digits.ts';
import { digits_max } from '../../../../src/agent/models/limits.ts';
import { ManualClock } from '../../../support/manual-clock.ts';

describe('digits', () => {
  it('are told once the caller pauses', () => {
    const clock = new ManualClock();
    const told: string[] = [];
    const digits = new Digits(clock, (pressed) => told.push(pressed));
    digits.press('1');
    clock.advance(1400);
    digits.press('2');
    clock.advance(1499);
    expect(told).toEqual([]);
    clock.advance(1);
    expect(told).toEqual(['12']);
    expect(clock.pending).toBe(0);
  });

  it('are told at once when there are too many, and never after the end', () => {
    const clock = new ManualClock();
    const told: string[] = [];
    const digits = new Digits(clock, (pressed) => told.push(pressed));
    for (let index = 0; index < digits_max; index += 1) digits.press('7');
    expect(told).toEqual(['7'.repeat(digits_max)]);
    digits.press('8');
    digits.close();
    clock.advance(10_000);
    expect(told).toHaveLength(1);
    expect(clock.pending).toBe(0);
  });
});
