import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { connect } from 'node:net';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import OpenAI from 'openai';
import { OpenAIRealtimeWS } from 'openai/realtime/ws';
import type { RealtimeServerEvent } from 'openai/resources/realtime/realtime';
import { afterEach, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { cannedSound } from '../../support/realtime-server/canned-sound.ts';
import { echo, echoing } from '../../support/realtime-server/echo.ts';
import { openRecorded, openRecordedLive } from '../../support/realtime-server/open-recorded.ts';
import { script } from '../../support/realtime-server/script.ts';
import { startRealtimeServer, type RealtimeServer } from '../../support/realtime-server/server.ts';
import { talker } from '../../support/realtime-server/talker.ts';

const main = fileURLToPath(new URL('../../support/realtime-server/main.ts', import.meta.url));

let server: RealtimeServer | undefined;
let child: ChildProcess | undefined;

afterEach(async () => {
  await server?.close();
  if (child?.exitCode === null && child.signalCode === null) {
    child.kill('SIGKILL');
    await once(child, 'exit');
  }
  server = child = undefined;
});

const frames = (sound: Uint8Array): Uint8Array[] =>
  Array.from({ length: sound.length / 160 }, (_, index) => sound.subarray(index * 160, (index + 1) * 160));

describe('the echo', () => {
  it('gives every batch back, in order, as one reply', async () => {
    server = await startRealtimeServer({ behave: echo });
    const call = await openRecorded({ baseUrl: server.baseUrl });
    const sound = cannedSound(200);
    for (const frame of frames(sound)) call.session.hear(frame, 0);
    await call.nth('audio', 10);
    const { itemId } = await call.nth('replyStarted');
    expect(call.soundOf(itemId).equals(sound)).toBe(true);
    expect(call.all('replyStarted')).toHaveLength(1);
    await call.model.close();
  });

  it('goes on as a new reply after an interruption', async () => {
    server = await startRealtimeServer({ behave: echo });
    const call = await openRecorded({ baseUrl: server.baseUrl });
    const [frame = new Uint8Array()] = frames(cannedSound(20));
    call.session.hear(frame, 0);
    const first = await call.nth('replyStarted');
    call.session.interrupt(first.itemId, 10);
    // The cancelled response is over: what is said now belongs to the next one.
    await call.nth('usage');
    call.session.hear(frame, 0);
    const second = await call.nth('replyStarted', 2);
    expect(second.itemId).not.toBe(first.itemId);
    await call.model.close();
  });

  it('can swallow silence now and then, so that a queue drains, and never sound', async () => {
    server = await startRealtimeServer({ behave: echoing({ swallowEvery: 2 }) });
    const call = await openRecorded({ baseUrl: server.baseUrl });
    const [sound = new Uint8Array()] = frames(cannedSound(20));
    const silence = new Uint8Array(160).fill(0xff);
    for (const frame of [silence, silence, sound, sound, silence, silence, sound])
      call.session.hear(frame, 0);
    await call.nth('audio', 5);
    const { itemId } = await call.nth('replyStarted');
    expect(call.soundOf(itemId).equals(Buffer.concat([silence, sound, sound, silence, sound]))).toBe(true);
    await call.model.close();
  });

  it('does not take a greeting for a word of its own', async () => {
    server = await startRealtimeServer({ behave: echo });
    const call = await openRecorded({ baseUrl: server.baseUrl });
    call.session.greet();
    const [frame = new Uint8Array()] = frames(cannedSound(20));
    call.session.hear(frame, 0);
    const { itemId } = await call.nth('audio');
    expect(call.soundOf(itemId)).toHaveLength(160);
    await call.model.close();
  });
});

describe('the talker', () => {
  it('answers every request with its sound, and refuses a cancel when nothing runs', async () => {
    const sound = cannedSound(1000);
    server = await startRealtimeServer({ behave: talker({ sound, words: 'Hello there.' }) });
    const call = await openRecorded({ baseUrl: server.baseUrl });
    call.session.greet();
    call.session.say('Anything.');
    const { itemId } = await call.nth('replyDone', 2);
    expect(call.soundOf(itemId).equals(Buffer.from(sound))).toBe(true);
    expect(call.all('said').at(-1)).toEqual({ itemId, text: 'Hello there.', final: true });
    await call.model.close();
  });
});

describe('the rules', () => {
  /** Says something to a server and reads everything up to the first `error`. */
  const refusalOf = async (message: string): Promise<RealtimeServerEvent | undefined> => {
    server = await startRealtimeServer({ behave: () => ({}) });
    const socket = new WebSocket(`${server.baseUrl}/realtime?model=m`);
    const events: RealtimeServerEvent[] = [];
    socket.on('message', (data: Buffer) => events.push(JSON.parse(data.toString()) as RealtimeServerEvent));
    await once(socket, 'open');
    socket.send(message);
    while (!events.some((event) => event.type === 'error')) await once(socket, 'message');
    socket.close();
    return events.at(-1);
  };

  it.each([
    { message: 'hello', code: 'invalid_json' },
    { message: '{"type":"session.explode"}', code: 'invalid_event' },
    { message: '{"type":"session.update","session":{"instructions":"no type"}}', code: 'invalid_event' },
    { message: '{"type":"input_audio_buffer.append","audio":"no base64!"}', code: 'invalid_event' },
    { message: '{"type":"conversation.item.delete","item_id":"nothing"}', code: 'item_not_found' },
    { message: '{"type":"conversation.item.retrieve","item_id":"nothing"}', code: 'item_not_found' },
    {
      message: '{"type":"conversation.item.truncate","item_id":"nothing","content_index":0,"audio_end_ms":0}',
      code: 'item_not_found',
    },
  ])('refuse $message', async ({ message, code }) => {
    expect(await refusalOf(message)).toMatchObject({ type: 'error', error: { code } });
  });

  it('want the key that they were given', async () => {
    server = await startRealtimeServer({ behave: script([]), apiKey: 'another' });
    await expect(openRecorded({ baseUrl: server.baseUrl })).rejects.toMatchObject({ retryable: false });
    expect(server.connections).toEqual([]);
  });
});

describe("the vendor's own client", () => {
  it('holds a conversation with it', async () => {
    server = await startRealtimeServer({ behave: talker({ sound: cannedSound(100), words: 'Hello.' }) });
    const { port } = server;
    const client = new OpenAI({ apiKey: 'test-key', baseURL: `https://127.0.0.1:${port}/v1` });
    const realtime = new OpenAIRealtimeWS(
      // It insists on wss: the socket underneath is ours, and plain.
      { model: 'gpt-realtime-2.1', options: { createConnection: () => connect(port, '127.0.0.1') } },
      client,
    );
    const types: string[] = [];
    realtime.on('event', (event) => types.push(event.type));
    const done = new Promise<RealtimeServerEvent>((resolve, reject) => {
      realtime.on('response.done', resolve);
      realtime.on('error', reject);
    });
    realtime.on('session.created', () => {
      realtime.send({
        type: 'session.update',
        session: { type: 'realtime', audio: { output: { format: { type: 'audio/pcmu' } } } },
      });
      realtime.send({
        type: 'conversation.item.create',
        item: { type: 'message', role: 'user', content: [{ type: 'input_text', text: 'Hello?' }] },
      });
      realtime.send({ type: 'response.create' });
    });
    expect(await done).toMatchObject({ response: { status: 'completed' } });
    expect(types).toEqual([
      'session.created',
      'session.updated',
      'conversation.item.added',
      'conversation.item.done',
      'response.created',
      'response.output_item.added',
      'conversation.item.added',
      'response.content_part.added',
      'response.output_audio_transcript.delta',
      'response.output_audio.delta',
      'response.output_audio.done',
      'response.output_audio_transcript.done',
      'response.content_part.done',
      'conversation.item.done',
      'response.output_item.done',
      'response.done',
    ]);
    realtime.close();
  });
});

describe('as a process', () => {
  const start = async (...args: string[]) => {
    const started = spawn(process.execPath, [main, ...args], { stdio: ['pipe', 'pipe', 'inherit'] });
    child = started;
    const [line] = (await once(createInterface(started.stdout), 'line')) as [string];
    const told = JSON.parse(line) as { port: number; OPENAI_BASE_URL: string };
    return { ...told, exit: once(started, 'exit'), child: started };
  };

  it('prints its port, echoes, and ends with SIGTERM', async () => {
    const { port, exit, child } = await start('echo');
    const call = await openRecorded({ baseUrl: `http://127.0.0.1:${port}/v1` });
    const [frame = new Uint8Array()] = frames(cannedSound(20));
    call.session.hear(frame, 0);
    expect((await call.nth('audio')).bytes).toHaveLength(160);
    child.kill('SIGTERM');
    expect(await exit).toEqual([0, null]);
    expect(await call.nth('failed')).toMatchObject({ retryable: true });
  });

  it('talks, and ends with its standard input', async () => {
    const { port, exit, child } = await start('talker');
    const call = await openRecorded({ baseUrl: `http://127.0.0.1:${port}/v1` });
    call.session.greet();
    const { itemId } = await call.nth('replyDone');
    expect(call.soundOf(itemId)).toHaveLength(16_000);
    await call.model.close();
    child.stdin.end();
    expect(await exit).toEqual([0, null]);
  });

  it('hears and speaks both protocols, and says where', { timeout: 60_000 }, async () => {
    const { port, OPENAI_BASE_URL: baseUrl, exit, child } = await start('receptionist');
    expect(baseUrl).toBe(`http://127.0.0.1:${port}/v1`);
    const realtime = await openRecorded({ baseUrl });
    realtime.session.greet();
    expect((await realtime.nth('said')).text).toContain('Good morning');
    const live = await openRecordedLive({ baseUrl });
    live.session.greet();
    expect((await live.nth('said')).text).toContain('Good morning');
    await Promise.all([realtime.model.close(), live.model.close()]);
    child.kill('SIGTERM');
    expect(await exit).toEqual([0, null]);
  });

  it('refuses a behaviour that it does not know', async () => {
    child = spawn(process.execPath, [main, 'singer'], { stdio: ['pipe', 'pipe', 'pipe'] });
    expect(await once(child, 'exit')).toEqual([2, null]);
  });
});
