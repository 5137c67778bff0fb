/** The vendor's own clients against the local server: what they take and what they send is the protocol. */
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { OpenAIRealtimeWebSocket, RealtimeAgent, RealtimeSession, tool } from '@openai/agents-realtime';
import OpenAI from 'openai';
import { LiveWS } from 'openai/resources/live/ws';
import type { ServerEvent } from 'openai/resources/live/live';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { z } from 'zod';
import { liveReceptionist } from '../../support/realtime-server/live/receptionist.ts';
import { receptionist } from '../../support/realtime-server/receptionist.ts';
import { startRealtimeServer, type RealtimeServer } from '../../support/realtime-server/server.ts';
import { toLine } from '../../support/realtime-server/speech/line-format.ts';
import { SpeechMachine } from '../../support/realtime-server/speech/machine.ts';
import { until } from '../../support/until.ts';
import { clinicProfile } from '../agent/simulated-call.ts';

const now = (): Date => new Date('2026-11-23T09:00:00Z');
const pcm24 = { codec: 'pcmu', pcmHz: 24_000 } as const;

let folder: string;
let machine: SpeechMachine;
let server: RealtimeServer;
let close: () => void = () => undefined;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'trunkline-clients-'));
  machine = await SpeechMachine.create({ profile: clinicProfile(), cacheFolder: folder });
  server = await startRealtimeServer({
    apiKey: 'test-key',
    behave: receptionist({ machine, now }),
    behaveLive: liveReceptionist({ machine, now }),
  });
});

afterEach(() => close());

afterAll(async () => {
  await Promise.all([server.close(), machine.close()]);
  await rm(folder, { recursive: true });
});

/** Words as PCM of 24 kHz, with the silence that ends a turn. */
async function spoken(words: string): Promise<Uint8Array> {
  const pieces: Uint8Array[] = [];
  for await (const { bytes } of machine.speak(words, 'pcmu')) pieces.push(toLine(pcm24, bytes));
  return Buffer.concat([...pieces, Buffer.alloc(48_000)]);
}

describe('the Agents SDK', () => {
  it('is understood, runs its tool, and hears what came of it', { timeout: 60_000 }, async () => {
    const booked: unknown[] = [];
    const agent = new RealtimeAgent({
      name: 'clinic',
      instructions: 'Book appointments.',
      tools: [
        tool({
          name: 'book_appointment',
          description: 'Books.',
          parameters: z.object({ name: z.string(), day: z.string(), time: z.string() }),
          execute: (given) => {
            booked.push(given);
            return { ok: true, ...given };
          },
        }),
      ],
    });
    const session = new RealtimeSession(agent, {
      transport: new OpenAIRealtimeWebSocket({ url: `${server.baseUrl}/realtime?model=m` }),
      model: 'm',
    });
    close = () => session.close();
    const errors: unknown[] = [];
    const replies: string[] = [];
    let soundBytes = 0;
    session.on('error', (error) => errors.push(error));
    session.on('audio', ({ data }) => (soundBytes += data.byteLength));
    session.on('agent_end', (_context, _agent, output) => replies.push(output));
    await session.connect({ apiKey: 'test-key' });
    for (const [words, answer] of [
      ['I would like an appointment tomorrow at ten', /name/],
      ['my name is Laura Smith', /Is that right/],
      ['yes that is right', /booked/],
    ] as const) {
      const bytes = await spoken(words);
      session.sendAudio(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length) as ArrayBuffer);
      await until(`an answer to "${words}"`, () => answer.test(replies.at(-1) ?? ''), 20_000);
    }
    // Names that sound alike may be confused; booked is the one that was read back.
    const [, name] = /for ([A-Z ]+)\. Is that right/i.exec(replies.join(' ')) ?? [];
    expect(booked).toEqual([{ name, day: '2026-11-24', time: '10:00' }]);
    expect(soundBytes).toBeGreaterThan(100_000);
    expect(errors).toEqual([]);
    expect(server.connections.at(-1)?.refused).toEqual([]);
  });
});

describe('LiveWS', () => {
  it('holds a conversation: hears, delegates to the client, and says what comes back', async () => {
    const client = new OpenAI({ apiKey: 'test-key', baseURL: server.baseUrl });
    const live = new LiveWS(client);
    close = () => live.close();
    const events: ServerEvent[] = [];
    const failures: unknown[] = [];
    let soundBytes = 0;
    live.on('error', (error) => failures.push(error));
    live.on('event', (event) => {
      if (event.type === 'session.output_audio.delta') soundBytes += event.delta.length;
      else events.push(event);
      if (event.type === 'session.delegation.created')
        live.send({
          type: 'session.commentary.append',
          delegation_id: event.delegation.id,
          content: 'We are open until noon.',
        });
    });
    const came = (type: ServerEvent['type'], patienceMs = 15_000): Promise<void> =>
      until(type, () => events.some((event) => event.type === type), patienceMs);
    await once(live.socket as unknown as WebSocket, 'open');
    live.send({ type: 'session.start', session: { model: 'gpt-live-1', delegation: { type: 'client' } } });
    await came('session.started');
    live.send({
      type: 'session.input_audio.append',
      audio: Buffer.from(await spoken('what are your opening hours')).toString('base64'),
    });
    await came('session.output_transcript.delta');
    live.send({ type: 'session.close' });
    await came('session.closed');
    const types = [...new Set(events.map((event) => event.type))];
    expect(types).toEqual([
      'session.started',
      'session.input_transcript.delta',
      'session.delegation.created',
      'session.commentary.appended',
      'session.output_transcript.delta',
      'session.closed',
    ]);
    const heard = events.flatMap((event) =>
      event.type === 'session.input_transcript.delta' ? [event.delta] : [],
    );
    expect(heard.join('')).toContain('opening hours');
    expect(soundBytes).toBeGreaterThan(0);
    expect(failures).toEqual([]);
  });
});

describe('the rules of Live', () => {
  async function refusalOf(...messages: string[]): Promise<unknown> {
    const socket = new WebSocket(`${server.baseUrl}/live/sessions`, {
      headers: { authorization: 'Bearer test-key' },
    });
    close = () => socket.terminate();
    const errors: unknown[] = [];
    socket.on('message', (data: Buffer) => {
      const event = JSON.parse(data.toString()) as { type: string; error?: { code: string } };
      if (event.type === 'error') errors.push(event.error?.code);
    });
    await once(socket, 'open');
    for (const message of messages) socket.send(message);
    await until('a refusal', () => errors.length > 0);
    return errors[0];
  }

  const start = (delegation: object): string =>
    JSON.stringify({ type: 'session.start', session: { model: 'm', delegation } });
  const client = start({ type: 'client' });
  const responses = start({ type: 'responses', responses: { model: 'b' } });

  it.each([
    ['no JSON', ['hello'], 'invalid_json'],
    ['an unknown type', ['{"type":"session.explode"}'], 'invalid_event'],
    [
      'sound before the start',
      ['{"type":"session.input_audio.append","audio":"////"}'],
      'session_not_started',
    ],
    ['a second start', [client, client], 'session_already_started'],
    ['an unknown field', ['{"type":"session.start","session":{"model":"m","mood":"good"}}'], 'invalid_event'],
    ['a response without a backend', [client, '{"type":"response.create"}'], 'invalid_value'],
    [
      'a delegation’s answer with one',
      [responses, '{"type":"session.commentary.append","content":"x","delegation_id":"d"}'],
      'invalid_value',
    ],
    [
      'an append that is too long',
      [
        client,
        JSON.stringify({ type: 'session.thinking.append', content: 'x'.repeat(9000), delegation_id: null }),
      ],
      'invalid_event',
    ],
  ])('refuse %s', async (_what, messages, code) => {
    expect(await refusalOf(...messages)).toBe(code);
  });

  it('want the key', async () => {
    const socket = new WebSocket(`${server.baseUrl}/live/sessions`, {
      headers: { authorization: 'Bearer wrong' },
    });
    const [, response] = (await once(socket, 'unexpected-response')) as [unknown, { statusCode: number }];
    expect(response.statusCode).toBe(401);
    socket.on('error', () => undefined);
    socket.terminate();
  });
});
