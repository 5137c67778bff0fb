/** What one gateway counts by itself, as it does without Redis. */
import { beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import type { TenantLimitSettings } from '../../../src/limits/settings.ts';
import { book_every_ms, TenantLimits } from '../../../src/limits/tenant-limits.ts';
import type { LimitReached } from '../../../src/room/tenant-gate.ts';
import { ask, limitsOf, placeOf } from '../../support/limits/settings.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { eventually } from '../../support/until.ts';

const MINUTE_MS = 60_000;
const NOON_MS = Date.UTC(2026, 10, 26, 12);

let clock: ManualClock;
/** When the clock stood at 0. */
let beganMs: number;
beforeEach(() => {
  clock = new ManualClock();
  beganMs = NOON_MS;
});

function open(more: Partial<TenantLimitSettings>, ...others: TenantLimitSettings[]): TenantLimits {
  const now = (): Date => new Date(beganMs + clock.nowMs());
  const tenants = [limitsOf(more), ...others];
  const limits = new TenantLimits({ tenants, redis: undefined, prefix: 'test', clock, now });
  onTestFinished(() => limits.close());
  return limits;
}

describe('the limits of a tenant', () => {
  it('do not bind a tenant without an entry, nor one whose limits are 0', async () => {
    const limits = open({});
    for (let calls = 0; calls < 200; calls += 1)
      expect([await ask(limits), await ask(limits, 'visit', 'stranger')]).toEqual(['in', 'in']);
  });

  it('let so many calls be in at a time, until one is over', async () => {
    const limits = open({ calls_max: 2 });
    const first = await placeOf(limits);
    expect([await ask(limits), await ask(limits)]).toEqual(['in', 'TENANT_CALLS_FULL']);
    first.leave();
    first.leave();
    expect([await ask(limits), await ask(limits)]).toEqual(['in', 'TENANT_CALLS_FULL']);
  });

  it('count those who come at once, too', async () => {
    const limits = open({ calls_max: 3 });
    const asked = await Promise.all(Array.from({ length: 10 }, () => ask(limits)));
    expect(asked.filter((one) => one === 'in')).toHaveLength(3);
  });

  it('let so many calls begin in a second', async () => {
    const limits = open({ calls_per_second_max: 3 });
    expect([await ask(limits), await ask(limits), await ask(limits)]).toEqual(['in', 'in', 'in']);
    expect(await ask(limits)).toBe('TENANT_CALLS_TOO_FAST');
    await eventually(
      'the next second',
      () => ask(limits),
      (one) => one === 'in',
    );
  });

  it('take no turn for a call that finds no room', async () => {
    const limits = open({ calls_max: 1, calls_per_second_max: 2 });
    const first = await placeOf(limits);
    for (let tries = 0; tries < 5; tries += 1) expect(await ask(limits)).toBe('TENANT_CALLS_FULL');
    first.leave();
    expect(await ask(limits)).toBe('in');
  });

  it('keep no place for a call that comes too fast', async () => {
    const limits = open({ calls_max: 2, calls_per_second_max: 1 });
    (await placeOf(limits)).leave();
    for (let tries = 0; tries < 5; tries += 1) expect(await ask(limits)).toBe('TENANT_CALLS_TOO_FAST');
    await eventually(
      'the next second',
      () => ask(limits),
      (one) => one === 'in',
    );
    await eventually(
      'the second after',
      () => ask(limits),
      (one) => one === 'in',
    );
    expect(await ask(limits)).toBe('TENANT_CALLS_FULL');
  });

  it('count visits apart from calls', async () => {
    const limits = open({ calls_max: 1, visits_max: 1, visits_per_minute_max: 2 });
    expect([await ask(limits), await ask(limits)]).toEqual(['in', 'TENANT_CALLS_FULL']);
    const visit = await placeOf(limits, 'visit');
    expect(await ask(limits, 'visit')).toBe('TENANT_VISITS_FULL');
    visit.leave();
    (await placeOf(limits, 'visit')).leave();
    expect(await ask(limits, 'visit')).toBe('TENANT_VISITS_TOO_FAST');
  });

  it('are apart from those of others', async () => {
    const limits = open({ calls_max: 1 }, limitsOf({ tenant: 'other', calls_max: 1 }));
    expect([await ask(limits), await ask(limits)]).toEqual(['in', 'TENANT_CALLS_FULL']);
    expect(await ask(limits, 'call', 'other')).toBe('in');
  });

  it('say which it was, and tell whoever counts refusals', async () => {
    const limits = open({ calls_max: 1 });
    const told: { tenant: string; reached: LimitReached }[] = [];
    limits.events.on('refused', (one) => told.push(one));
    await placeOf(limits);
    const reached = await limits.enter({ tenant: 'acme', kind: 'call' });
    expect(reached).toEqual({
      ...{ code: 'TENANT_CALLS_FULL', limit: 'calls_max', retryAfterS: 10 },
      detail: 'calls_max (1) of tenant acme is reached',
    });
    expect(told).toEqual([{ tenant: 'acme', reached }]);
  });
});

describe('minutes of a day', () => {
  it('pass from the answer to the end, of calls and visits together', async () => {
    const limits = open({ minutes_per_day_max: 10 });
    const [call, visit, ringing] = [
      await placeOf(limits),
      await placeOf(limits, 'visit'),
      await placeOf(limits),
    ];
    clock.advance(5 * MINUTE_MS);
    call.answered();
    clock.advance(4 * MINUTE_MS);
    visit.answered();
    clock.advance(2 * MINUTE_MS);
    call.leave();
    expect(await ask(limits)).toBe('in');
    clock.advance(2 * MINUTE_MS - 1);
    expect(await ask(limits)).toBe('in');
    clock.advance(1);
    expect([await ask(limits), await ask(limits, 'visit')]).toEqual(
      Array.from({ length: 2 }, () => 'TENANT_MINUTES_SPENT'),
    );
    [visit, ringing].forEach((one) => one.leave());
    expect(await ask(limits)).toBe('TENANT_MINUTES_SPENT');
  });

  it("are given anew at the tenant's midnight, which the refusal names", async () => {
    const limits = open({ minutes_per_day_max: 1, time_zone: 'America/New_York' });
    const call = await placeOf(limits);
    call.answered();
    clock.advance(MINUTE_MS);
    call.leave();
    // 07:01 in New York.
    const untilMidnightS = 16 * 3600 + 59 * 60;
    expect(await limits.enter({ tenant: 'acme', kind: 'call' })).toMatchObject({
      ...{ limit: 'minutes_per_day_max', retryAfterS: untilMidnightS },
      detail: 'minutes_per_day_max (1) of tenant acme is reached',
    });
    clock.advance(untilMidnightS * 1000 - 1);
    expect(await ask(limits)).toBe('TENANT_MINUTES_SPENT');
    clock.advance(1);
    expect(await ask(limits)).toBe('in');
  });

  it('of a call over midnight are spent on either day', async () => {
    beganMs = Date.UTC(2026, 10, 26, 23, 50);
    const limits = open({ minutes_per_day_max: 15 });
    (await placeOf(limits)).answered();
    clock.advance(10 * MINUTE_MS + book_every_ms);
    expect(await ask(limits)).toBe('in');
    clock.advance(14 * MINUTE_MS);
    expect(await ask(limits)).toBe('in');
    clock.advance(2 * MINUTE_MS);
    expect(await ask(limits)).toBe('TENANT_MINUTES_SPENT');
  });

  it.each([
    ['leave calls in progress alone', false],
    ['end them when the tenant wants it', true],
  ])('%s', async (_what, minutes_end_calls) => {
    const limits = open({ minutes_per_day_max: 1, minutes_end_calls });
    const spent: LimitReached[] = [];
    const places = [await placeOf(limits), await placeOf(limits, 'visit')];
    for (const place of places) {
      place.onSpent((reached) => spent.push(reached));
      place.answered();
    }
    clock.advance(book_every_ms);
    await eventually(
      'the first minutes are booked',
      () => ask(limits),
      (one) => one === 'in',
    );
    expect(spent).toEqual([]);
    clock.advance(2 * book_every_ms);
    await eventually(
      'the minutes are spent',
      () => ask(limits),
      (one) => one === 'TENANT_MINUTES_SPENT',
    );
    clock.advance(book_every_ms);
    await eventually(
      'nothing more is told',
      () => ask(limits),
      (one) => one === 'TENANT_MINUTES_SPENT',
    );
    expect(spent.map(({ code }) => code)).toEqual(
      minutes_end_calls ? ['TENANT_MINUTES_SPENT', 'TENANT_MINUTES_SPENT'] : [],
    );
  });

  it('are looked after only while somebody is in', async () => {
    const limits = open({ minutes_per_day_max: 5 });
    const call = await placeOf(limits);
    clock.advance(book_every_ms);
    expect(clock.pending).toBe(1);
    call.leave();
    clock.advance(book_every_ms);
    expect(clock.pending).toBe(0);
  });
});
