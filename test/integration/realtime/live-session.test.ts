/** The Live adapter against a server whose every word a test writes down. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { LiveOptions } from '../../../src/agent/models/live/index.ts';
import { farewell_ms_max, goodbye_quiet_ms, quiet_ms } from '../../../src/agent/models/live/limits.ts';
import { liveSettingsSchema } from '../../../src/agent/models/live/settings.ts';
import { errors_max, expiry_notice_ms } from '../../../src/agent/models/voice-socket/limits.ts';
import { modelUsage } from '../../../src/agent/usage.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { cannedSound } from '../../support/realtime-server/canned-sound.ts';
import type { LiveConnection } from '../../support/realtime-server/live/connection.ts';
import { silence, sound, usage, words } from '../../support/realtime-server/live/spoken-events.ts';
import {
  openRecordedLive,
  type OpenRecordedOptions,
  type RecordedLive,
} from '../../support/realtime-server/open-recorded.ts';
import { liveScript, type LiveStep } from '../../support/realtime-server/script.ts';
import { startRealtimeServer, type RealtimeServer } from '../../support/realtime-server/server.ts';

const now_s = Date.parse('2026-11-23T09:00:00Z') / 1000;

let server: RealtimeServer;
let call: RecordedLive;
let far: LiveConnection;
let clock: ManualClock;

beforeEach(() => {
  clock = new ManualClock();
});

afterEach(async () => {
  const closing = call.model.close();
  // A server that says nothing more does not keep the call.
  clock.advance(farewell_ms_max);
  clock.advance(farewell_ms_max);
  await closing;
  expect(call.model.openSessions).toBe(0);
  expect(clock.pending).toBe(0);
  await server.close();
});

const resource = { id: 'sess_1', status: 'active', model: 'gpt-live-1', expires_at: now_s + 7200 } as const;
const started: LiveStep[] = [
  { until: 'session.start' },
  { send: { type: 'session.started', session: resource } },
];

async function serve(steps: readonly LiveStep[]): Promise<string> {
  server = await startRealtimeServer({ behave: () => ({}), behaveLive: liveScript(steps) });
  return server.baseUrl;
}

async function open(
  steps: readonly LiveStep[] = [],
  more: Partial<OpenRecordedOptions<LiveOptions>> = {},
): Promise<void> {
  call = await openRecordedLive({ baseUrl: await serve([...started, ...steps]), clock, ...more });
  far = await server.liveConnection();
}

const response = { delegation: 'responses', backend_model: 'backend' } as const;

describe('a Live session begins', () => {
  it('with everything that cannot be changed later, and is ready when the server says so', async () => {
    await open([], { codec: 'pcma', history: [{ from: 'caller', text: 'Hi.' }] });
    const { session } = await far.nth('session.start');
    expect(session).toMatchObject({
      model: 'gpt-live-1',
      audio: { format: { type: 'audio/pcma', rate: 8000 }, output: { voice: 'marin' } },
      delegation: { type: 'client' },
      input: [{ role: 'user', content: [{ text: 'Hi.' }] }],
    });
    expect(call.told.map((one) => one.name)).toEqual(['ready']);
  });

  it('with the declared tools when a text model at the vendor thinks', async () => {
    const parameters = { type: 'object', properties: { day: { type: 'string' } } };
    await open([], {
      options: {
        settings: liveSettingsSchema.parse(response),
        tools: { book: { description: 'Books.', parameters } },
      },
    });
    const { delegation } = (await far.nth('session.start')).session;
    if (delegation?.type !== 'responses') throw new Error('no responses');
    expect(delegation.responses.model).toBe('backend');
    expect(delegation.responses.tools?.map((tool) => tool.name)).toEqual(['book', 'hang_up']);
    expect(delegation.responses.instructions).toContain('Monday');
  });

  it.each([
    ['insufficient_quota', false],
    ['rate_limit_exceeded', true],
    ['unknown_parameter', false],
  ])('not, when the server refuses with %s', async (code, retryable) => {
    const baseUrl = await serve([
      { until: 'session.start' },
      { send: { type: 'error', error: { type: 'invalid_request_error', code, message: 'No.' } } },
    ]);
    await expect(openRecordedLive({ baseUrl, clock })).rejects.toMatchObject({
      code: 'MODEL_UNAVAILABLE',
      retryable,
      detail: expect.stringContaining(code) as string,
    });
    await open();
  });

  it('not, when the backend has no model', async () => {
    const baseUrl = await serve(started);
    const settings = liveSettingsSchema.parse({ delegation: 'responses' });
    await expect(openRecordedLive({ baseUrl, clock, options: { settings } })).rejects.toMatchObject({
      code: 'MODEL_UNAVAILABLE',
      detail: expect.stringContaining('backend_model') as string,
    });
    expect(server.liveConnections).toEqual([]);
    await open();
  });
});

describe('a reply', () => {
  it('is made of sound, and ended by silence, with its words', async () => {
    await open([
      { send: silence(200) },
      { send: words('Good ') },
      { send: sound(200) },
      { send: words('morning.') },
      { send: sound(200) },
      { send: silence(quiet_ms) },
      { send: usage(1) },
    ]);
    const { itemId, interrupted } = await call.nth('replyDone');
    expect(interrupted).toBe(false);
    expect(call.all('replyStarted')).toEqual([{ itemId }]);
    expect(call.soundOf(itemId)).toHaveLength((400 + quiet_ms) * 8);
    expect(call.all('said').at(-1)).toEqual({ itemId, text: 'Good morning.', final: true });
  });

  it('that the caller interrupts is not told any further, and the next one is', async () => {
    await open([
      { send: words('A long story ') },
      { send: sound(300) },
      { until: 'session.thinking.append' },
      { send: words('without an end ') },
      { send: sound(500) },
      { send: silence(quiet_ms) },
      { send: words('Yes?') },
      { send: sound(200) },
      { send: silence(quiet_ms) },
    ]);
    const { itemId } = await call.nth('replyStarted');
    call.session.interrupt('another', 100);
    call.session.interrupt(itemId, 100);
    call.session.interrupt(itemId, 100);
    // Anything that lets the script go on.
    far.take({ type: 'session.thinking.append', content: 'x', delegation_id: null });
    const next = await call.nth('replyDone', 2);
    expect(call.all('replyDone')).toEqual([
      { itemId, interrupted: true },
      { itemId: next.itemId, interrupted: false },
    ]);
    expect(call.all('said').at(-1)).toEqual({ itemId: next.itemId, text: 'Yes?', final: true });
    expect(call.model.counts.mutedReplies).toBe(1);
    // There is nothing to cancel and nothing to truncate.
    expect(far.received.map((event) => event.type)).not.toContain('response.cancel');
  });

  it('is asked for by commentary: greeting, fillers, notices', async () => {
    await open();
    call.session.greet();
    call.session.say('One moment, please.');
    await far.nth('session.commentary.append', 2);
    expect(far.all('session.commentary.append').map((event) => [event.content, event.delegation_id])).toEqual(
      [
        ['Good morning, how can I help you?', null],
        ['One moment, please.', null],
      ],
    );
  });
});

describe('a session that takes over', () => {
  it('answers what the caller said last, and learns what nobody said', async () => {
    const history = [{ from: 'caller', text: 'I need an appointment' }] as const;
    await open([], { history });
    call.session.resume();
    const { callId, name } = await call.nth('toolCall');
    expect(name).toBe('book');
    call.session.toolResult(callId, { ok: true });
    expect((await far.nth('session.commentary.append')).content).toBe('Done. Anything else?');
    call.session.notice('The colleague has left the call');
    expect(await far.nth('session.thinking.append')).toMatchObject({
      content: 'The colleague has left the call',
      delegation_id: null,
    });
    expect((await far.nth('session.commentary.append', 2)).content).toBe('Done. Anything else?');
  });
});

describe('what the caller says', () => {
  it('goes out as sound, and comes back as words', async () => {
    await open([
      { until: 'session.input_audio.append' },
      { send: { type: 'session.input_transcript.delta', delta: 'tomorrow ', start_ms: 0, end_ms: 100 } },
      { send: { type: 'session.input_transcript.delta', delta: 'at ten ', start_ms: 100, end_ms: 200 } },
      { send: usage(1) },
    ]);
    const frame = cannedSound(20);
    call.session.hear(frame, 0);
    const { audio } = await far.nth('session.input_audio.append');
    expect(Buffer.from(audio, 'base64').equals(frame)).toBe(true);
    await call.nth('usage');
    clock.advance(1000);
    const heard = call.all('heard');
    expect(heard.map(({ text, final }) => [text, final])).toEqual([
      ['tomorrow', false],
      ['tomorrow at ten', false],
      ['tomorrow at ten', true],
    ]);
  });
});

describe('a tool of a backend at the vendor', () => {
  const backendEvent = (event: Record<string, unknown>): LiveStep => ({
    send: { type: 'response.event', delegation_id: 'dlg_1', event },
  });
  const calls = (name: string, args: string): LiveStep =>
    backendEvent({
      type: 'response.output_item.done',
      item: { type: 'function_call', name, call_id: 'call_1', arguments: args },
    });
  const done = backendEvent({
    type: 'response.completed',
    response: { usage: { input_tokens: 400, output_tokens: 20 } },
  });
  const options = { settings: liveSettingsSchema.parse(response) };

  it('is called, answered, and the backend goes on', async () => {
    await open([calls('book', '{"day":"tomorrow"}'), done], { options });
    const { callId, name, arguments: args } = await call.nth('toolCall');
    expect([name, args]).toEqual(['book', { day: 'tomorrow' }]);
    await call.nth('usage');
    call.session.toolResult(callId, { ok: true });
    await far.nth('response.create');
    expect(far.all('response.item.create').map((event) => event.item)).toEqual([
      { type: 'function_call_output', call_id: 'call_1', output: '{"ok":true}' },
    ]);
    expect(call.all('usage')).toEqual([
      {
        usage: modelUsage({
          model: 'backend',
          source: 'backend',
          inputTextTokens: 400,
          outputTextTokens: 20,
          provider: new URL(server.baseUrl).host,
        }),
      },
    ]);
  });

  it('that hangs up waits for the goodbye', async () => {
    await open(
      [
        calls('hang_up', '{"reason":"done"}'),
        done,
        { send: sound(300) },
        { send: silence(quiet_ms) },
        { send: usage(9) },
      ],
      { options },
    );
    await call.nth('usage', 2);
    expect(call.all('toolCall')).toEqual([]);
    clock.advance(goodbye_quiet_ms);
    expect(call.all('toolCall')).toEqual([
      { callId: 'call_1', name: 'hang_up', arguments: { reason: 'done' } },
    ]);
  });

  it('that hangs up is told no when the caller speaks', async () => {
    await open([calls('hang_up', '{}'), done], { options });
    await call.nth('usage');
    call.session.callerSpeaking(true);
    call.session.callerSpeaking(false);
    const { item } = await far.nth('response.item.create');
    expect(item).toMatchObject({ call_id: 'call_1', output: expect.stringContaining('false') as string });
    clock.advance(9000);
    expect(call.all('toolCall')).toEqual([]);
  });
});

describe('a Live session ends', () => {
  it('when we ask for it, with its last usage', async () => {
    await open([
      { send: usage(15) },
      { until: 'session.close' },
      {
        send: {
          type: 'session.closed',
          reason: 'close_requested',
          session: resource,
          usage: { seconds: 17 },
        },
      },
    ]);
    await call.nth('usage');
    call.session.close();
    call.session.close();
    call.session.say('Too late.');
    await call.nth('closed');
    expect(call.all('usage').map((one) => one.usage.seconds)).toEqual([15, 2]);
    expect(far.all('session.close')).toHaveLength(1);
    expect(far.all('session.commentary.append')).toEqual([]);
    expect(call.all('failed')).toEqual([]);
  });

  it.each([
    ['expired', true],
    ['connection_lost', true],
    ['content', false],
  ] as const)('by the server because of %s', async (reason, retryable) => {
    await open([{ send: { type: 'session.closed', reason, session: resource, usage: { seconds: 3 } } }]);
    expect(await call.nth('failed')).toMatchObject({ code: 'MODEL_UNAVAILABLE', retryable });
    expect(call.told.map((one) => one.name)).toEqual(['ready', 'usage', 'failed', 'closed']);
  });

  it('with a reply under way, which is then over', async () => {
    await open([{ send: words('I was about to ') }, { send: sound(200) }, { close: 'cut' }]);
    await call.nth('closed');
    const [reply] = call.all('replyDone');
    expect(call.all('said').at(-1)).toEqual({ itemId: reply?.itemId, text: 'I was about to', final: true });
    expect(call.all('failed')).toMatchObject([{ retryable: true }]);
  });

  it('and says so ahead when its time is nearly up', async () => {
    const soon = { ...resource, expires_at: now_s + expiry_notice_ms / 1000 + 5 };
    call = await openRecordedLive({
      baseUrl: await serve([
        { until: 'session.start' },
        { send: { type: 'session.started', session: soon } },
      ]),
      clock,
    });
    clock.advance(4999);
    expect(call.all('expiring')).toEqual([]);
    clock.advance(1);
    expect(call.all('expiring')).toEqual([{ leftMs: expiry_notice_ms }]);
  });

  it('after too many errors, and not before', async () => {
    const refusal: LiveStep = {
      send: { type: 'error', error: { type: 'invalid_request_error', code: 'odd', message: 'No.' } },
    };
    await open(Array.from({ length: errors_max + 1 }, () => refusal));
    expect(await call.nth('failed')).toMatchObject({ retryable: true });
    expect(call.model.counts.errors).toBe(errors_max + 1);
  });

  it('never because of what it does not know', async () => {
    await open([
      { raw: 'not JSON' },
      { raw: '{"type":"session.hologram.delta"}' },
      { send: { type: 'info', code: 'x', message: 'y' } },
      { send: { type: 'session.commentary.appended', start_ms: 0, end_ms: 0 } },
      { send: usage(1) },
    ]);
    await call.nth('usage');
    expect(call.all('failed')).toEqual([]);
    expect(call.model.counts).toMatchObject({ unknownEvents: 3, notEvents: 1 });
  });
});
