/** A browser without its page: a Socket.IO client that asks as the widget does, and keeps what it is told. */
import { io, type Socket } from 'socket.io-client';
import {
  EVENTS,
  REQUESTS,
  SOCKET_PATH,
  type Ask,
  type EventName,
  type EventPayload,
  type RequestName,
  type Result,
} from '../../../src/web/wire.ts';
import { until } from '../until.ts';

export const SITE = 'http://site.test';

const answer_timeout_ms = 5000;

export class Browser {
  readonly socket: Socket;
  readonly #told: { name: EventName; payload: unknown }[] = [];

  private constructor(socket: Socket) {
    this.socket = socket;
    for (const name of Object.keys(EVENTS) as EventName[])
      socket.on(name, (payload: unknown) => this.#told.push({ name, payload: EVENTS[name].parse(payload) }));
  }

  /** Opens a socket. `origin` null: a program that names none. @throws Error with what the gateway said */
  static async connect(
    url: string,
    options: { origin?: string | null; transport?: 'websocket' | 'polling' } = {},
  ): Promise<Browser> {
    const { origin = SITE, transport = 'websocket' } = options;
    const socket = io(url, {
      path: SOCKET_PATH,
      transports: [transport],
      forceNew: true,
      reconnection: false,
      ...(origin === null ? {} : { extraHeaders: { origin } }),
    });
    const browser = new Browser(socket);
    await new Promise<void>((resolve, reject) => {
      socket.once('connect', resolve);
      socket.once('connect_error', reject);
    });
    return browser;
  }

  /** A question that is answered. @throws Error with the code of a refusal */
  async ask<N extends RequestName>(name: N, ask: Ask<N>): Promise<Result<N>> {
    const { ok, ...result } = await this.send(name, ask);
    if (ok !== true) throw new Error(`${name}: ${JSON.stringify(result)}`);
    return REQUESTS[name].result.parse(result) as Result<N>;
  }

  /** Anything, right or wrong; what the gateway answers. */
  async send(name: string, ...payload: unknown[]): Promise<Record<string, unknown>> {
    return (await this.socket.timeout(answer_timeout_ms).emitWithAck(name, ...payload)) as Record<
      string,
      unknown
    >;
  }

  told<N extends EventName>(name: N): EventPayload<N>[] {
    return this.#told.filter((one) => one.name === name).map((one) => one.payload as EventPayload<N>);
  }

  /** The first event of that name that fits, once it has come. */
  async hears<N extends EventName>(
    name: N,
    fits: (payload: EventPayload<N>) => boolean = () => true,
  ): Promise<EventPayload<N>> {
    let found: EventPayload<N> | undefined;
    await until(`the browser is told ${name}`, () => {
      found = this.told(name).find(fits);
      return found !== undefined;
    });
    if (found === undefined) throw new Error('it was there a moment ago');
    return found;
  }

  async gone(): Promise<void> {
    await until('the socket is closed', () => !this.socket.connected);
  }

  close(): void {
    this.socket.disconnect();
  }
}
