/**
 * A local server for OpenAI's Realtime and Live protocols over real WebSockets. It keeps the protocols' rules
 * (session, conversation, errors); what it says is up to a behaviour: a script, an echo, a talker, a
 * receptionist.
 */
import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import { WebSocketServer } from 'ws';
import { clientEventSchema, type ClientEvent } from './client-schema.ts';
import { Connection } from './connection.ts';
import { LiveConnection } from './live/connection.ts';
import { serveLive, type LiveBehaviour } from './live/server.ts';
import { keepRules } from './rules.ts';

/** What a server says on one connection. Made anew for each. */
export interface Behaviour {
  /** The socket is open and nothing was said yet; without it `session.created` is said. */
  opened?(connection: Connection): void;
  /** After the rules were kept. `append` comes here too, when the server parses it. */
  event?(event: ClientEvent, connection: Connection): void;
  /** Instead of parsing: true when the message has been dealt with. For a cheap echo of sound. */
  message?(text: Buffer, connection: Connection): boolean;
  /** true: the rules answer nothing; the behaviour says every word itself. */
  readonly silent?: boolean;
  closed?(connection: Connection): void;
}

export interface Refusal {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
}

export interface RealtimeServerOptions {
  readonly behave: (connection: Connection) => Behaviour;
  /** Absent: there is no Live API here (404). */
  readonly behaveLive?: (connection: LiveConnection) => LiveBehaviour;
  /** 0, the default: any free port. */
  readonly port?: number;
  /** Expected after `Bearer `; absent: any key, or none. */
  readonly apiKey?: string;
  /** Answers the upgrade with an HTTP status instead; `'silence'` never answers. */
  readonly refuse?: (request: IncomingMessage) => Refusal | 'silence' | undefined;
}

export interface RealtimeServer {
  readonly port: number;
  /** For an adapter's `baseUrl`. */
  readonly baseUrl: string;
  readonly connections: readonly Connection[];
  /** The `count`-th connection (from 1), come or still to come. */
  connection(count?: number): Promise<Connection>;
  readonly liveConnections: readonly LiveConnection[];
  liveConnection(count?: number): Promise<LiveConnection>;
  close(): Promise<void>;
}

const live_path = '/v1/live/sessions';

export async function startRealtimeServer(options: RealtimeServerOptions): Promise<RealtimeServer> {
  const http = createServer((_request, response) => response.writeHead(404).end());
  const sockets = new WebSocketServer({ noServer: true, perMessageDeflate: false, maxPayload: 16 << 20 });
  const connections: Connection[] = [];
  const liveConnections: LiveConnection[] = [];
  const waiting: (() => void)[] = [];
  const held = new Set<Duplex>();
  http.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    held.add(socket);
    socket.on('close', () => held.delete(socket));
    socket.on('error', () => socket.destroy());
    const refusal = refusalOf(request, options);
    if (refusal === 'silence') return;
    if (refusal !== undefined) {
      socket.end(refusalText(refusal));
      return;
    }
    const { pathname, searchParams } = new URL(request.url ?? '/', 'http://localhost');
    sockets.handleUpgrade(request, socket, head, (webSocket) => {
      if (pathname === live_path && options.behaveLive !== undefined) {
        const connection = new LiveConnection(webSocket);
        liveConnections.push(connection);
        serveLive(connection, options.behaveLive(connection));
      } else {
        const connection = new Connection(webSocket, searchParams.get('model') ?? '');
        connections.push(connection);
        serve(connection, options.behave(connection));
      }
      for (const wake of waiting.splice(0)) wake();
    });
  });
  const port = await listen(http, options.port ?? 0);
  return {
    port,
    baseUrl: `ws://127.0.0.1:${port}/v1`,
    connections,
    connection: (count = 1) => nthOf(connections, count, waiting),
    liveConnections,
    liveConnection: (count = 1) => nthOf(liveConnections, count, waiting),
    async close() {
      for (const { socket } of [...connections, ...liveConnections]) socket.terminate();
      for (const socket of held) socket.destroy();
      await new Promise<void>((resolve) => http.close(() => resolve()));
    },
  };
}

/** The `count`-th of a list, there or still to come. */
async function nthOf<C>(list: readonly C[], count: number, waiting: (() => void)[]): Promise<C> {
  for (;;) {
    const found = list[count - 1];
    if (found !== undefined) return found;
    await new Promise<void>((resolve) => waiting.push(resolve));
  }
}

function serve(connection: Connection, behaviour: Behaviour): void {
  const { socket } = connection;
  socket.on('error', () => socket.terminate());
  socket.on('close', () => behaviour.closed?.(connection));
  socket.on('message', (data) => {
    if (!Buffer.isBuffer(data) || behaviour.message?.(data, connection)) return;
    const event = parse(data.toString('utf8'), connection);
    if (event === undefined) return;
    if (behaviour.silent !== true) keepRules(event, connection);
    connection.take(event);
    behaviour.event?.(event, connection);
  });
  if (behaviour.opened !== undefined) behaviour.opened(connection);
  else connection.send({ type: 'session.created', session: connection.session });
}

/** Settings that `null` clears, as the Agents SDK sends them; the vendor's types know only their absence. */
function withoutNulls(key: string, value: unknown): unknown {
  return value === null && (key === 'noise_reduction' || key === 'transcription') ? undefined : value;
}

function parse(text: string, connection: Connection): ClientEvent | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text, withoutNulls);
  } catch {
    connection.refused.push('not JSON');
    connection.error('invalid_json', 'The message is not JSON.');
    return undefined;
  }
  const parsed = clientEventSchema.safeParse(value);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  const sentence = `${issue?.path.join('.') ?? ''}: ${issue?.message ?? ''}`;
  connection.refused.push(sentence);
  connection.error('invalid_event', sentence);
  return undefined;
}

function refusalOf(
  request: IncomingMessage,
  options: RealtimeServerOptions,
): Refusal | 'silence' | undefined {
  const asked = options.refuse?.(request);
  if (asked !== undefined) return asked;
  const url = request.url ?? '';
  const known =
    url.startsWith('/v1/realtime?model=') || (options.behaveLive !== undefined && url === live_path);
  if (!known) return { status: 404 };
  if (options.apiKey !== undefined && request.headers.authorization !== `Bearer ${options.apiKey}`)
    return { status: 401 };
  return undefined;
}

function refusalText(refusal: Refusal): string {
  const headers = { ...refusal.headers, Connection: 'close', 'Content-Length': '0' };
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  return `HTTP/1.1 ${refusal.status} Refused\r\n${lines.join('')}\r\n`;
}

function listen(http: Server, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    http.once('error', reject);
    http.listen(port, '127.0.0.1', () => resolve((http.address() as AddressInfo).port));
  });
}
