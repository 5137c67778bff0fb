/** Connections to a Live server that are opened before anybody calls: free until a call starts there. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createLiveModel, type LiveModel } from '../../../src/agent/models/live/index.ts';
import { farewell_ms_max } from '../../../src/agent/models/live/limits.ts';
import { liveSettingsSchema, type LiveSettings } from '../../../src/agent/models/live/settings.ts';
import { ping_ms } from '../../../src/agent/models/voice-socket/limits.ts';
import type { ConnectOptions, WarmSession } from '../../../src/agent/voice-model.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import type { LiveConnection } from '../../support/realtime-server/live/connection.ts';
import { startRealtimeServer, type RealtimeServer } from '../../support/realtime-server/server.ts';
import { receptionist, type Told } from '../../support/recorded-session.ts';
import { until } from '../../support/until.ts';

const profile = { ...receptionist, model: { ...receptionist.model, adapter: 'live' as const } };

let server: RealtimeServer;
let model: LiveModel;
let clock: ManualClock;
let now: Date;
let reasons: string[];

beforeEach(async () => {
  clock = new ManualClock();
  now = new Date('2026-11-23T09:00:00Z');
  reasons = [];
  await serve();
});
afterEach(async () => {
  const closing = model.close();
  clock.advance(farewell_ms_max);
  clock.advance(farewell_ms_max);
  await closing;
  expect(model.openSessions).toBe(0);
  expect(clock.pending).toBe(0);
  await server.close();
});

async function serve(settings: Partial<LiveSettings> = {}): Promise<void> {
  server = await startRealtimeServer({ behave: () => ({}), behaveLive: () => ({}) });
  model = createLiveModel({
    ...{ baseUrl: server.baseUrl, apiKey: 'test-key', model: 'gpt-live-1', voice: 'marin' },
    ...{ connectTimeoutMs: 5000, appendMs: 20, clock, settings: liveSettingsSchema.parse(settings) },
  });
}

async function warm(): Promise<{ session: WarmSession; far: LiveConnection }> {
  const spent = (reason: string): void => void reasons.push(reason);
  const session = await model.warm?.({ profile, now: () => now, spent });
  if (session === undefined) throw new Error('nothing to warm');
  return { session, far: await server.liveConnection() };
}

function call(more: Partial<ConnectOptions> = {}): ConnectOptions & { readonly told: Told[] } {
  const told: Told[] = [];
  return {
    ...{ profile, codec: 'pcmu', callId: 'call_test', now: () => now },
    on: (name, payload) => told.push({ name, payload } as Told),
    told,
    ...more,
  };
}

describe('a connection that is opened ahead', () => {
  it('starts no session before a call has it, and then one with all that the call knows', async () => {
    const { session, far } = await warm();
    expect(session.usable).toBe(true);
    expect(far.received).toEqual([]);
    expect(model.openSessions).toBe(0);
    const ours = call({ codec: 'pcma', history: [{ from: 'caller', text: 'Hello?' }] });
    const attached = await session.attach(ours);
    attached.greet();
    await far.nth('session.commentary.append');
    const [started] = far.all('session.start');
    expect(started?.session).toMatchObject({
      audio: { format: { type: 'audio/pcma', rate: 8000 } },
      input: [{ role: 'user', content: [{ text: 'Hello?' }] }],
    });
    expect(ours.told[0]).toEqual({ name: 'ready', payload: {} });
    expect(server.liveConnections).toHaveLength(1);
    expect(reasons).toEqual([]);
  });

  it('is one call’s for good', async () => {
    const { session, far } = await warm();
    const [first, second] = [call(), call()];
    await session.attach(first);
    expect(session.usable).toBe(false);
    await expect(session.attach(second)).rejects.toMatchObject({ code: 'MODEL_UNAVAILABLE' });
    session.close();
    far.socket.terminate();
    await until('the call is told', () => first.told.some(({ name }) => name === 'closed'));
    expect(second.told).toEqual([]);
    expect(reasons).toEqual([]);
  });

  it('that the server ends is told once, and given to nobody', async () => {
    const { session, far } = await warm();
    far.socket.close(1001);
    await until('it is told', () => reasons.length > 0);
    expect(session.usable).toBe(false);
    await expect(session.attach(call())).rejects.toMatchObject({
      code: 'MODEL_UNAVAILABLE',
      retryable: true,
    });
    session.close();
    expect(reasons).toEqual(['the server closed the connection (1001)']);
  });

  it('that gives no sign of life is told as dead', async () => {
    const { session, far } = await warm();
    // The far end reads nothing any more, and so answers no ping.
    far.socket.pause();
    clock.advance(ping_ms);
    expect(session.usable).toBe(true);
    clock.advance(ping_ms);
    expect(session.usable).toBe(false);
    expect(reasons).toEqual([`no sign of life for ${ping_ms} ms`]);
  });

  it('lives on while its pings are answered', async () => {
    const { session, far } = await warm();
    for (let count = 1; count <= 3; count += 1) {
      const pinged = new Promise((resolve) => far.socket.once('ping', resolve));
      const answered = new Promise((resolve) => far.socket.once('pong', resolve));
      clock.advance(ping_ms);
      await pinged;
      // Our answer to a ping of its own comes behind the answer to ours.
      far.socket.ping();
      await answered;
    }
    expect(session.usable).toBe(true);
    session.close();
    expect(session.usable).toBe(false);
    await until('the server sees it go', () => far.socket.readyState === far.socket.CLOSED);
  });

  it('is closed with its model', async () => {
    const { session, far } = await warm();
    await model.close();
    expect(session.usable).toBe(false);
    await until('the server sees it go', () => far.socket.readyState === far.socket.CLOSED);
    expect(reasons).toEqual([]);
  });

  it('is not opened for a configuration that no call could use', async () => {
    await server.close();
    await serve({ delegation: 'responses', backend_model: '' });
    await expect(warm()).rejects.toMatchObject({ code: 'MODEL_UNAVAILABLE' });
    expect(server.liveConnections).toEqual([]);
  });
});
