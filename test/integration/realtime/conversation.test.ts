import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { realtimeSettingsSchema } from '../../../src/agent/models/realtime/settings.ts';
import { modelUsage } from '../../../src/agent/usage.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { cannedSound } from '../../support/realtime-server/canned-sound.ts';
import type { Connection } from '../../support/realtime-server/connection.ts';
import { openRecorded, type RecordedRealtime } from '../../support/realtime-server/open-recorded.ts';
import { Responder } from '../../support/realtime-server/responder.ts';
import { startRealtimeServer, type RealtimeServer } from '../../support/realtime-server/server.ts';
import type { SpokenReply } from '../../support/realtime-server/spoken-reply.ts';

/** A server whose every response a test writes itself, with the rules of one response at a time. */
let server: RealtimeServer;
let responder: Responder;
let asked: SpokenReply[];
const clock = new ManualClock();

beforeEach(async () => {
  asked = [];
  server = await startRealtimeServer({
    apiKey: 'test-key',
    behave: (connection) => {
      responder = new Responder(connection);
      return {
        event(event) {
          const reply = responder.take(event);
          if (reply !== undefined) asked.push(reply);
        },
      };
    },
  });
});

let call: RecordedRealtime;
let far: Connection;
const open = async (options: Partial<Parameters<typeof openRecorded>[0]> = {}): Promise<void> => {
  call = await openRecorded({ baseUrl: server.baseUrl, ...options });
  far = await server.connection();
};

afterEach(async () => {
  await call.model.close();
  expect(call.model.openSessions).toBe(0);
  for (const { refused } of server.connections) expect(refused).toEqual([]);
  await server.close();
});

describe('a session begins', () => {
  it('with the settings of the profile, before anything is heard', async () => {
    await open();
    expect(far.model).toBe('gpt-realtime-2.1');
    const { session } = await far.nth('session.update');
    expect(session.instructions).toContain('You are the receptionist of a clinic.');
    expect(session.instructions).toContain('Monday');
    expect(session.audio).toEqual({
      input: {
        format: { type: 'audio/pcmu' },
        transcription: { model: 'gpt-live-transcribe', language: 'en' },
        turn_detection: {
          type: 'server_vad',
          threshold: 0.5,
          prefix_padding_ms: 300,
          silence_duration_ms: 600,
          create_response: true,
          interrupt_response: false,
        },
      },
      output: { format: { type: 'audio/pcmu' }, voice: 'marin' },
    });
    expect(call.told.map((one) => one.name)).toEqual(['ready']);
  });

  it('in the codec of the phone', async () => {
    await open({ codec: 'pcma' });
    const { session } = await far.nth('session.update');
    expect(session.audio?.input?.format).toEqual({ type: 'audio/pcma' });
    expect(session.audio?.output?.format).toEqual({ type: 'audio/pcma' });
  });

  it('with the schemas of its tools, and always with hang_up', async () => {
    const parameters = { type: 'object', properties: { day: { type: 'string' } }, required: ['day'] };
    await open({ options: { tools: { book: { description: 'Books.', parameters } } } });
    const { session } = await far.nth('session.update');
    expect(session.tools?.map((tool) => tool.name)).toEqual(['book', 'hang_up']);
    expect(session.tools?.[0]).toEqual({ type: 'function', name: 'book', description: 'Books.', parameters });
  });

  it('without transcription when no model is named for it', async () => {
    await open({ options: { settings: realtimeSettingsSchema.parse({ transcription_model: '' }) } });
    const { session } = await far.nth('session.update');
    expect(session.audio?.input).not.toHaveProperty('transcription');
  });
});

describe('sound', () => {
  it('goes out untouched, in batches', async () => {
    await open({ options: { appendMs: 40 } });
    const sound = cannedSound(80);
    for (let at = 0; at < sound.length; at += 160) call.session.hear(sound.subarray(at, at + 160), 0);
    await far.nth('input_audio_buffer.append', 2);
    const batches = far.all('input_audio_buffer.append').map((event) => Buffer.from(event.audio, 'base64'));
    expect(batches.map((batch) => batch.length)).toEqual([320, 320]);
    expect(Buffer.concat(batches).equals(sound)).toBe(true);
  });

  it('comes back untouched, in order, as one reply', async () => {
    await open();
    call.session.greet();
    const greeting = await far.nth('response.create');
    expect(greeting.response?.instructions).toContain('Good morning, how can I help you?');
    const sound = cannedSound(200);
    asked[0]?.words('Good morning, ');
    asked[0]?.audio(sound.subarray(0, 700));
    asked[0]?.words('how can I help you?');
    asked[0]?.audio(sound.subarray(700));
    responder.finish();
    const done = await call.nth('replyDone');
    expect(done.interrupted).toBe(false);
    expect(call.soundOf(done.itemId).equals(sound)).toBe(true);
    expect(call.all('replyStarted')).toEqual([{ itemId: done.itemId }]);
    expect(call.all('said').at(-1)).toEqual({
      itemId: done.itemId,
      text: 'Good morning, how can I help you?',
      final: true,
    });
    expect(await call.nth('usage')).toMatchObject({
      usage: { model: 'gpt-realtime-2.1', source: 'response', outputAudioTokens: 4, seconds: 0 },
    });
    expect(call.all('usage')[0]?.usage.provider).toBe(new URL(server.baseUrl).host);
  });

  it('is written down as it is heard, and once for good', async () => {
    await open();
    const utterance = { item_id: 'item_u', content_index: 0 };
    const type = 'conversation.item.input_audio_transcription';
    far.send({ type: 'input_audio_buffer.speech_started', item_id: 'item_u', audio_start_ms: 0 });
    far.send({ type: 'input_audio_buffer.speech_stopped', item_id: 'item_u', audio_end_ms: 900 });
    far.send({ type: `${type}.delta`, ...utterance, delta: 'tomorrow ' });
    far.send({ type: `${type}.delta`, ...utterance, delta: 'at ten' });
    const usage = { type: 'duration', seconds: 1 } as const;
    far.send({ type: `${type}.completed`, ...utterance, transcript: 'Tomorrow at ten.', usage });
    await call.nth('usage');
    expect(call.all('heard')).toEqual([
      { utteranceId: 'item_u', text: 'tomorrow ', final: false },
      { utteranceId: 'item_u', text: 'tomorrow at ten', final: false },
      { utteranceId: 'item_u', text: 'Tomorrow at ten.', final: true },
    ]);
    // The server's ears do not interrupt: a cough is speech to them, and the voice has ears of its own.
    expect(call.all('speechStarted')).toEqual([]);
    expect(call.all('speechStopped')).toEqual([]);
    expect(call.all('usage')).toEqual([
      {
        usage: modelUsage({
          ...{ model: 'gpt-live-transcribe', source: 'transcription', seconds: 1 },
          provider: new URL(server.baseUrl).host,
        }),
      },
    ]);
  });
});

describe('an interruption', () => {
  it('cancels the response, truncates at the heard ms and drops what comes late', async () => {
    await open();
    const reply = responder.begin();
    reply.audio(cannedSound(400));
    const { itemId } = await call.nth('audio');
    call.session.interrupt(itemId, 120.7);
    expect(call.all('replyDone')).toEqual([{ itemId, interrupted: true }]);
    // Already on the wire when the cancel came.
    reply.audio(cannedSound(200));
    expect(await far.nth('conversation.item.truncate')).toMatchObject({
      item_id: itemId,
      content_index: 0,
      audio_end_ms: 120,
    });
    expect((await far.nth('response.cancel')).response_id).toBe(reply.id);
    await call.nth('usage');
    expect(call.soundOf(itemId)).toHaveLength(3200);
    expect(call.model.counts.lateDeltas).toBe(1);
    expect(call.all('replyDone')).toHaveLength(1);
  });

  it('of a reply that is complete but still being played only truncates', async () => {
    await open();
    responder.begin().audio(cannedSound(400));
    responder.finish();
    const { itemId } = await call.nth('replyDone');
    call.session.interrupt(itemId, 9999);
    // Never beyond the sound that was sent: the server would refuse that.
    expect((await far.nth('conversation.item.truncate')).audio_end_ms).toBe(400);
    expect(far.all('response.cancel')).toEqual([]);
    expect(call.all('replyDone')).toHaveLength(1);
  });

  it('leaves alone the answer to a newer turn', async () => {
    await open();
    responder.begin().audio(cannedSound(400));
    responder.finish();
    const { itemId } = await call.nth('replyDone');
    const answer = responder.begin();
    answer.audio(cannedSound(100));
    await call.nth('replyStarted', 2);
    call.session.interrupt(itemId, 100);
    await far.nth('conversation.item.truncate');
    expect(far.all('response.cancel')).toEqual([]);
    answer.audio(cannedSound(100));
    await call.nth('audio', 3);
  });

  it('takes back what waited to be said', async () => {
    await open();
    const reply = responder.begin();
    reply.audio(cannedSound(100));
    const { itemId } = await call.nth('audio');
    call.session.say('One moment.');
    call.session.interrupt(itemId, 20);
    await call.nth('usage');
    call.session.say('Something else.');
    expect((await far.nth('response.create')).response?.instructions).toContain('Something else.');
    expect(far.all('response.create')).toHaveLength(1);
  });
});

describe('responses', () => {
  it('are asked for one at a time', async () => {
    await open();
    call.session.greet();
    call.session.say('One moment.');
    await far.nth('response.create');
    asked[0]?.audio(cannedSound(40));
    await call.nth('audio');
    expect(far.all('response.create')).toHaveLength(1);
    responder.finish();
    expect((await far.nth('response.create', 2)).response?.metadata).toEqual({ purpose: 'say' });
  });

  it('are asked for again when the server was faster with one of its own', async () => {
    await open();
    // The server answers a turn at the very moment when we ask.
    const own = responder.begin();
    call.session.say('One moment.');
    await far.nth('response.create');
    own.audio(cannedSound(40));
    await call.nth('audio');
    responder.finish();
    const again = await far.nth('response.create', 2);
    expect(again.response?.instructions).toContain('One moment.');
  });

  it('answer a turn that ended while another response was running', async () => {
    await open();
    responder.begin().audio(cannedSound(40));
    await call.nth('audio');
    far.send({ type: 'input_audio_buffer.committed', item_id: 'item_u' });
    far.send({ type: 'input_audio_buffer.committed', item_id: 'item_v' });
    responder.finish();
    expect((await far.nth('response.create')).response).toEqual({ metadata: { purpose: 'turn' } });
  });

  it('that failed are tried once more, and then the session is given up', async () => {
    await open();
    call.session.greet();
    await far.nth('response.create');
    responder.finish('failed', 'server_error');
    const again = await far.nth('response.create', 2);
    expect(again.response?.metadata).toEqual({ purpose: 'greeting' });
    responder.finish('failed', 'server_error');
    expect(await call.nth('failed')).toMatchObject({ code: 'MODEL_UNAVAILABLE', retryable: true });
    await call.nth('closed');
  });
});

describe('tools', () => {
  it('are called with their arguments, and the model speaks when every result is there', async () => {
    await open();
    const reply = responder.begin();
    const first = reply.call('book', '{"day":"tomorrow"}');
    const second = reply.call('book', '{"day":"friday"}');
    expect(await call.nth('toolCall', 1)).toEqual({
      callId: first,
      name: 'book',
      arguments: { day: 'tomorrow' },
    });
    await call.nth('toolCall', 2);
    call.session.toolResult(first, { ok: true });
    responder.finish();
    await call.nth('usage');
    call.session.toolResult(second, { ok: false });
    expect((await far.nth('response.create')).response).toEqual({ metadata: { purpose: 'tool' } });
    expect(far.all('conversation.item.create').map((event) => event.item)).toEqual([
      { type: 'function_call_output', call_id: first, output: '{"ok":true}' },
      { type: 'function_call_output', call_id: second, output: '{"ok":false}' },
    ]);
  });

  it('whose arguments are broken are answered at once, and nobody runs them', async () => {
    await open();
    responder.begin().call('book', '{"day":');
    responder.finish();
    const { item } = await far.nth('conversation.item.create');
    expect(item).toMatchObject({ output: expect.stringContaining('not a JSON object') as string });
    await far.nth('response.create');
    expect(call.all('toolCall')).toEqual([]);
  });

  it('do not wait for hang_up, which is answered only when the caller spoke in time', async () => {
    await open();
    const reply = responder.begin();
    const book = reply.call('book', '');
    const hangUp = reply.call('hang_up', '{"reason":"done"}');
    responder.finish();
    await call.nth('toolCall', 2);
    call.session.toolResult(book, { ok: true });
    await far.nth('response.create', 1);
    responder.finish();
    call.session.toolResult(hangUp, { ok: false, reason: 'the caller spoke' });
    await far.nth('response.create', 2);
  });

  it('are answered once: a result nobody waits for is not sent', async () => {
    await open();
    call.session.toolResult('call_unknown', { ok: true });
    call.session.say('Next.');
    await far.nth('response.create');
    expect(far.all('conversation.item.create')).toEqual([]);
  });
});

describe('keys', () => {
  it('pressed in a row are told together, after a pause', async () => {
    await open({ clock });
    for (const digit of '42') call.session.digit(digit);
    clock.advance(1499);
    call.session.digit('#');
    clock.advance(1500);
    const { item } = await far.nth('conversation.item.create');
    expect(item).toMatchObject({
      content: [{ type: 'input_text', text: expect.stringContaining('42#') as string }],
    });
    expect((await far.nth('response.create')).response).toEqual({ metadata: { purpose: 'digits' } });
  });
});
