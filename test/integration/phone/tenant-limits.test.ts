/** Calls by real SIP whose tenants have limits: who is refused is told why, and nobody waits for Redis. */
import { afterAll, afterEach, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { connectRedis } from '../../../src/jobs/redis.ts';
import type { TenantLimitSettings } from '../../../src/limits/settings.ts';
import { book_every_ms, TenantLimits, type TenantLimitsOptions } from '../../../src/limits/tenant-limits.ts';
import { FREE_PLACE, type LimitReached, type Place, type TenantGate } from '../../../src/room/tenant-gate.ts';
import { startRedis } from '../../support/jobs/redis.ts';
import { limitsOf } from '../../support/limits/settings.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { NOTHING_OPEN, PhoneGround, PhoneStage } from '../../support/phone-door/stage.ts';
import type { SipCaller } from '../../support/phone-door/caller.ts';
import { writeOffer } from '../../support/phone/sdp.ts';
import { silent } from '../../support/store/databases.ts';
import { eventually, until } from '../../support/until.ts';

const MINUTE_MS = 60_000;
const offer = writeOffer({ port: 40_000, codecs: ['pcmu'] });

let ground: PhoneGround;
let stage: PhoneStage;
beforeAll(async () => {
  ground = await PhoneGround.open(32_600);
});
afterEach(async () => {
  await stage.close();
  expect(await stage.leftovers()).toEqual(NOTHING_OPEN);
});
afterAll(() => ground.close());

const refusedLine = (): Record<string, unknown> | undefined =>
  stage.log.find((entry) => entry.msg.startsWith('call refused'));

async function open(
  limits: Partial<TenantLimitSettings>,
  options: Partial<TenantLimitsOptions> = {},
): Promise<TenantLimits> {
  const tenants = [limitsOf({ tenant: 'default', ...limits })];
  const gate = new TenantLimits({ tenants, redis: undefined, prefix: 'test', ...options });
  onTestFinished(() => gate.close());
  stage = await PhoneStage.open(ground, { tenantGate: gate });
  return gate;
}

/** The gateway has the caller's ACK: minutes pass from now on. */
async function callWhoseMinutesPass(): Promise<SipCaller> {
  const caller = await stage.newCaller();
  await caller.call(offer);
  await until('the call is answered', () =>
    stage.journal.list().some(({ timeline }) => timeline.some(({ type }) => type === 'answered')),
  );
  return caller;
}

/** A gate that answers when the test says so. */
function openAtLast(): {
  gate: TenantGate;
  answer: (outcome: Place | LimitReached) => void;
  asked: () => number;
} {
  const { promise, resolve } = Promise.withResolvers<Place | LimitReached>();
  let asked = 0;
  const enter = (): Promise<Place | LimitReached> => {
    asked += 1;
    return promise;
  };
  return { gate: { enter }, answer: resolve, asked: () => asked };
}

describe('the minutes of a tenant', () => {
  it('refuse calls once they are spent: 480, when to try again, and why in the log and the CDR', async () => {
    const clock = new ManualClock();
    // Half past eleven at night in London.
    const now = (): Date => new Date('2026-11-26T23:30:00Z');
    await open({ minutes_per_day_max: 2, time_zone: 'Europe/London' }, { clock, now });
    const first = await callWhoseMinutesPass();
    const second = await stage.newCaller();
    clock.advance(2 * MINUTE_MS);
    second.invite(offer);
    const final = await second.final('INVITE');
    expect([final.status, final.header('Retry-After')]).toEqual([480, '1800']);
    expect(final.header('Reason')).toContain('Q.850;cause=21');
    const detail = 'TENANT_MINUTES_SPENT: minutes_per_day_max (2) of tenant default is reached';
    expect(refusedLine()).toMatchObject({ ending: 'minutes-spent', step: 'spare other tenants', detail });
    expect(stage.cdrs).toMatchObject([{ ending: 'minutes-spent', sipStatus: 480, detail }]);
    expect(stage.door.refusals.get('minutes-spent')).toBe(1);
    // The call that spent them goes on.
    expect(stage.door.calls).toBe(1);
    await first.bye();
  });

  it('end calls in progress when the tenant wants it, and say so in the BYE', async () => {
    const clock = new ManualClock();
    await open({ minutes_per_day_max: 1, minutes_end_calls: true }, { clock });
    const caller = await callWhoseMinutesPass();
    clock.advance(4 * book_every_ms);
    const bye = await caller.waitFor('BYE', (one) => one.method === 'BYE');
    expect(bye.header('Reason')).toContain('cause=21');
    expect(await stage.lastCdr()).toMatchObject({ ending: 'minutes-spent', endingClass: 'client' });
  });

  it('do not pass while it rings', async () => {
    const clock = new ManualClock();
    const tenants = [limitsOf({ tenant: 'default', minutes_per_day_max: 1 })];
    const tenantGate = new TenantLimits({ tenants, redis: undefined, prefix: 'test', clock });
    const calls = { answer_after_ms: 30_000 };
    stage = await PhoneStage.open(ground, { tenantGate, calls }, () => new Promise(() => undefined));
    const [first, second] = await Promise.all([stage.newCaller(), stage.newCaller()]);
    first.invite(offer);
    await first.waitFor('180', (one) => one.status === 180);
    clock.advance(5 * MINUTE_MS);
    second.invite(offer);
    await second.waitFor('180', (one) => one.status === 180);
    first.cancel();
    second.cancel();
    await until('both are over', () => stage.door.calls === 0);
    await tenantGate.close();
  });
});

describe('new calls of a second', () => {
  it('beyond what a tenant may have get 503, and when to try again', async () => {
    await open({ calls_per_second_max: 1 });
    const [first, second] = await Promise.all([stage.newCaller(), stage.newCaller()]);
    first.invite(offer);
    second.invite(offer);
    const finals = await Promise.all([first.final('INVITE'), second.final('INVITE')]);
    const [refused] = finals.filter((one) => one.status !== 200);
    expect(finals.map((one) => one.status).sort()).toEqual([200, 503]);
    expect(refused?.header('Retry-After')).toBe('1');
    expect(String(refusedLine()?.['detail'])).toContain('TENANT_CALLS_TOO_FAST: calls_per_second_max (1)');
  });
});

describe('while the place of a call is asked for', () => {
  it('a caller who gives up makes a call that was cancelled', async () => {
    const { gate, answer, asked } = openAtLast();
    stage = await PhoneStage.open(ground, { tenantGate: gate });
    const caller = await stage.newCaller();
    caller.invite(offer);
    await until('the gate is asked', () => asked() === 1);
    caller.cancel();
    expect((await caller.final('INVITE')).status).toBe(487);
    // What the gateway answers after the CANCEL it has read after the CANCEL.
    expect((await (await stage.newCaller()).ask({ method: 'OPTIONS' })).status).toBe(200);
    let left = 0;
    answer({ ...FREE_PLACE, leave: () => (left += 1) });
    await until('the CDR', () => stage.cdrs.length === 1);
    expect(await stage.lastCdr()).toMatchObject({ ending: 'caller-cancelled', sipStatus: 487 });
    expect(left).toBe(1);
    expect(stage.agents).toEqual([]);
  });

  it('a stop refuses it, and waits for it', async () => {
    const { gate, answer, asked } = openAtLast();
    stage = await PhoneStage.open(ground, { tenantGate: gate });
    const caller = await stage.newCaller();
    caller.invite(offer);
    await until('the gate is asked', () => asked() === 1);
    expect(stage.door.calls).toBe(1);
    const closing = stage.door.close();
    answer(FREE_PLACE);
    expect((await caller.final('INVITE')).status).toBe(503);
    await closing;
    expect(stage.cdrs).toMatchObject([{ ending: 'shutting-down' }]);
  });

  it('it counts as a call, and the same INVITE by another way is a loop', async () => {
    const { gate, answer, asked } = openAtLast();
    stage = await PhoneStage.open(ground, { tenantGate: gate, calls: { max: 1 } });
    const [caller, other] = await Promise.all([stage.newCaller(), stage.newCaller()]);
    caller.invite(offer);
    await until('the gate is asked', () => asked() === 1);
    other.invite(offer);
    expect((await other.final('INVITE')).status).toBe(503);
    expect(refusedLine()).toMatchObject({ step: 'have room' });
    answer(FREE_PLACE);
    expect((await caller.final('INVITE')).status).toBe(200);
    caller.ack();
    await caller.bye();
  });
});

describe('calls of a gateway whose Redis is gone', () => {
  it('are answered without a wait, counted alone, and together again when it is back', async () => {
    const redis = await startRedis('no');
    const connection = connectRedis(redis.address, { patient: false, log: silent });
    onTestFinished(async () => {
      connection.disconnect();
      await redis.close();
    });
    await until('the connection', () => connection.status === 'ready');
    const limits = { calls_max: 3, calls_per_second_max: 50, minutes_per_day_max: 1000 };
    const gate = await open(limits, { redis: connection });
    const waits: number[] = [];
    const enter = gate.enter.bind(gate);
    gate.enter = async (entry) => {
      const beganMs = performance.now();
      const outcome = await enter(entry);
      waits.push(performance.now() - beganMs);
      return outcome;
    };
    const first = await stage.newCaller();
    await first.call(offer);
    let alone = 0;
    gate.events.on('alone', () => (alone += 1));
    await redis.stop();
    waits.length = 0;
    const callers = await Promise.all([stage.newCaller(), stage.newCaller(), stage.newCaller()]);
    const [second, third, fourth] = callers;
    await second.call(offer);
    await third.call(offer);
    fourth.invite(offer);
    expect((await fourth.final('INVITE')).status).toBe(503);
    expect(waits.sort((a, b) => a - b)[1]).toBeLessThan(25);
    // The fourth was refused by the calls that are open here, which no Redis need be asked for.
    expect(alone).toBe(3);
    await redis.start();
    await until('the connection is back', () => connection.status === 'ready', 20_000);
    await Promise.all([first, second, third].map((one) => one.bye()));
    await until('all calls are over', () => stage.door.calls === 0);
    await eventually(
      'a call that is counted together',
      async () => {
        const before = alone;
        const last = await stage.newCaller();
        await last.call(offer);
        await last.bye();
        return alone - before;
      },
      (counted) => counted === 0,
    );
  });
});
