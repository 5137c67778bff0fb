/** Gateways that share the limits of their tenants by a real Redis, and go on without it. */
import { afterAll, beforeAll, beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { connectRedis } from '../../../src/jobs/redis.ts';
import type { TenantLimitSettings } from '../../../src/limits/settings.ts';
import { wait_ms_max } from '../../../src/limits/tenant-count.ts';
import { book_every_ms, TenantLimits, type TenantLimitsOptions } from '../../../src/limits/tenant-limits.ts';
import type { Entry, Place } from '../../../src/room/tenant-gate.ts';
import { startRedis, type TestRedis } from '../../support/jobs/redis.ts';
import { ask, limitsOf, placeOf } from '../../support/limits/settings.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { silent } from '../../support/store/databases.ts';
import { eventually, until } from '../../support/until.ts';

/** Longest that a call may wait for its limits, in ms. */
const bound_ms = 25;
const MINUTE_MS = 60_000;
/** Where nothing else is looked at than what they share, a busy machine may take its time. */
const patient_ms = 2000;

let redis: TestRedis;
let prefix = '';
let tests = 0;
beforeAll(async () => {
  // A busy disk of the test machine is not what is looked at here.
  redis = await startRedis('no');
});
afterAll(() => redis.close());
beforeEach(() => {
  // Counts of its own for every test.
  tests += 1;
  prefix = `limits${tests}`;
});

interface TestGateway {
  readonly limits: TenantLimits;
  readonly redis: ReturnType<typeof connectRedis>;
  /** How often it counted without Redis. */
  alone(): number;
}

/** As much of a gateway as has to do with limits; resolves when it has its connection. */
async function gateway(
  more: Partial<TenantLimitSettings>,
  options: Pick<TenantLimitsOptions, 'clock' | 'placeMs' | 'now' | 'waitMs'> = {},
): Promise<TestGateway> {
  const connection = connectRedis(redis.address, { patient: false, log: silent });
  const limits = new TenantLimits({
    tenants: [limitsOf(more)],
    redis: connection,
    prefix,
    waitMs: patient_ms,
    ...options,
  });
  let alone = 0;
  limits.events.on('alone', () => (alone += 1));
  onTestFinished(async () => {
    await limits.close();
    connection.disconnect();
  });
  await until('the connection to Redis', () => connection.status === 'ready');
  return { limits, redis: connection, alone: () => alone };
}

async function isReady(one: TestGateway): Promise<void> {
  await until('the connection is back', () => one.redis.status === 'ready', 20_000);
}

/** The middle of how long so many had to wait for their limits, in ms: others use this machine, too. */
async function waitOf({ limits }: TestGateway, times = 15): Promise<number> {
  const waits: number[] = [];
  for (let nth = 0; nth < times; nth += 1) {
    const beganMs = performance.now();
    (await placeOf(limits)).leave();
    waits.push(performance.now() - beganMs);
  }
  return waits.sort((a, b) => a - b)[Math.floor(times / 2)] ?? Infinity;
}

/** When the first of the places that calls hold now would be free, by the clock of Redis. */
async function earliestEnd(): Promise<number> {
  const connection = connectRedis(redis.address, { patient: true, log: silent });
  const [, score] = await connection.zrange(`${prefix}:limits:calls:acme`, '0', '0', 'WITHSCORES');
  connection.disconnect();
  return Number(score);
}

describe('two gateways', () => {
  it('give a tenant its calls at a time once', async () => {
    const [one, other] = [await gateway({ calls_max: 3 }), await gateway({ calls_max: 3 })];
    const first = await placeOf(one.limits);
    expect([await ask(other.limits), await ask(one.limits)]).toEqual(['in', 'in']);
    expect([await ask(other.limits), await ask(one.limits)]).toEqual(
      Array.from({ length: 2 }, () => 'TENANT_CALLS_FULL'),
    );
    first.leave();
    await eventually(
      'its place is free',
      () => ask(other.limits),
      (code) => code === 'in',
    );
    expect(await ask(one.limits)).toBe('TENANT_CALLS_FULL');
    expect([one.alone(), other.alone()]).toEqual([0, 0]);
  });

  it('give no more than there are, however many ask at once', async () => {
    const [one, other] = [await gateway({ calls_max: 7 }), await gateway({ calls_max: 7 })];
    const asked = await Promise.all(
      Array.from({ length: 40 }, (_, nth) => ask(nth % 2 === 0 ? one.limits : other.limits)),
    );
    expect(asked.filter((code) => code === 'in')).toHaveLength(7);
  });

  it.each<[string, Partial<TenantLimitSettings>, Entry['kind'], string]>([
    ['new calls of a second', { calls_per_second_max: 4 }, 'call', 'TENANT_CALLS_TOO_FAST'],
    ['visits of a minute', { visits_per_minute_max: 4 }, 'visit', 'TENANT_VISITS_TOO_FAST'],
    ['visits at a time', { visits_max: 4 }, 'visit', 'TENANT_VISITS_FULL'],
  ])('share its %s', async (_what, limits, kind, code) => {
    const [one, other] = [await gateway(limits), await gateway(limits)];
    const asked = await Promise.all(
      Array.from({ length: 10 }, (_, nth) => ask(nth % 2 === 0 ? one.limits : other.limits, kind)),
    );
    expect(asked.filter((code) => code === 'in')).toHaveLength(4);
    expect(asked.filter((answer) => answer === code)).toHaveLength(6);
  });

  it('book the minutes of a day together, as they pass', async () => {
    const [clock, otherClock] = [new ManualClock(), new ManualClock()];
    const one = await gateway({ minutes_per_day_max: 2 }, { clock });
    const other = await gateway({ minutes_per_day_max: 2 }, { clock: otherClock });
    const [call, otherCall] = [await placeOf(one.limits), await placeOf(other.limits)];
    [call, otherCall].forEach((place) => place.answered());
    clock.advance(MINUTE_MS);
    expect(await ask(other.limits)).toBe('in');
    otherClock.advance(MINUTE_MS);
    await eventually(
      'both are booked',
      () => Promise.all([ask(one.limits), ask(other.limits)]),
      (codes) => codes.every((code) => code === 'TENANT_MINUTES_SPENT'),
    );
    // Another that is started now knows it, too.
    expect(await ask((await gateway({ minutes_per_day_max: 2 })).limits)).toBe('TENANT_MINUTES_SPENT');
  });

  it('begin to count anew when a day of the tenant begins', async () => {
    let atMs = Date.UTC(2026, 10, 26, 22, 59);
    const options = { clock: new ManualClock(), now: () => new Date(atMs) };
    const zoned = { minutes_per_day_max: 1, time_zone: 'Europe/Berlin' };
    const [one, other] = [await gateway(zoned, options), await gateway(zoned, options)];
    const call = await placeOf(one.limits);
    call.answered();
    options.clock.advance(MINUTE_MS);
    call.leave();
    await eventually(
      'it is spent',
      () => ask(other.limits),
      (code) => code === 'TENANT_MINUTES_SPENT',
    );
    atMs += MINUTE_MS;
    expect([await ask(one.limits), await ask(other.limits)]).toEqual(['in', 'in']);
  });
});

describe('a gateway that died', () => {
  it('holds its places for a while only, and those who live keep theirs', async () => {
    const placeMs = 600;
    const limits = { calls_max: 2 };
    const alive = await gateway(limits, { placeMs });
    // Its clock stands still: it renews nothing any more.
    const dead = await gateway(limits, { placeMs, clock: new ManualClock() });
    await placeOf(alive.limits);
    await placeOf(dead.limits);
    dead.redis.disconnect();
    const next = await gateway(limits, { placeMs });
    expect(await ask(next.limits)).toBe('TENANT_CALLS_FULL');
    await eventually(
      'a place is free',
      () => ask(next.limits),
      (code) => code === 'in',
    );
    expect(await ask(next.limits)).toBe('TENANT_CALLS_FULL');
    // Both who are in are renewed, for longer than a place lasts that nobody renews.
    const firstMs = await earliestEnd();
    await eventually('they were renewed', earliestEnd, (endMs) => endMs > firstMs + 2 * placeMs);
    expect(await ask(next.limits)).toBe('TENANT_CALLS_FULL');
  });
});

describe('without Redis', () => {
  const limits = { calls_max: 2, calls_per_second_max: 100, minutes_per_day_max: 100 };
  /** As gateways have it. */
  const waitMs = wait_ms_max;

  it('each gateway counts by itself at once, and all together when it is back', async () => {
    const [one, other] = [await gateway(limits, { waitMs }), await gateway(limits, { waitMs })];
    const places = [await placeOf(one.limits)];
    await redis.stop();
    expect(await waitOf(one)).toBeLessThan(bound_ms);
    places.push(await placeOf(one.limits));
    expect(await ask(one.limits)).toBe('TENANT_CALLS_FULL');
    const others: Place[] = [await placeOf(other.limits), await placeOf(other.limits)];
    expect(await ask(other.limits)).toBe('TENANT_CALLS_FULL');
    expect(one.alone()).toBeGreaterThan(15);
    await redis.start();
    await Promise.all([isReady(one), isReady(other)]);
    // Four are in, of two: whoever asks next waits until three have left.
    const [first, second, third] = [...places, ...others];
    const late = await gateway(limits);
    await eventually(
      'the places are known again',
      () => ask(late.limits),
      (code) => code === 'TENANT_CALLS_FULL',
    );
    for (const place of [first, second]) {
      place?.leave();
      expect(await ask(late.limits)).toBe('TENANT_CALLS_FULL');
    }
    third?.leave();
    await eventually(
      'there is room',
      () => ask(late.limits),
      (code) => code === 'in',
    );
    expect(late.alone()).toBe(0);
  });

  it('calls do not wait for one that keeps its connection and says nothing', async () => {
    const one = await gateway(limits, { waitMs });
    redis.freeze();
    try {
      expect(await waitOf(one)).toBeLessThan(bound_ms);
      expect(one.alone()).toBe(15);
      const own = [await placeOf(one.limits), await placeOf(one.limits)];
      expect(await ask(one.limits)).toBe('TENANT_CALLS_FULL');
      own.forEach((place) => place.leave());
    } finally {
      redis.thaw();
    }
    const other = await gateway(limits);
    await placeOf(one.limits);
    await eventually(
      'they share again',
      () => ask(other.limits),
      (code) => code === 'in',
    );
    expect(await ask(one.limits)).toBe('TENANT_CALLS_FULL');
  });

  it('the minutes that passed are not forgotten', async () => {
    const clock = new ManualClock();
    const one = await gateway({ minutes_per_day_max: 3 }, { clock });
    const call = await placeOf(one.limits);
    call.answered();
    clock.advance(MINUTE_MS);
    await eventually(
      'a minute is booked',
      () => ask(one.limits),
      (code) => code === 'in',
    );
    await redis.stop();
    clock.advance(2 * MINUTE_MS);
    expect(await ask(one.limits)).toBe('TENANT_MINUTES_SPENT');
    await redis.start();
    await isReady(one);
    clock.advance(book_every_ms);
    const other = await gateway({ minutes_per_day_max: 3 });
    await eventually(
      'they are booked',
      () => ask(other.limits),
      (code) => code === 'TENANT_MINUTES_SPENT',
    );
  });

  it('a gateway that starts before Redis counts by itself until it comes', async () => {
    await redis.stop();
    const connection = connectRedis(redis.address, { patient: false, log: silent });
    const alone = new TenantLimits({ tenants: [limitsOf({ calls_max: 1 })], redis: connection, prefix });
    onTestFinished(async () => {
      await alone.close();
      connection.disconnect();
    });
    expect([await ask(alone), await ask(alone)]).toEqual(['in', 'TENANT_CALLS_FULL']);
    await redis.start();
    const other = await gateway({ calls_max: 1 });
    await eventually(
      'it is told',
      () => ask(other.limits),
      (code) => code === 'TENANT_CALLS_FULL',
    );
  });

  it('the end waits for it no longer than a moment', async () => {
    const clock = new ManualClock();
    const one = await gateway({ minutes_per_day_max: 3, calls_max: 5 }, { clock });
    (await placeOf(one.limits)).answered();
    clock.advance(1000);
    redis.freeze();
    const beganMs = performance.now();
    await one.limits.close();
    redis.thaw();
    expect(performance.now() - beganMs).toBeLessThan(3000);
  });
});
