/** How a call begins when its model is slow: with a sentence of our own, or with a spare session. */
import { afterEach, describe, expect, it } from 'vitest';
import { agentProfileSchema, type AgentProfile } from '../../../src/agent/profile.ts';
import { TestGateway, type TestGatewayOptions } from '../../support/gateway.ts';
import type { CallRecord } from '../../support/operator.ts';
import type { PhoneCall } from '../../support/phone/call.ts';
import { TestPhone } from '../../support/phone/phone.ts';
import { cannedSound } from '../../support/realtime-server/canned-sound.ts';
import { startRealtimeServer, type RealtimeServer } from '../../support/realtime-server/server.ts';
import { talker, type TalkerOptions } from '../../support/realtime-server/talker.ts';
import { until } from '../../support/until.ts';

const number = '+15550102';
const greeting = 'Good morning.';

let server: RealtimeServer;
let gateway: TestGateway;
let phone: TestPhone;
afterEach(async () => {
  await phone.close();
  await gateway.close();
  await server.close();
});

const profile = (spares: number): AgentProfile =>
  agentProfileSchema.parse({
    ...{ name: 'far', model: { adapter: 'realtime', spares }, greeting, goodbye: 'Bye.' },
    ...{ not_understood: ['Sorry?'], still_there: ['Are you there?'], anything_else: 'Anything else?' },
    tasks: [{ name: 'talk', phrases: ['hello'], done: 'Done.' }],
    turns: { idle_ms: 60_000 },
  });

async function start(
  waits: Pick<TalkerOptions, 'sessionMs' | 'firstSoundMs'>,
  options: { spares?: number; apiKey?: string } & Pick<TestGatewayOptions, 'calls' | 'threads'> = {},
): Promise<void> {
  const { spares = 0, apiKey = 'test-key', ...more } = options;
  const behave = talker({ sound: cannedSound(600), words: greeting, ...waits });
  server = await startRealtimeServer({ behave, apiKey: 'test-key' });
  gateway = await TestGateway.start({
    trunks: [{ name: 'local', allow: ['127.0.0.1/32'] }],
    numbers: [{ number, profile: 'far' }],
    profiles: [profile(spares)],
    realtime: { base_url: server.baseUrl, api_key: apiKey },
    ...more,
  });
  phone = await TestPhone.start();
}

/** One of the figures that Prometheus reads, summed over the threads. */
async function figure(name: string, label = ''): Promise<number> {
  const page = await (await fetch(`${gateway.operatorUrl}/metrics`)).text();
  const lines = page.split('\n').filter((line) => line.startsWith(`${name}{`) && line.includes(label));
  return lines.reduce((sum, line) => sum + Number(line.split(' ').at(-1)), 0);
}

const sparesThere = (count: number): Promise<void> =>
  expect.poll(() => figure('trunkline_spare_sessions'), { timeout: 20_000 }).toBe(count);

/** The record of a call whose caller has heard the greeting. */
const greeted = (call: PhoneCall): Promise<CallRecord> =>
  gateway.record(
    call.sipCallId,
    'the greeting was said',
    ({ timeline }) => timeline.some((entry) => entry.type === 'said' && entry.text === greeting),
    30_000,
  );

describe('a caller whose model is slow', () => {
  it(
    'is answered in time, hears that somebody is there, and then the greeting',
    { timeout: 60_000 },
    async () => {
      await start({ sessionMs: 300, firstSoundMs: 3500 }, { calls: { answer_after_ms: 500 } });
      const call = await phone.dial({ to: number, target: gateway.target });
      const voicedMs: number[] = [];
      call.ear.onVoiced = (voiced) => {
        if (voiced) voicedMs.push(performance.now());
      };
      const { timeline } = await greeted(call);
      const said = timeline.flatMap((entry) => (entry.type === 'said' ? [entry.text] : []));
      expect(said.at(-1)).toBe(greeting);
      // The model was not lost, nor was another session opened.
      expect(timeline.filter((entry) => entry.type === 'failover')).toEqual([]);
      expect(server.connections).toHaveLength(1);
      const moments = [call.answeredMs, ...voicedMs];
      const silencesMs = moments.slice(1).map((atMs, index) => atMs - (moments[index] ?? 0));
      expect(Math.max(...silencesMs)).toBeLessThan(2000);
      await call.hangUp();
      expect(await gateway.leftOpen()).toEqual([]);
    },
  );
});

describe('spare sessions', () => {
  const slow_session_ms = 4000;

  it('spare a caller the connection, and are replaced', { timeout: 60_000 }, async () => {
    const calls = { answer_after_ms: 20_000 };
    await start({ sessionMs: slow_session_ms, firstSoundMs: 0 }, { spares: 1, calls });
    await sparesThere(1);
    const dialledMs = performance.now();
    const call = await phone.dial({ to: number, target: gateway.target });
    expect(call.answeredMs - dialledMs).toBeLessThan(slow_session_ms);
    await until('the greeting is heard', () => call.ear.speaking);
    expect(server.connections.map((far) => far.all('response.create').length)[0]).toBe(1);
    await sparesThere(1);
    expect(await figure('trunkline_spare_sessions_total', 'outcome="taken"')).toBe(1);
    expect(await figure('trunkline_spare_sessions_total', 'outcome="opened"')).toBe(2);
    await call.hangUp();
    expect((await gateway.cdr(call.sipCallId)).ending).toBe('caller-hung-up');
    // The one that served is gone with its call; the other waits on.
    expect(server.connections.map((far) => far.socket.readyState === far.socket.OPEN)).toEqual([false, true]);
    expect(await gateway.leftOpen()).toEqual([]);
  });

  it('are shared out among the threads', { timeout: 60_000 }, async () => {
    await start({}, { spares: 3, threads: 2 });
    await sparesThere(3);
    expect(await figure('trunkline_spare_sessions', 'thread="media-0"')).toBe(2);
    expect(await figure('trunkline_spare_sessions', 'thread="media-1"')).toBe(1);
  });

  it('are closed when the gateway is to stop, and calls go on', { timeout: 60_000 }, async () => {
    await start({}, { spares: 2, calls: { drain_ms: 20_000 } });
    await sparesThere(2);
    const call = await phone.dial({ to: number, target: gateway.target });
    await until('the greeting is heard', () => call.ear.speaking);
    await sparesThere(2);
    const drained = gateway.gateway.drain();
    await until(
      'only the call has a session',
      () => server.connections.filter(({ socket }) => socket.readyState === socket.OPEN).length === 1,
    );
    expect(call.over).toBe(false);
    await call.hangUp();
    await drained;
    expect(server.connections).toHaveLength(3);
  });

  it(
    'that cannot be had are told in the log, and calls fare as without them',
    { timeout: 60_000 },
    async () => {
      await start({}, { spares: 2, apiKey: 'wrong' });
      const told = (): boolean =>
        gateway.complaints.some((line) => line.msg === 'no spare session can be opened');
      await until('the log says it', told, 10_000);
      expect(await figure('trunkline_spare_sessions_total', 'outcome="failed"')).toBe(1);
      const call = await phone.dial({ to: number, target: gateway.target });
      // The offline voice takes over, although the profile wants spare sessions of a model that it is not.
      const { timeline } = await greeted(call);
      expect(timeline.filter((entry) => entry.type === 'trouble')).toEqual([]);
      await call.hangUp();
      expect(await figure('trunkline_spare_sessions_total', 'outcome="missed"')).toBe(1);
      expect(await figure('trunkline_spare_sessions_total', 'outcome="failed"')).toBe(1);
    },
  );
});
