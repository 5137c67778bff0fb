/**
 * A local server for OpenAI's three HTTP endpoints of speech and chat, over real sockets. It keeps the
 * protocol's rules; what it answers is up to behaviours: scripted ones (replies.ts), or real speech and a
 * mind (live.ts).
 */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { buffer } from 'node:stream/consumers';
import type { z } from 'zod';
import {
  chatBodySchema,
  parseForm,
  speechBodySchema,
  type ChatBody,
  type SpeechBody,
  type TranscriptionBody,
} from './bodies.ts';

export interface Exchange<B> {
  readonly body: B;
  readonly response: ServerResponse;
  readonly authorization: string | undefined;
  /** Aborted when the client has gone before the answer was complete. */
  readonly gone: AbortSignal;
}

export type Behaviour<B> = (exchange: Exchange<B>) => Promise<void> | void;

/** One path: what was asked, and what is to be answered. */
export class Endpoint<B> {
  readonly exchanges: Exchange<B>[] = [];
  /** Answers when nothing is planned. */
  otherwise: Behaviour<B>;
  readonly #planned: Behaviour<B>[] = [];
  readonly #waiting: (() => void)[] = [];

  constructor(otherwise: Behaviour<B>) {
    this.otherwise = otherwise;
  }

  /** The next requests are answered so, one after the other. */
  plan(...behaviours: Behaviour<B>[]): void {
    this.#planned.push(...behaviours);
  }

  /** The `count`-th request (from 1), come or still to come. */
  async nth(count = 1): Promise<Exchange<B>> {
    for (;;) {
      const found = this.exchanges[count - 1];
      if (found !== undefined) return found;
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    }
  }

  async answer(exchange: Exchange<B>): Promise<void> {
    this.exchanges.push(exchange);
    for (const wake of this.#waiting.splice(0)) wake();
    await (this.#planned.shift() ?? this.otherwise)(exchange);
  }
}

export interface OpenAiServerOptions {
  readonly transcribe: Behaviour<TranscriptionBody>;
  readonly chat: Behaviour<ChatBody>;
  readonly speak: Behaviour<SpeechBody>;
  /** 0, the default: any free port. */
  readonly port?: number;
  /** Expected after `Bearer `; absent: any key, or none. */
  readonly apiKey?: string;
}

export interface OpenAiServer {
  readonly port: number;
  readonly baseUrl: string;
  readonly transcription: Endpoint<TranscriptionBody>;
  readonly chat: Endpoint<ChatBody>;
  readonly speech: Endpoint<SpeechBody>;
  /** Requests that were not of the protocol. */
  readonly refused: readonly string[];
  /** Connections so far: a client that keeps them alive needs few. */
  readonly connections: number;
  close(): Promise<void>;
}

export function sendError(
  response: ServerResponse,
  status: number,
  message: string,
  code: string | null = null,
): void {
  const type = status >= 500 ? 'server_error' : 'invalid_request_error';
  response.writeHead(status, { 'content-type': 'application/json' });
  response.end(JSON.stringify({ error: { message, type, param: null, code } }));
}

export async function startOpenAiServer(options: OpenAiServerOptions): Promise<OpenAiServer> {
  const transcription = new Endpoint(options.transcribe);
  const chat = new Endpoint(options.chat);
  const speech = new Endpoint(options.speak);
  const refused: string[] = [];
  const sockets = new Set<Socket>();
  let connections = 0;

  const serve = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const authorization = request.headers.authorization;
    const bytes = await buffer(request);
    if (options.apiKey !== undefined && authorization !== `Bearer ${options.apiKey}`) {
      sendError(response, 401, `Incorrect API key provided: ${authorization ?? ''}`, 'invalid_api_key');
      return;
    }
    const gone = new AbortController();
    response.on('close', () => {
      if (!response.writableFinished) gone.abort();
    });
    const exchange = <B>(body: B): Exchange<B> => ({ body, response, authorization, gone: gone.signal });
    switch (`${request.method ?? ''} ${request.url ?? ''}`) {
      case 'POST /v1/audio/transcriptions':
        await transcription.answer(exchange(parseForm(bytes, request.headers['content-type'] ?? '')));
        return;
      case 'POST /v1/chat/completions':
        await chat.answer(exchange(parseJson(bytes, chatBodySchema)));
        return;
      case 'POST /v1/audio/speech':
        await speech.answer(exchange(parseJson(bytes, speechBodySchema)));
        return;
      default:
        sendError(response, 404, `there is no ${request.url ?? ''}`);
    }
  };

  const http = createServer((request, response) => {
    serve(request, response).catch((error: unknown) => {
      if (request.destroyed && !request.complete) return;
      const sentence = error instanceof Error ? error.message : String(error);
      refused.push(sentence);
      if (response.headersSent) response.destroy();
      else sendError(response, 400, sentence);
    });
  });
  http.on('connection', (socket) => {
    connections += 1;
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
  });
  await new Promise<void>((resolve, reject) => {
    http.once('error', reject);
    http.listen(options.port ?? 0, '127.0.0.1', resolve);
  });
  const { port } = http.address() as AddressInfo;
  return {
    port,
    baseUrl: `http://127.0.0.1:${port}/v1`,
    transcription,
    chat,
    speech,
    refused,
    get connections() {
      return connections;
    },
    async close() {
      for (const socket of sockets) socket.destroy();
      await new Promise<void>((resolve) => http.close(() => resolve()));
    },
  };
}

function parseJson<S extends z.ZodType>(bytes: Buffer, schema: S): z.infer<S> {
  const parsed = schema.safeParse(JSON.parse(bytes.toString('utf8')));
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw new Error(`${issue?.path.join('.') ?? ''}: ${issue?.message ?? ''}`);
}
