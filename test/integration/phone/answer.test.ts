import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { ending } from '../../../src/base/ending.ts';
import { TrunklineError } from '../../../src/base/errors.ts';
import { NOTHING_OPEN, PhoneGround, PhoneStage, LOCAL_TRUNK } from '../../support/phone-door/stage.ts';
import { writeOffer } from '../../support/phone/sdp.ts';
import { PATIENCE_MS, SHORT_TIMERS } from '../../support/sip-server/table.ts';
import { until } from '../../support/until.ts';

let ground: PhoneGround;
let stage: PhoneStage;

beforeAll(async () => {
  ground = await PhoneGround.open(31_000);
});
afterEach(async () => {
  await stage.close();
  expect(await stage.leftovers()).toEqual(NOTHING_OPEN);
});
afterAll(async () => {
  await ground.close();
});

const offer = writeOffer({ port: 40_000, codecs: ['pcmu'] });
const never = (): Promise<void> => new Promise(() => undefined);
const answersAfter = { calls: { answer_after_ms: 50 } };

describe('an inbound call that is answered', () => {
  it('rings at once, is answered, greeted after the ACK, and ended by the caller', async () => {
    stage = await PhoneStage.open(ground);
    const caller = await stage.newCaller();
    caller.invite(offer);
    const ok = await caller.final('INVITE');
    expect(ok.status).toBe(200);
    expect(ok.header('Allow')).toContain('UPDATE');
    expect(caller.received.map((one) => one.status)).toContain(180);
    expect(stage.agent.greetings).toBe(0);
    caller.ack();
    await until('the agent greets', () => stage.agent.greetings === 1);
    expect(stage.door.calls).toBe(1);
    expect((await caller.bye()).status).toBe(200);
    const cdr = await stage.lastCdr();
    expect(cdr).toMatchObject({
      sipCallId: caller.callId,
      trunk: 'local',
      tenant: 'default',
      profile: 'clinic',
      number: '+15550100',
      from: '+15550199',
      to: '+15550100',
      source: `udp 127.0.0.1:${caller.port}`,
      codec: 'pcmu',
      ending: 'caller-hung-up',
      endingClass: 'success',
      sipStatus: 200,
      q850: 16,
      digits: 0,
      holds: 0,
    });
    expect(cdr['answeredAt']).toEqual(expect.any(String));
    expect(cdr['media']).toMatchObject({
      fromCaller: { packets: 0 },
      toCaller: { ssrc: expect.any(Number) as unknown },
    });
    expect(cdr['media']).not.toHaveProperty('dtmf');
    expect(stage.agent.closed).toBe(true);
  });

  it('is ended by the agent: BYE says why, and the journal keeps the ending', async () => {
    stage = await PhoneStage.open(ground);
    const caller = await stage.newCaller();
    await caller.call(offer);
    stage.agent.events.emit('hangUp', { reason: 'booked' });
    const bye = await caller.request('BYE');
    expect(bye.header('Reason')).toBe('Q.850;cause=16;text="The agent finished the call"');
    expect(await stage.lastCdr()).toMatchObject({ ending: 'agent-hung-up', detail: 'booked' });
    const [record] = stage.journal.list({ sipCallId: caller.callId });
    expect(record?.ending?.slug).toBe('agent-hung-up');
    expect(record?.timeline.map((entry) => entry.type)).toEqual(['ringing', 'answered']);
  });

  it('survives a BYE that crosses ours', async () => {
    stage = await PhoneStage.open(ground);
    const caller = await stage.newCaller();
    await caller.call(offer);
    await until('the agent greets', () => stage.agent.greetings === 1);
    stage.agent.events.emit('hangUp', { reason: 'done' });
    caller.send({ method: 'BYE' });
    // Which of the two a drachtio-server sees first is open.
    expect((await caller.final('BYE')).status).toBeLessThan(500);
    await stage.lastCdr();
    expect(stage.cdrs).toHaveLength(1);
  });

  it('is answered after answer_after_ms when the agent is slow, which greets as soon as it can', async () => {
    const ready = Promise.withResolvers<undefined>();
    stage = await PhoneStage.open(ground, answersAfter, () => ready.promise.then(() => undefined));
    const caller = await stage.newCaller();
    await caller.call(offer);
    // It is told to at once: whether it has anything to say yet, its voice knows best.
    await until('the agent is told to greet', () => stage.agent.greetings === 1);
    ready.resolve(undefined);
    await caller.bye();
    expect(await stage.lastCdr()).toMatchObject({ ending: 'caller-hung-up' });
    expect(stage.agent.greetings).toBe(1);
  });

  it('takes a BYE that comes without an ACK, right after the 200', async () => {
    stage = await PhoneStage.open(ground);
    const caller = await stage.newCaller();
    caller.invite(offer);
    await caller.final('INVITE');
    expect((await caller.bye()).status).toBe(200);
    expect(await stage.lastCdr()).toMatchObject({ ending: 'caller-hung-up' });
    expect(stage.agent.greetings).toBe(0);
  });

  it('ends as ack-timeout when the ACK never comes', { timeout: 2 * PATIENCE_MS }, async () => {
    stage = await PhoneStage.open(ground, { timers: SHORT_TIMERS });
    const caller = await stage.newCaller();
    caller.invite(offer);
    await caller.final('INVITE');
    await caller.request('BYE', PATIENCE_MS);
    expect(await stage.lastCdr()).toMatchObject({ ending: 'ack-timeout', q850: 102 });
  });

  it('ends as max-duration', async () => {
    stage = await PhoneStage.open(ground, { calls: { duration_max_ms: 100 } });
    const caller = await stage.newCaller();
    await caller.call(offer);
    expect((await caller.request('BYE')).header('Reason')).toContain('longest allowed');
    expect(await stage.lastCdr()).toMatchObject({ ending: 'max-duration' });
  });

  it('ends as rtp-timeout when the caller is silent, with the cause in BYE', async () => {
    const media = { ...LOCAL_TRUNK.media, rtp_timeout_ms: 200 };
    stage = await PhoneStage.open(ground, { trunks: [{ ...LOCAL_TRUNK, media }] });
    const caller = await stage.newCaller();
    await caller.call(offer);
    expect((await caller.request('BYE')).header('Reason')).toContain('cause=102');
    expect(await stage.lastCdr()).toMatchObject({ ending: 'rtp-timeout', endingClass: 'indeterminate' });
  });

  it('tells the caller by a tone when the agent fails, then ends as model-unavailable', async () => {
    stage = await PhoneStage.open(ground);
    const caller = await stage.newCaller();
    await caller.call(offer);
    await until('the agent greets', () => stage.agent.greetings === 1);
    stage.agent.events.emit('failed', { code: 'MODEL_UNAVAILABLE', detail: 'the socket closed' });
    await caller.request('BYE');
    const cdr = await stage.lastCdr();
    expect(cdr).toMatchObject({ ending: 'model-unavailable', endingClass: 'upstream' });
    expect(Number(cdr['talkingMs'])).toBeGreaterThan(1400);
    const [record] = stage.journal.list();
    expect(record?.timeline.map((entry) => entry.type)).toContain('trouble');
  });
});

describe('an inbound call that is never answered', () => {
  it('is cancelled while it rings: 487, and everything that was opened is closed', async () => {
    stage = await PhoneStage.open(ground, {}, never);
    const caller = await stage.newCaller();
    caller.invite(offer);
    await caller.waitFor('180', (one) => one.status === 180);
    caller.cancel();
    expect((await caller.final('INVITE')).status).toBe(487);
    expect(await stage.lastCdr()).toMatchObject({ ending: 'caller-cancelled', sipStatus: 487 });
  });

  it('is cancelled while the 200 is on its way: one of the two wins, and nothing breaks', async () => {
    const ready = Promise.withResolvers<undefined>();
    stage = await PhoneStage.open(ground, {}, () => ready.promise.then(() => undefined));
    const callers = await Promise.all(Array.from({ length: 20 }, () => stage.newCaller()));
    const ringing = callers.map((caller) => {
      caller.invite(offer);
      return caller.waitFor('180', (one) => one.status === 180);
    });
    await Promise.all(ringing);
    const finals = callers.map(async (caller) => {
      caller.cancel();
      const final = await caller.final('INVITE');
      if (final.status !== 200) return;
      caller.ack();
      await caller.bye();
    });
    ready.resolve(undefined);
    await Promise.all(finals);
    await until('all calls are over', () => stage.door.calls === 0);
    const endings = stage.cdrs.map((cdr) => cdr['ending']);
    expect(endings).toHaveLength(20);
    expect(endings.filter((one) => one !== 'caller-cancelled' && one !== 'caller-hung-up')).toEqual([]);
  });

  it('is cancelled before it rings', async () => {
    stage = await PhoneStage.open(ground, {}, never);
    const caller = await stage.newCaller();
    caller.invite(offer);
    caller.cancel();
    expect((await caller.final('INVITE')).status).toBe(487);
    await until('all calls are over', () => stage.door.calls === 0);
  });

  it('gets 503 with the cause when the agent fails while it rings', async () => {
    const failing = (): Promise<void> => Promise.reject(new TrunklineError('MODEL_UNAVAILABLE', 'no key'));
    stage = await PhoneStage.open(ground, {}, failing);
    const caller = await stage.newCaller();
    caller.invite(offer);
    const refused = await caller.final('INVITE');
    expect(refused.status).toBe(503);
    expect(refused.header('Retry-After')).not.toBe('');
    expect(refused.header('Reason')).toBe(`Q.850;cause=41;text="${ending('model-unavailable').text}"`);
    expect(await stage.lastCdr()).toMatchObject({ ending: 'model-unavailable', sipStatus: 503 });
  });

  it('gets 503 when the gateway stops', async () => {
    stage = await PhoneStage.open(ground, {}, never);
    const caller = await stage.newCaller();
    caller.invite(offer);
    await caller.waitFor('180', (one) => one.status === 180);
    await stage.door.close();
    expect((await caller.final('INVITE')).status).toBe(503);
    expect(await stage.lastCdr()).toMatchObject({ ending: 'shutting-down' });
  });
});

describe('many calls at once', () => {
  it('each get their own agent, and each is ended once', async () => {
    stage = await PhoneStage.open(ground);
    const callers = await Promise.all(Array.from({ length: 12 }, () => stage.newCaller()));
    await Promise.all(callers.map((caller) => caller.call(offer)));
    expect(stage.door.calls).toBe(12);
    expect(new Set(stage.agents.map((agent) => agent.options.callId)).size).toBe(12);
    await Promise.all(callers.map((caller) => caller.bye()));
    await until('all calls are over', () => stage.door.calls === 0);
    expect(stage.cdrs).toHaveLength(12);
  });
});
