/** Speech to text by `POST /audio/transcriptions`. */
import { randomBytes } from 'node:crypto';
import { Stream } from 'openai/core/streaming';
import { z } from 'zod';
import type { Clock } from '../../../base/clock.ts';
import { text_chars_max } from '../limits.ts';
import { StageError } from './failure.ts';
import { detail_chars_max } from './limits.ts';
import { Patience } from './patience.ts';
import type { Server, Servers } from './servers.ts';
import type { TranscriptionServer } from './settings.ts';

/** The whole answer, and the last event of a streamed one. */
const doneSchema = z.looseObject({ text: z.string(), usage: z.unknown().optional() });
const eventSchema = z.discriminatedUnion('type', [
  z.looseObject({ type: z.literal('transcript.text.delta'), delta: z.string() }),
  z.looseObject({ type: z.literal('transcript.text.done'), text: z.string(), usage: z.unknown().optional() }),
]);

export interface Transcript {
  readonly text: string;
  readonly model: string;
  readonly server: string;
  /** As the server counts it; undefined when it does not. */
  readonly usage: unknown;
}

export interface TranscriberOptions {
  readonly servers: Servers<TranscriptionServer>;
  readonly clock: Clock;
  readonly stream: boolean;
  readonly timeoutMs: number;
}

export class Transcriber {
  readonly #options: TranscriberOptions;

  constructor(options: TranscriberOptions) {
    this.#options = options;
  }

  /** `onText` is told the whole text so far. @throws StageError, Cancelled */
  transcribe(request: {
    wav: Uint8Array;
    language: string;
    signal: AbortSignal;
    onText: (text: string) => void;
  }): Promise<Transcript> {
    const { servers, clock } = this.#options;
    return servers.use(request.signal, async (server) => {
      const patience = new Patience(clock, request.signal);
      patience.expect('the transcript', this.#options.timeoutMs);
      try {
        const { text, usage } = await this.#ask(server, request, patience);
        return {
          text: text.trim().slice(0, text_chars_max),
          usage,
          model: server.settings.model,
          server: server.name,
        };
      } catch (thrown) {
        return patience.rethrow('transcription', server.name, thrown);
      } finally {
        patience.done();
      }
    });
  }

  async #ask(
    server: Server<TranscriptionServer>,
    request: { wav: Uint8Array; language: string; onText: (text: string) => void },
    patience: Patience,
  ): Promise<{ text: string; usage: unknown }> {
    const { model, extra } = server.settings;
    const form = multipart(request.wav, {
      model,
      language: request.language,
      response_format: 'json',
      ...(this.#options.stream ? { stream: 'true' } : {}),
      ...Object.fromEntries(
        Object.entries(extra).map(([name, value]) => [
          name,
          typeof value === 'string' ? value : JSON.stringify(value),
        ]),
      ),
    });
    const response = await server.client
      .post('/audio/transcriptions', {
        body: form.body,
        headers: { 'content-type': form.contentType },
        signal: patience.signal,
      })
      .asResponse();
    const kind = response.headers.get('content-type') ?? '';
    // A server that knows no streams answers whole, whatever it was asked for.
    if (!kind.startsWith('text/event-stream')) return whole(await response.text(), kind, server.name);
    const abort = new AbortController();
    patience.signal.addEventListener('abort', () => abort.abort(), { once: true });
    const events = Stream.fromSSEResponse<unknown>(response, abort, server.client);
    return streamed(events, request.onText, server.name);
  }
}

function whole(body: string, kind: string, name: string): { text: string; usage: unknown } {
  const parsed = doneSchema.safeParse(kind.includes('json') ? JSON.parse(body) : { text: body });
  if (!parsed.success) throw noTranscript(name, body);
  return { text: parsed.data.text, usage: parsed.data.usage };
}

async function streamed(
  events: AsyncIterable<unknown>,
  onText: (text: string) => void,
  name: string,
): Promise<{ text: string; usage: unknown }> {
  let text = '';
  for await (const event of events) {
    const parsed = eventSchema.safeParse(event);
    if (!parsed.success) continue;
    if (parsed.data.type === 'transcript.text.done')
      return { text: parsed.data.text, usage: parsed.data.usage };
    text = (text + parsed.data.delta).slice(0, text_chars_max);
    onText(text);
  }
  throw noTranscript(name, 'a stream without an end');
}

function noTranscript(name: string, what: string): StageError {
  const detail = `${name} answered no transcript: ${what.slice(0, detail_chars_max)}`;
  return new StageError('transcription', detail, { retryable: true, quick: true });
}

/**
 * `multipart/form-data` (RFC 7578). Made by hand: the client builds it with Node's FormData, which the
 * pool's own `fetch` takes for a plain object.
 */
export function multipart(
  wav: Uint8Array,
  fields: Readonly<Record<string, string>>,
): { body: Uint8Array; contentType: string } {
  const boundary = `trunkline-${randomBytes(12).toString('hex')}`;
  const texts = Object.entries(fields).map(
    ([name, value]) => `--${boundary}\r\nContent-Disposition: form-data; name="${name}"\r\n\r\n${value}\r\n`,
  );
  const file =
    `--${boundary}\r\nContent-Disposition: form-data; name="file"; filename="utterance.wav"\r\n` +
    `Content-Type: audio/wav\r\n\r\n`;
  const body = Buffer.concat([
    Buffer.from(texts.join('') + file),
    wav,
    Buffer.from(`\r\n--${boundary}--\r\n`),
  ]);
  return { body, contentType: `multipart/form-data; boundary=${boundary}` };
}
