/** Sessions that are opened before anybody calls, against the local server: whose they are, how they end. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createRealtimeModel, type RealtimeModel } from '../../../src/agent/models/realtime/index.ts';
import { expiry_notice_ms } from '../../../src/agent/models/voice-socket/limits.ts';
import { OpensPerHour } from '../../../src/agent/opens-per-hour.ts';
import { retry_ms_max, SpareShelf } from '../../../src/agent/spare-shelf.ts';
import type { SpareEvent } from '../../../src/agent/spares.ts';
import type { ConnectOptions, WarmSession } from '../../../src/agent/voice-model.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { cannedSound } from '../../support/realtime-server/canned-sound.ts';
import { script, type Step } from '../../support/realtime-server/script.ts';
import {
  startRealtimeServer,
  type RealtimeServer,
  type RealtimeServerOptions,
} from '../../support/realtime-server/server.ts';
import { talker } from '../../support/realtime-server/talker.ts';
import { receptionist, type Told } from '../../support/recorded-session.ts';
import { until } from '../../support/until.ts';

const morning = new Date('2026-11-23T09:00:00Z');
const afternoon = new Date('2026-11-23T14:30:00Z');

let server: RealtimeServer;
let model: RealtimeModel;
let clock: ManualClock;
let now: Date;
let reasons: string[];

beforeEach(() => {
  clock = new ManualClock();
  now = morning;
  reasons = [];
});
afterEach(async () => {
  await model.close();
  expect(model.openSessions).toBe(0);
  expect(clock.pending).toBe(0);
  await server.close();
});

async function serve(options: Partial<RealtimeServerOptions> = {}): Promise<void> {
  const behave = talker({ sound: cannedSound(200), words: 'Good morning.' });
  server = await startRealtimeServer({ behave, apiKey: 'test-key', ...options });
  model = createRealtimeModel({
    ...{ baseUrl: server.baseUrl, apiKey: 'test-key', model: 'gpt-realtime-2.1', voice: 'marin' },
    ...{ connectTimeoutMs: 5000, appendMs: 20, clock },
  });
}

async function warm(): Promise<WarmSession> {
  const spent = (reason: string): void => void reasons.push(reason);
  const session = await model.warm?.({ profile: receptionist, now: () => now, spent });
  if (session === undefined) throw new Error('nothing to warm');
  return session;
}

/** A call, and what it was told. */
function call(more: Partial<ConnectOptions> = {}): ConnectOptions & { readonly told: Told[] } {
  const told: Told[] = [];
  return {
    ...{ profile: receptionist, codec: 'pcmu', callId: 'call_test', now: () => now },
    on: (name, payload) => told.push({ name, payload } as Told),
    told,
    ...more,
  };
}

describe('a session that is opened ahead', () => {
  it('takes the settings of its profile, and asks for nothing', async () => {
    await serve();
    const session = await warm();
    const far = await server.connection();
    expect(far.received.map((event) => event.type)).toEqual(['session.update']);
    expect(far.session.instructions).toContain(receptionist.prompt);
    expect(session.usable).toBe(true);
    session.close();
    expect(session.usable).toBe(false);
  });

  it('gets what only the call knows before it says a word: the hour, its codec, its tools', async () => {
    await serve();
    const session = await warm();
    now = afternoon;
    const parameters = { type: 'object', properties: {} };
    const tools = { book: { description: 'Books.', parameters } };
    const ours = call({ codec: 'pcma', tools, history: [{ from: 'caller', text: 'Hello?' }] });
    const attached = await session.attach(ours);
    attached.greet();
    const far = await server.connection();
    await far.nth('response.create');
    expect(far.received.map((event) => event.type)).toEqual([
      'session.update',
      'session.update',
      'conversation.item.create',
      'response.create',
    ]);
    expect(far.session.instructions).toContain('14:30');
    expect(far.session.audio?.input?.format).toEqual({ type: 'audio/pcma' });
    expect(far.session.audio?.output?.format).toEqual({ type: 'audio/pcma' });
    expect(far.session.tools).toMatchObject([{ name: 'book' }, { name: 'hang_up' }]);
    await until('the greeting is there', () => ours.told.some((one) => one.name === 'replyDone'));
    expect(ours.told[0]).toEqual({ name: 'ready', payload: {} });
    expect(ours.told.map((one) => one.name)).toContain('audio');
    expect(far.refused).toEqual([]);
    // The call's sound goes the same way.
    attached.hear(new Uint8Array(160), 0);
    await far.nth('input_audio_buffer.append');
    expect(reasons).toEqual([]);
  });

  it('gets nothing twice', async () => {
    await serve();
    const session = await warm();
    (await session.attach(call())).greet();
    const far = await server.connection();
    await far.nth('response.create');
    expect(far.all('session.update')).toHaveLength(1);
  });

  it('is one call’s for good', async () => {
    await serve();
    const session = await warm();
    const [first, second] = [call(), call()];
    await session.attach(first);
    expect(session.usable).toBe(false);
    await expect(session.attach(second)).rejects.toMatchObject({ code: 'MODEL_UNAVAILABLE' });
    expect(second.told).toEqual([]);
    (await server.connection()).socket.terminate();
    await until('the call is told', () => first.told.some((one) => one.name === 'closed'));
    expect(first.told.map((one) => one.name)).toEqual(['ready', 'failed', 'closed']);
    expect(reasons).toEqual([]);
  });

  it('tells the call when the settings are refused that only the call has', async () => {
    const steps: Step[] = [
      { send: (far) => ({ type: 'session.created', session: far.session as never }) },
      { until: 'session.update' },
      { send: (far) => ({ type: 'session.updated', session: far.session as never }) },
      { until: 'session.update' },
      {
        send: (far) => {
          const event_id = far.all('session.update')[1]?.event_id ?? null;
          const error = { type: 'invalid_request_error', code: 'invalid_value', message: 'No.', event_id };
          return { type: 'error', error };
        },
      },
    ];
    await serve({ behave: script(steps) });
    const session = await warm();
    const ours = call({ codec: 'pcma' });
    await session.attach(ours);
    await until('the call is told', () => ours.told.some((one) => one.name === 'closed'));
    expect(ours.told[1]).toMatchObject({ name: 'failed', payload: { code: 'MODEL_UNAVAILABLE' } });
  });
});

describe('a session that ends before anybody calls', () => {
  it('is told once, and given to nobody', async () => {
    await serve();
    const session = await warm();
    (await server.connection()).socket.close(1001);
    await until('it is told', () => reasons.length > 0);
    expect(session.usable).toBe(false);
    const ours = call();
    await expect(session.attach(ours)).rejects.toMatchObject({ code: 'MODEL_UNAVAILABLE', retryable: true });
    expect(reasons).toEqual(['the server closed the connection (1001)']);
    expect(ours.told).toEqual([]);
  });

  it('is told while the vendor would still keep it for a while', async () => {
    const leftMs = expiry_notice_ms + 5000;
    const expires_at = (morning.getTime() + leftMs) / 1000;
    await serve({
      behave: () => ({
        opened: (far) =>
          far.send({ type: 'session.created', session: { ...far.session, expires_at } as never }),
      }),
    });
    const session = await warm();
    clock.advance(4999);
    expect(session.usable).toBe(true);
    clock.advance(1);
    expect(reasons).toEqual([`the vendor ends it in ${expiry_notice_ms} ms`]);
    expect(session.usable).toBe(false);
    session.close();
  });
});

describe('a shelf of sessions with the local server', () => {
  let shelf: SpareShelf;
  let events: SpareEvent[];
  afterEach(() => shelf.close());

  function shelve(size: number): void {
    events = [];
    shelf = new SpareShelf({
      ...{ profile: receptionist, size, clock, ageMaxMs: 600_000, opens: new OpensPerHour(100) },
      warm: (options) => model.warm?.(options) ?? Promise.reject(new Error('nothing to warm')),
      now: () => now,
      report: (event) => events.push(event),
    });
    clock.advance(0);
  }
  const waiting = (count: number): Promise<void> =>
    until(`${count} wait`, () => shelf.figures.waiting === count);

  it('gives two calls a connection each, and each hears its own greeting only', async () => {
    await serve();
    shelve(2);
    await waiting(2);
    const calls = [call({ callId: 'call_1' }), call({ callId: 'call_2' })];
    for (const one of calls) (await shelf.take()?.attach(one))?.greet();
    for (const one of calls)
      await until('it is greeted', () => one.told.some(({ name }) => name === 'replyDone'));
    const greeted = server.connections.map((far) => far.all('response.create').length);
    expect(greeted.slice(0, 2)).toEqual([1, 1]);
    for (const one of calls) expect(one.told.filter(({ name }) => name === 'replyStarted')).toHaveLength(1);
    await waiting(2);
    expect(server.connections).toHaveLength(4);
  });

  it('replaces one that the server ended, without a call noticing', async () => {
    await serve();
    shelve(1);
    await waiting(1);
    (await server.connection()).socket.terminate();
    await waiting(0);
    clock.advance(1000);
    await waiting(1);
    const ours = call();
    (await shelf.take()?.attach(ours))?.greet();
    await until('it is greeted', () => ours.told.some(({ name }) => name === 'replyDone'));
    expect(server.connections[1]?.all('response.create')).toHaveLength(1);
    await waiting(1);
  });

  it('does not hammer a vendor that refuses the key', async () => {
    let asked = 0;
    await serve({
      refuse: () => {
        asked += 1;
        return { status: 401 };
      },
    });
    shelve(3);
    await until('it was refused', () => events.length === 1);
    expect(events[0]).toMatchObject({ what: 'failed', retryMs: retry_ms_max });
    expect(events[0]?.detail).toContain('refused the API key');
    clock.advance(retry_ms_max - 1);
    expect(shelf.figures.failed).toBe(1);
    clock.advance(1);
    await until('it was refused again', () => events.length === 2);
    expect(asked).toBe(2);
  });
});
