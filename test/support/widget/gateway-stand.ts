/**
 * Stands in for the browser door where a test must decide what the gateway says and when: real HTTP, real
 * Socket.IO with the wire messages, and on request a real mediasoup router, in which a visitor hears an echo.
 */
import { readFile } from 'node:fs/promises';
import { createServer, type Server as HttpServer } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { extname, join } from 'node:path';
import { Server, type Socket } from 'socket.io';
import { messageOf } from '../../../src/base/errors.ts';
import type { Sfu } from '../../../src/media/sfu.ts';
import type { SfuRouter, WebRtcTransport } from '../../../src/media/sfu-router.ts';
import {
  REQUESTS,
  SOCKET_PATH,
  type Ask,
  type EventName,
  type EventPayload,
  type Joined,
  type RequestName,
  type Result,
} from '../../../src/web/wire.ts';
import { ROOT } from '../../tidy/files.ts';

const DIST = join(ROOT, 'widget', 'dist');
const CONTENT_TYPE: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
};

/** What was asked, in order, with the questions as they came. */
export interface Asked {
  readonly name: RequestName;
  readonly ask: unknown;
}

type Consumer = Awaited<ReturnType<WebRtcTransport['consume']>>;
type Producer = Awaited<ReturnType<WebRtcTransport['produce']>>;

export class GatewayStand {
  readonly asked: Asked[] = [];
  /** Replaces parts of every answer to `join`. */
  joined: Partial<Joined> = {};
  /** Questions that are refused, with the code to refuse them by. */
  readonly refusals = new Map<RequestName, string>();
  /** Questions that get no answer at all. */
  readonly unanswered = new Set<RequestName>();
  readonly url: string;
  readonly #http: HttpServer;
  readonly #io: Server;
  readonly #sfu: Sfu | undefined;
  #router: SfuRouter | undefined;
  #resumes = 0;
  readonly #transports = new Map<string, WebRtcTransport>();
  readonly #producers = new Map<string, Producer>();
  readonly #consumers = new Map<string, Consumer>();

  private constructor(http: HttpServer, io: Server, sfu: Sfu | undefined) {
    this.#http = http;
    this.#io = io;
    this.#sfu = sfu;
    this.url = `http://127.0.0.1:${(http.address() as AddressInfo).port}`;
    io.on('connection', (socket) => this.#serve(socket));
  }

  static async start(options: { sfu?: Sfu; port?: number } = {}): Promise<GatewayStand> {
    const http = createServer((request, response) => {
      const path = request.url === '/' ? '/index.html' : (request.url ?? '');
      readFile(join(DIST, path)).then(
        (body) =>
          response
            .setHeader('content-type', CONTENT_TYPE[extname(path)] ?? '')
            // Module scripts come to other sites' pages only with this.
            .setHeader('access-control-allow-origin', '*')
            .end(body),
        () => response.writeHead(404).end(),
      );
    });
    http.listen(options.port ?? 0, '127.0.0.1');
    await once(http, 'listening');
    const io = new Server(http, { path: SOCKET_PATH, cors: { origin: true }, serveClient: false });
    const stand = new GatewayStand(http, io, options.sfu);
    stand.#router = await options.sfu?.createRouter();
    return stand;
  }

  get sockets(): number {
    return this.#io.of('/').sockets.size;
  }

  get port(): number {
    return Number(new URL(this.url).port);
  }

  names(): RequestName[] {
    return this.asked.map(({ name }) => name);
  }

  producersPaused(): boolean[] {
    return [...this.#producers.values()].map((producer) => producer.paused);
  }

  /** What the visitor sends, as negotiated. */
  sendingParameters(): Producer['rtpParameters'][] {
    return [...this.#producers.values()].map((producer) => producer.rtpParameters);
  }

  tell<N extends EventName>(name: N, payload: EventPayload<N>): void {
    this.#io.emit(name, payload);
  }

  /** Something that is no message of ours. */
  tellAnything(name: string, payload: unknown): void {
    this.#io.emit(name, payload);
  }

  /** Breaks every connection as a network does; clients try again. */
  breakConnections(): void {
    for (const socket of this.#io.of('/').sockets.values()) socket.conn.close();
  }

  /** Ends every connection as a gateway does that wants no more of them. */
  dismiss(): void {
    this.#io.disconnectSockets(true);
  }

  /** The worker died: all is gone, and the room is in another router. */
  async moveRoom(): Promise<void> {
    this.#router?.close();
    this.#producers.clear();
    this.#consumers.clear();
    this.#transports.clear();
    this.#router = await this.#sfu?.createRouter();
    const routerRtpCapabilities = this.#capabilities();
    this.tell('room.moved', { routerRtpCapabilities, producers: [] });
  }

  async close(): Promise<void> {
    this.#router?.close();
    const closed = this.#io.close();
    // Browsers keep connections for later, and nothing would close while they do.
    this.#http.closeAllConnections();
    await closed;
  }

  #serve(socket: Socket): void {
    for (const name of Object.keys(REQUESTS) as RequestName[]) {
      socket.on(name, async (payload: unknown, answer?: (answer: unknown) => void) => {
        this.asked.push({ name, ask: payload });
        if (this.unanswered.has(name)) return;
        const code = this.refusals.get(name);
        if (code !== undefined) answer?.({ ok: false, code, message: `Refused: ${code}.` });
        else answer?.(await this.#answered(name, payload));
      });
    }
  }

  #capabilities(): Joined['routerRtpCapabilities'] {
    return (this.#router?.rtpCapabilities ?? {}) as Joined['routerRtpCapabilities'];
  }

  /** What is gone meanwhile is refused, as a gateway does. */
  async #answered(name: RequestName, payload: unknown): Promise<object> {
    try {
      return { ok: true, ...(await this.#answer(name, payload)) };
    } catch (error) {
      return { ok: false, code: 'WEB_NOT_FOUND', message: messageOf(error) };
    }
  }

  async #answer(name: RequestName, payload: unknown): Promise<Result<RequestName>> {
    const ask = REQUESTS[name].ask.parse(payload);
    switch (name) {
      case 'join':
        return this.#join(ask as Ask<'join'>);
      case 'transport.create':
        return this.#createTransport(ask as Ask<typeof name>);
      case 'transport.connect':
        await this.#find(this.#transports, (ask as Ask<typeof name>).transportId).connect(ask as never);
        return {};
      case 'transport.restartIce':
        return this.#restartIce(ask as Ask<typeof name>);
      case 'produce':
        return this.#produce(ask as Ask<'produce'>);
      case 'consume':
        return this.#consume(ask as Ask<'consume'>);
      case 'producer.pause':
        await this.#producers.get((ask as Ask<typeof name>).producerId)?.pause();
        return {};
      case 'producer.resume':
        await this.#producers.get((ask as Ask<typeof name>).producerId)?.resume();
        return {};
      case 'consumer.resume':
        await this.#find(this.#consumers, (ask as Ask<typeof name>).consumerId).resume();
        return {};
      case 'producer.close':
      case 'consumer.pause':
      case 'mode':
      case 'hold':
      case 'handBack':
      case 'end':
      case 'leave':
      case 'page.gone':
        return {};
    }
  }

  #find<T>(these: Map<string, T>, id: string): T {
    const found = these.get(id);
    if (found === undefined) throw new Error(`the stand knows no ${id}`);
    return found;
  }

  #join(ask: Ask<'join'>): Joined {
    this.#resumes += 1;
    return {
      participantId: 'visitor-1',
      roomId: 'room-1',
      role: 'visitor',
      permissions: ['publish', 'hear'],
      codec: 'opus',
      routerRtpCapabilities: this.#capabilities(),
      iceServers: [],
      iceTransportPolicy: 'all',
      participants: [],
      producers: [],
      resumeToken: `resume-${this.#resumes}`,
      resumed: 'resumeToken' in ask,
      ...this.joined,
    };
  }

  async #createTransport({ direction }: Ask<'transport.create'>): Promise<Result<'transport.create'>> {
    if (this.#router === undefined) throw new Error('a stand without sound has no transports');
    const transport = await this.#router.createWebRtcTransport({ tag: { direction } });
    this.#transports.set(transport.id, transport);
    const { id: transportId, iceParameters, iceCandidates, dtlsParameters } = transport;
    return { transportId, iceParameters, iceCandidates, dtlsParameters };
  }

  async #restartIce({ transportId }: Ask<'transport.restartIce'>): Promise<Result<'transport.restartIce'>> {
    const iceParameters = await this.#find(this.#transports, transportId).restartIce();
    return { iceParameters, iceServers: this.joined.iceServers ?? [] };
  }

  async #produce({ transportId, rtpParameters }: Ask<'produce'>): Promise<Result<'produce'>> {
    const transport = this.#find(this.#transports, transportId);
    const producer = await transport.produce({ kind: 'audio', rtpParameters: rtpParameters as never });
    this.#producers.set(producer.id, producer);
    this.tell('producer.added', { producerId: producer.id, participantId: 'echo' });
    return { producerId: producer.id };
  }

  async #consume({ producerId, rtpCapabilities }: Ask<'consume'>): Promise<Result<'consume'>> {
    const transport = [...this.#transports.values()].find((one) => one.appData['direction'] === 'receive');
    if (transport === undefined) throw new Error('consumed without a transport');
    const consumer = await transport.consume({
      producerId,
      rtpCapabilities: rtpCapabilities as never,
      paused: true,
    });
    this.#consumers.set(consumer.id, consumer);
    const { id: consumerId, kind, rtpParameters } = consumer;
    return { consumerId, producerId, participantId: 'echo', kind, rtpParameters } as Result<'consume'>;
  }
}
