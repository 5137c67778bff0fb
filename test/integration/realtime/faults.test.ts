import { createServer, type Server } from 'node:net';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { dropped_ms_max, errors_max, not_events_max } from '../../../src/agent/models/voice-socket/limits.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { cannedSound } from '../../support/realtime-server/canned-sound.ts';
import type { Outgoing } from '../../support/realtime-server/connection.ts';
import { openRecorded, type RecordedRealtime } from '../../support/realtime-server/open-recorded.ts';
import { script, type Step } from '../../support/realtime-server/script.ts';
import {
  startRealtimeServer,
  type RealtimeServer,
  type RealtimeServerOptions,
} from '../../support/realtime-server/server.ts';
import { until } from '../../support/until.ts';

let server: RealtimeServer | undefined;
let call: RecordedRealtime | undefined;

afterEach(async () => {
  await call?.model.close();
  expect(call?.model.openSessions ?? 0).toBe(0);
  await server?.close();
  server = call = undefined;
});

const created: Step = { send: (far) => ({ type: 'session.created', session: far.session }) };
const updated: Step = { send: (far) => ({ type: 'session.updated', session: far.session }) };
const ready: Step[] = [created, { until: 'session.update' }, updated];
const error = (code: string): Step => ({
  send: { type: 'error', error: { type: 'invalid_request_error', code, message: 'No.' } },
});

const heard = (delta: string): Outgoing => ({
  type: 'conversation.item.input_audio_transcription.delta',
  item_id: 'item_u',
  delta,
});

const play = (...steps: Step[]): RealtimeServerOptions['behave'] => script([...ready, ...steps]);
const serve = async (options: RealtimeServerOptions): Promise<string> => {
  server = await startRealtimeServer(options);
  return server.baseUrl;
};
const open = async (
  behave: RealtimeServerOptions['behave'],
  options: Partial<Parameters<typeof openRecorded>[0]> = {},
): Promise<RecordedRealtime> => (call = await openRecorded({ baseUrl: await serve({ behave }), ...options }));

describe('a connection that does not come about', () => {
  it.each([
    { status: 401, retryable: false, detail: 'refused the API key' },
    { status: 403, retryable: false, detail: 'refused the API key' },
    { status: 404, retryable: false, detail: 'HTTP 404' },
    { status: 429, retryable: true, detail: 'retry after 20 s' },
    { status: 500, retryable: true, detail: 'HTTP 500' },
    { status: 503, retryable: true, detail: 'HTTP 503' },
  ])('because of HTTP $status is MODEL_UNAVAILABLE', async ({ status, retryable, detail }) => {
    const baseUrl = await serve({
      behave: script([]),
      refuse: () => ({ status, headers: { 'retry-after': '20' } }),
    });
    await expect(openRecorded({ baseUrl })).rejects.toMatchObject({
      code: 'MODEL_UNAVAILABLE',
      retryable,
      detail: expect.stringContaining(detail) as string,
    });
  });

  it('because nobody listens may be tried again', async () => {
    const baseUrl = await serve({ behave: script([]) });
    await server?.close();
    await expect(openRecorded({ baseUrl })).rejects.toMatchObject({
      code: 'MODEL_UNAVAILABLE',
      retryable: true,
    });
  });

  it('because the upgrade is never answered ends after the time limit', async () => {
    const baseUrl = await serve({ behave: script([]), refuse: () => 'silence' });
    await expect(openRecorded({ baseUrl, options: { connectTimeoutMs: 100 } })).rejects.toMatchObject({
      detail: expect.stringContaining('no answer within 100 ms') as string,
      retryable: true,
    });
  });

  it('because the session is never confirmed ends after the time limit, with nothing left open', async () => {
    const baseUrl = await serve({ behave: script([created, { until: 'session.update' }]) });
    await expect(openRecorded({ baseUrl, options: { connectTimeoutMs: 200 } })).rejects.toMatchObject({
      detail: expect.stringContaining('not ready within') as string,
      retryable: true,
    });
    const { socket } = (await server?.connection()) ?? {};
    await until('the socket is closed', () => socket?.readyState === socket?.CLOSED);
  });

  it('because the settings are refused is not tried again', async () => {
    const baseUrl = await serve({
      behave: script([created, { until: 'session.update' }, error('invalid_value')]),
    });
    await expect(openRecorded({ baseUrl })).rejects.toMatchObject({
      detail: expect.stringContaining('invalid_value') as string,
      retryable: false,
    });
  });

  it('because the server hangs up in the middle may be tried again', async () => {
    const baseUrl = await serve({ behave: script([created, { close: 1011 }]) });
    await expect(openRecorded({ baseUrl })).rejects.toMatchObject({
      detail: expect.stringContaining('closed the connection (1011)') as string,
      retryable: true,
    });
  });

  it('because the far end speaks no HTTP at all', async () => {
    const stranger: Server = createServer((socket) =>
      socket
        .on('error', () => undefined)
        .resume()
        .end('220 mail.example.test ESMTP\r\n'),
    );
    await new Promise<void>((resolve) => stranger.listen(0, '127.0.0.1', resolve));
    const { port } = stranger.address() as AddressInfo;
    await expect(openRecorded({ baseUrl: `http://127.0.0.1:${port}/v1` })).rejects.toMatchObject({
      code: 'MODEL_UNAVAILABLE',
      retryable: true,
    });
    await new Promise((resolve) => stranger.close(resolve));
  });

  it.each(['', 'not an address', 'ftp://127.0.0.1/v1'])('because "%s" is no address', async (baseUrl) => {
    await expect(openRecorded({ baseUrl })).rejects.toMatchObject({
      code: 'MODEL_UNAVAILABLE',
      retryable: false,
    });
  });
});

describe('a session that dies', () => {
  it.each([
    { close: 1006 as const, how: 'cut' as const },
    { close: 1011 as const, how: 1011 },
  ])('because its socket closes ($how) is told once, then closed', async ({ how, close }) => {
    const session = await open(play({ close: how }));
    expect(await session.nth('failed')).toEqual({
      code: 'MODEL_UNAVAILABLE',
      detail: `the server closed the connection (${close})`,
      retryable: true,
    });
    expect(session.told.map((one) => one.name)).toEqual(['ready', 'failed', 'closed']);
    // What comes afterwards from the voice is harmless.
    session.session.hear(cannedSound(20), 0);
    session.session.greet();
    session.session.say('Hello?');
    session.session.digit('1');
    session.session.interrupt('item', 20);
    session.session.toolResult('call', {});
    session.session.close();
    expect(session.told).toHaveLength(3);
  });

  it.each([
    { code: 'session_expired', retryable: true },
    { code: 'rate_limit_exceeded', retryable: true },
    { code: 'insufficient_quota', retryable: false },
    { code: 'invalid_api_key', retryable: false },
  ])('because of the error $code', async ({ code, retryable }) => {
    const session = await open(play(error(code)));
    expect(await session.nth('failed')).toMatchObject({ code: 'MODEL_UNAVAILABLE', retryable });
    await session.nth('closed');
  });

  it('because it refuses everything', async () => {
    const session = await open(play(...Array.from({ length: errors_max + 1 }, () => error('invalid_value'))));
    await session.nth('failed');
    expect(session.model.counts.errors).toBe(errors_max + 1);
  });

  it('because it talks garbage', async () => {
    const garbage: Step[] = [
      { raw: 'hello?' },
      { raw: '[]' },
      { raw: '{"type":7}' },
      { raw: '{"type":"response.output_audio.delta","delta":5}' },
      { raw: new Uint8Array([1, 2, 3]) },
    ];
    const steps = Array.from({ length: 3 }, () => garbage).flat();
    const session = await open(play(...steps));
    expect(await session.nth('failed')).toMatchObject({
      detail: expect.stringContaining('were no events') as string,
      retryable: true,
    });
    expect(session.model.counts.notEvents).toBe(not_events_max + 1);
  });

  it('because it is quiet while a response is due', async () => {
    const clock = new ManualClock();
    const session = await open(play({ until: 'response.create' }), { clock });
    clock.advance(9000);
    session.session.greet();
    clock.advance(2000);
    expect(await session.nth('failed')).toMatchObject({
      detail: expect.stringContaining('while a response was due') as string,
      retryable: true,
    });
  });

  it('because it gives no sign of life', async () => {
    const clock = new ManualClock();
    const session = await open(play({ stall: true }), { clock });
    clock.advance(21_000);
    expect(await session.nth('failed')).toMatchObject({
      detail: expect.stringContaining('no sign of life') as string,
    });
  });

  it('because it takes no more sound, which is dropped and counted meanwhile', async () => {
    const session = await open(play({ stall: true }));
    const frame = cannedSound(20);
    // The kernel takes some megabytes before the socket counts as full.
    for (let sent = 0; sent < 200_000 && session.all('failed').length === 0; sent += 1)
      session.session.hear(frame, 0);
    expect(session.all('failed')).toEqual([
      {
        code: 'MODEL_UNAVAILABLE',
        detail: `the server took no sound for ${dropped_ms_max} ms`,
        retryable: true,
      },
    ]);
    expect(session.model.counts.droppedAppends).toBe(dropped_ms_max / 20);
  });
});

describe('a session goes on', () => {
  it('over events that it does not know, and over harmless refusals', async () => {
    const session = await open(
      play(
        { send: { type: 'input_audio_buffer.speech_stopped', item_id: 'item_u', audio_end_ms: 0 } },
        { raw: '{"type":"response.hologram.delta","event_id":"event_1"}' },
        error('response_cancel_not_active'),
        error('item_not_found'),
        { raw: 'not JSON' },
        { delayMs: 5 },
        { send: heard('Hello?') },
      ),
    );
    await session.nth('heard');
    expect(session.all('failed')).toEqual([]);
    expect(session.model.counts).toMatchObject({ unknownEvents: 2, notEvents: 1, errors: 2 });
  });

  it('when a response is refused for good: the next one is asked for', async () => {
    const refused: Step = {
      send: (far) => ({
        type: 'error',
        error: {
          type: 'invalid_request_error',
          code: 'invalid_value',
          message: 'No.',
          event_id: far.all('response.create')[0]?.event_id ?? '',
        },
      }),
    };
    const session = await open(play({ until: 'response.create' }, refused));
    session.session.greet();
    session.session.say('Next.');
    const far = await server?.connection();
    expect((await far?.nth('response.create', 2))?.response?.instructions).toContain('Next.');
  });

  it('with a clock that pings, as long as the server answers', async () => {
    const clock = new ManualClock();
    const session = await open(play(), { clock });
    const far = await server?.connection();
    for (let round = 0; round < 3; round += 1) {
      const pinged = new Promise((resolve) => far?.socket.once('ping', resolve));
      clock.advance(10_000);
      await pinged;
      // The pong is on its way: any later event proves that it has arrived.
      far?.send(heard(`Round ${round}`));
      await session.nth('heard', round + 1);
    }
    expect(session.all('failed')).toEqual([]);
    session.session.close();
    expect(session.told.at(-1)?.name).toBe('closed');
  });
});

describe('closing', () => {
  it('sends a close frame and leaves no alarm behind', async () => {
    const clock = new ManualClock();
    const session = await open(play(), { clock });
    const far = await server?.connection();
    const closed = new Promise((resolve) => far?.socket.once('close', resolve));
    session.session.close();
    session.session.close();
    expect(await closed).toBe(1000);
    await session.model.close();
    expect(clock.pending).toBe(0);
    expect(session.all('closed')).toHaveLength(1);
  });

  it('cuts the socket when the far end does not answer the close frame', async () => {
    const clock = new ManualClock();
    const session = await open(play({ stall: true }), { clock });
    const closed = session.model.close();
    clock.advance(1000);
    await closed;
    expect(clock.pending).toBe(0);
  });
});
