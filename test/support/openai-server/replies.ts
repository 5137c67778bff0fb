/** Answers that a test plans: words, tool calls, sound, and every way to fail. */
import type { ServerResponse } from 'node:http';
import type { TranscriptionStreamEvent } from 'openai/resources/audio/transcriptions';
import type { ChatCompletionChunk } from 'openai/resources/chat/completions';
import type { CompletionUsage } from 'openai/resources/completions';
import { newId } from '../../../src/base/ids.ts';
import { encodeWav } from '../sound/wav.ts';
import { tone } from '../sound/level.ts';
import type { ChatBody, SpeechBody, TranscriptionBody } from './bodies.ts';
import { sendError, type Behaviour, type Exchange } from './server.ts';

export type ChatBehaviour = Behaviour<ChatBody>;
export type SpeechBehaviour = Behaviour<SpeechBody>;
export type TranscriptionBehaviour = Behaviour<TranscriptionBody>;

/** Server-sent events, one `data:` line each. */
export class EventWriter {
  readonly #response: ServerResponse;

  constructor(response: ServerResponse) {
    this.#response = response;
    response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-cache' });
    response.flushHeaders();
  }

  /** `named`: with the line `event:` that some endpoints have. */
  send(event: object, named = false): void {
    const name = named && 'type' in event ? `event: ${String(event.type)}\n` : '';
    this.raw(`${name}data: ${JSON.stringify(event)}\n\n`);
  }

  raw(text: string): void {
    if (!this.#response.destroyed) this.#response.write(text);
  }

  end(): void {
    this.raw('data: [DONE]\n\n');
    this.#response.end();
  }
}

/** The answer of a chat model, chunk by chunk, as the vendor's types have it. */
export class ChatWriter {
  readonly #events: EventWriter;
  readonly #body: ChatBody;
  readonly #id = newId('chatcmpl');

  constructor({ body, response }: Exchange<ChatBody>) {
    this.#events = new EventWriter(response);
    this.#body = body;
    this.#chunk({ role: 'assistant', content: '' });
  }

  #chunk(
    delta: ChatCompletionChunk.Choice.Delta,
    finish: ChatCompletionChunk.Choice['finish_reason'] = null,
  ): void {
    this.#send([{ index: 0, delta, finish_reason: finish }], null);
  }

  #send(choices: ChatCompletionChunk.Choice[], usage: CompletionUsage | null): void {
    const chunk: ChatCompletionChunk = {
      id: this.#id,
      object: 'chat.completion.chunk',
      created: 0,
      model: this.#body.model,
      choices,
      usage,
    };
    this.#events.send(chunk);
  }

  words(text: string, charsAtATime = 6): void {
    for (let at = 0; at < text.length; at += charsAtATime)
      this.#chunk({ content: text.slice(at, at + charsAtATime) });
  }

  /** Arguments come in pieces, as the vendor sends them. */
  call(index: number, name: string, given: string, id = newId('call')): void {
    this.#chunk({ tool_calls: [{ index, id, type: 'function', function: { name, arguments: '' } }] });
    for (let at = 0; at < given.length; at += 7)
      this.#chunk({ tool_calls: [{ index, function: { arguments: given.slice(at, at + 7) } }] });
  }

  raw(text: string): void {
    this.#events.raw(text);
  }

  finish(reason: ChatCompletionChunk.Choice['finish_reason'] = 'stop'): void {
    this.#chunk({}, reason);
    const prompt = this.#body.messages.reduce(
      (sum, { content }) => sum + Math.ceil((content?.length ?? 0) / 4),
      0,
    );
    const usage = { prompt_tokens: prompt, completion_tokens: 7, total_tokens: prompt + 7 };
    if (this.#body.stream_options?.include_usage === true) this.#send([], usage);
    this.#events.end();
  }
}

export const says =
  (text: string): ChatBehaviour =>
  (exchange) => {
    const writer = new ChatWriter(exchange);
    writer.words(text);
    writer.finish();
  };

export const calls =
  (...tools: { name: string; given: string; id?: string; before?: string }[]): ChatBehaviour =>
  (exchange) => {
    const writer = new ChatWriter(exchange);
    for (const { before = '' } of tools) writer.words(before);
    tools.forEach(({ name, given, id }, index) => writer.call(index, name, given, id));
    writer.finish('tool_calls');
  };

/** Says the first part, then waits for `gate`, then the second. */
export const saysSlowly =
  (first: string, gate: Promise<unknown>, second: string): ChatBehaviour =>
  async (exchange) => {
    const writer = new ChatWriter(exchange);
    writer.words(first);
    await gate;
    writer.words(second);
    writer.finish();
  };

/** Any events, to be broken ones; the stream then ends, or is cut. */
export const sendsEvents =
  (text: string, end: 'end' | 'cut' = 'end'): Behaviour<unknown> =>
  ({ response }) => {
    new EventWriter(response).raw(text);
    finish(response, end);
  };

export const breaksOff =
  (words: string): ChatBehaviour =>
  (exchange) => {
    const writer = new ChatWriter(exchange);
    writer.words(words);
    finish(exchange.response, 'cut');
  };

function finish(response: ServerResponse, end: 'end' | 'cut'): void {
  if (end === 'end') response.end();
  // What was written leaves first.
  else setImmediate(() => setImmediate(() => response.destroy()));
}

export const refuses =
  (status: number, options: { message?: string; code?: string; headers?: Record<string, string> } = {}) =>
  ({ response }: Exchange<unknown>): void => {
    for (const [name, value] of Object.entries(options.headers ?? {})) response.setHeader(name, value);
    sendError(response, status, options.message ?? 'no', options.code ?? null);
  };

/** Takes the request, and never answers. */
export const hangs =
  () =>
  (_exchange: Exchange<unknown>): void =>
    undefined;

/** Waits for `gate`, then goes on as `behaviour`. */
export const after =
  <B>(gate: Promise<unknown>, behaviour: Behaviour<B>): Behaviour<B> =>
  async (exchange) => {
    await gate;
    await behaviour(exchange);
  };

/** Any bytes under any content type. */
export const sends =
  (bytes: string | Uint8Array, contentType: string) =>
  ({ response }: Exchange<unknown>): void => {
    response.writeHead(200, { 'content-type': contentType });
    response.end(bytes);
  };

export const hears =
  (text: string, usage?: object): TranscriptionBehaviour =>
  ({ body, response }) => {
    if (!body.stream) {
      response.writeHead(200, { 'content-type': 'application/json' });
      response.end(JSON.stringify({ text, ...(usage === undefined ? {} : { usage }) }));
      return;
    }
    const events = new EventWriter(response);
    const all: TranscriptionStreamEvent[] = text
      .split(/(?<= )/)
      .map((delta) => ({ type: 'transcript.text.delta', delta }));
    all.push({ type: 'transcript.text.done', text });
    for (const event of all) events.send(event, true);
    events.end();
  };

/** How long a text sounds here: so many ms per character, so that tests can count. */
export const ms_per_char = 50;
const pcm_rate_hz = 24_000;

/** A tone, as long as the text, in the format that was asked for. */
export const speaks =
  (options: { hz?: number } = {}): SpeechBehaviour =>
  ({ body, response }) => {
    sendSound(
      response,
      body.response_format,
      tone(options.hz ?? 500, body.input.length * ms_per_char, pcm_rate_hz),
    );
  };

/** The first part of the sound, then `gate`, then the rest; or the connection is cut there. */
export const speaksHalf =
  (gate: Promise<unknown> | 'cut'): SpeechBehaviour =>
  async ({ body, response }) => {
    const bytes = raw(tone(500, body.input.length * ms_per_char, pcm_rate_hz));
    response.writeHead(200, { 'content-type': 'audio/pcm' });
    response.write(bytes.subarray(0, bytes.length / 2));
    if (gate === 'cut') {
      finish(response, 'cut');
      return;
    }
    await gate;
    response.end(bytes.subarray(bytes.length / 2));
  };

export function sendSound(
  response: ServerResponse,
  format: SpeechBody['response_format'],
  samples: Int16Array,
): void {
  const wav = format === 'wav';
  response.writeHead(200, { 'content-type': wav ? 'audio/wav' : 'audio/pcm' });
  const bytes = wav ? encodeWav({ sampleRateHz: pcm_rate_hz, channels: [samples] }) : raw(samples);
  // In pieces, as it is synthesised.
  for (let at = 0; at < bytes.length; at += 4801) response.write(bytes.subarray(at, at + 4801));
  response.end();
}

function raw(samples: Int16Array): Buffer {
  return Buffer.from(samples.buffer, samples.byteOffset, samples.byteLength);
}
