/**
 * The local server, asked by the vendor's own client: what it passes there, the adapter's servers may rely
 * on.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import OpenAI, { toFile } from 'openai';
import type { ChatCompletionMessageParam } from 'openai/resources/chat/completions';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { parseForm } from '../../../support/openai-server/bodies.ts';
import { nextActions, startLiveServer } from '../../../support/openai-server/live.ts';
import { calls, hears, refuses, says, speaks } from '../../../support/openai-server/replies.ts';
import { startOpenAiServer, type OpenAiServer } from '../../../support/openai-server/server.ts';
import { levelDbfs } from '../../../support/sound/level.ts';
import { speak } from '../../../support/sound/speak.ts';
import { decodeWav, encodeWav } from '../../../support/sound/wav.ts';
import { clinicProfile } from '../simulated-call.ts';

const client = (baseURL: string, apiKey = 'test-key'): OpenAI =>
  new OpenAI({ baseURL, apiKey, maxRetries: 0, logLevel: 'off' });

describe('the local server, as the openai package sees it', () => {
  let server: OpenAiServer;

  beforeEach(async () => {
    server = await startOpenAiServer({
      apiKey: 'test-key',
      transcribe: hears('Good morning to you.'),
      chat: says('A streamed answer.'),
      speak: speaks(),
    });
  });

  afterEach(() => server.close());

  const sound = (): Promise<File> => toFile(Buffer.from('RIFF'), 'a.wav', { type: 'audio/wav' });

  it('writes down a file, whole or streamed', async () => {
    const { transcriptions } = client(server.baseUrl).audio;
    const { text } = await transcriptions.create({ model: 'whisper-1', file: await sound() });
    expect(text).toBe('Good morning to you.');
    const stream = await transcriptions.create({ model: 'm', file: await sound(), stream: true });
    const types: string[] = [];
    for await (const event of stream) types.push(event.type);
    expect(types).toEqual([
      ...Array.from({ length: 4 }, () => 'transcript.text.delta'),
      'transcript.text.done',
    ]);
    expect((await server.transcription.nth()).body).toMatchObject({
      model: 'whisper-1',
      file: { name: 'a.wav', type: 'audio/wav', bytes: Buffer.from('RIFF') },
    });
  });

  it('answers a chat in chunks, which the package puts together', async () => {
    server.chat.plan(
      says('A streamed answer.'),
      calls({ name: 'book', given: '{"day":"monday"}', before: 'Now.' }),
    );
    const { completions } = client(server.baseUrl).chat;
    const messages: ChatCompletionMessageParam[] = [{ role: 'user', content: 'Hello?' }];
    const first = await completions
      .stream({ model: 'm', messages, stream_options: { include_usage: true } })
      .finalChatCompletion();
    expect(first.choices[0]).toMatchObject({
      finish_reason: 'stop',
      message: { content: 'A streamed answer.' },
    });
    expect(first.usage?.completion_tokens).toBe(7);
    const second = await completions.stream({ model: 'm', messages }).finalChatCompletion();
    expect(second.choices[0]?.message).toMatchObject({
      content: 'Now.',
      tool_calls: [{ type: 'function', function: { name: 'book', arguments: '{"day":"monday"}' } }],
    });
  });

  it('speaks raw samples and WAV', async () => {
    const { speech } = client(server.baseUrl).audio;
    const ask = async (format: 'pcm' | 'wav'): Promise<Buffer> => {
      const answer = await speech.create({
        model: 'm',
        voice: 'anna',
        input: 'Hello.',
        response_format: format,
      });
      return Buffer.from(await answer.arrayBuffer());
    };
    expect((await ask('pcm')).length).toBe(6 * 50 * 24 * 2);
    expect(decodeWav(await ask('wav'))).toMatchObject({ sampleRateHz: 24_000 });
  });

  it('refuses a wrong key, a wrong path, and bodies that are not of the protocol', async () => {
    const chat = (key: string, messages: ChatCompletionMessageParam[]): Promise<unknown> =>
      Promise.resolve(
        client(server.baseUrl, key).chat.completions.create({ model: 'm', messages, stream: true }),
      );
    await expect(chat('other', [{ role: 'user', content: 'x' }])).rejects.toMatchObject({ status: 401 });
    const tool_calls = [{ id: 'a', type: 'function' as const, function: { name: 'book', arguments: '{}' } }];
    await expect(chat('test-key', [{ role: 'assistant', content: null, tool_calls }])).rejects.toThrow(
      /must be followed by tool messages/,
    );
    await expect(chat('test-key', [{ role: 'tool', tool_call_id: 'a', content: '' }])).rejects.toThrow(
      /nobody called/,
    );
    await expect(client(server.baseUrl).models.list()).rejects.toMatchObject({ status: 404 });
    expect(server.refused).toHaveLength(2);
    server.chat.plan(refuses(429, { code: 'rate_limit_exceeded', headers: { 'retry-after': '3' } }));
    await expect(chat('test-key', [{ role: 'user', content: 'x' }])).rejects.toMatchObject({
      status: 429,
      code: 'rate_limit_exceeded',
    });
  });

  it.each([
    ['text/plain', 'x', /no multipart/],
    ['multipart/form-data; boundary=b', 'x', /cut short/],
    [
      'multipart/form-data; boundary=b',
      '--b\r\nContent-Disposition: form-data; name="model"\r\n\r\nm',
      /cut short/,
    ],
    ['multipart/form-data; boundary=b', '--b--\r\n', /model parameter/],
    ['multipart/form-data; boundary=b', '--b\r\nX: y\r\n\r\nz\r\n--b--\r\n', /no name/],
    [
      'multipart/form-data; boundary=b',
      '--b\r\nContent-Disposition: form-data; name="model"\r\n\r\nm\r\n--b--\r\n',
      /provide a file/,
    ],
  ])('refuses a form of %s with %j', (contentType, body, sentence) => {
    expect(() => parseForm(Buffer.from(body), contentType)).toThrow(sentence);
  });
});

describe('the local server with real speech', () => {
  const now = (): Date => new Date('2026-11-23T09:00:00Z');
  let folder: string;
  let server: OpenAiServer;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'trunkline-live-'));
    server = await startLiveServer({ profile: clinicProfile(), cacheFolder: folder, now });
  });

  afterAll(async () => {
    await server.close();
    await rm(folder, { recursive: true });
  });

  it('understands speech', async () => {
    const samples = await speak('I would like an appointment tomorrow at ten', { voice: 'rms' });
    const wav = encodeWav({ sampleRateHz: 8000, channels: [samples] });
    const { text } = await client(server.baseUrl).audio.transcriptions.create({
      model: 'ear',
      file: await toFile(wav, 'a.wav', { type: 'audio/wav' }),
    });
    expect(text.toLowerCase()).toBe('i would like an appointment tomorrow at ten');
  });

  it('speaks', async () => {
    const answer = await client(server.baseUrl).audio.speech.create({
      model: 'mouth',
      voice: 'rms',
      input: 'Which day would you like?',
      response_format: 'wav',
    });
    const { channels } = decodeWav(Buffer.from(await answer.arrayBuffer()));
    expect(channels[0]?.length).toBeGreaterThan(20_000);
    expect(levelDbfs(channels[0] ?? new Int16Array(0))).toBeGreaterThan(-35);
  });

  it('knows from the messages alone how far a booking is', () => {
    const profile = clinicProfile();
    const user = (content: string) => ({ role: 'user' as const, content });
    const told = [
      user('[The call begins.] I would like an appointment tomorrow at ten'),
      user('Laura Smith'),
    ];
    expect(nextActions(told, { profile, now }).actions).toMatchObject([
      { type: 'say', text: expect.stringMatching(/Is that right/) as string },
    ]);
    const agreed = [...told, user('yes that is right')];
    const [action] = nextActions(agreed, { profile, now }).actions;
    expect(action).toMatchObject({ type: 'tool', name: 'book_appointment', arguments: { time: '10:00' } });
    const call = {
      id: 'a',
      type: 'function' as const,
      function: { name: 'book_appointment', arguments: '{}' },
    };
    const booked = [
      ...agreed,
      { role: 'assistant' as const, content: null, tool_calls: [call] },
      { role: 'tool' as const, tool_call_id: 'a', content: '{"ok":true}' },
    ];
    expect(nextActions(booked, { profile, now }).actions).toMatchObject([
      { text: expect.stringMatching(/You are booked/) as string },
    ]);
    expect(nextActions([...booked, user('no thank you')], { profile, now }).actions).toMatchObject([
      { text: expect.stringMatching(/Goodbye/) as string },
      { type: 'hang_up' },
    ]);
  });
});
