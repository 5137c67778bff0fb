import { describe, expect, it } from 'vitest';
import { FREE_PLACE, isReached, type LimitReached } from '../../../src/room/tenant-gate.ts';

describe('an answer of the gate', () => {
  it('is a place, or the limit that was reached', () => {
    const reached: LimitReached = {
      ...{ code: 'TENANT_CALLS_FULL', limit: 'calls_max', detail: 'calls_max (1) is reached' },
      retryAfterS: 10,
    };
    expect(isReached(reached)).toBe(true);
    expect(isReached(FREE_PLACE)).toBe(false);
  });

  it('may be a place without limits, which tells nobody of minutes', () => {
    const told: unknown[] = [];
    FREE_PLACE.onSpent((reached) => told.push(reached));
    FREE_PLACE.answered();
    FREE_PLACE.leave();
    FREE_PLACE.leave();
    expect(told).toEqual([]);
  });
});
