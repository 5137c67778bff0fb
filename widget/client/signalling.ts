/** The messages of src/web/wire.ts over Socket.IO: questions, answered or refused, and typed events. */
import { io, type Socket } from 'socket.io-client';
import {
  EVENTS,
  REQUESTS,
  SOCKET_PATH,
  refusal,
  type Ask,
  type EventName,
  type EventPayload,
  type RequestName,
  type Result,
} from '../../src/web/wire.ts';
import { Emitter } from './emitter.ts';

const answer_timeout_ms = 10_000;
const leave_timeout_ms = 2000;
const reconnect_min_ms = 250;
const reconnect_max_ms = 2000;
const connect_timeout_ms = 8000;

/** The gateway said no; `code` is one of docs/ERRORS.md. */
export class GatewayRefusal extends Error {
  readonly code: string;

  constructor(code: string, message: string) {
    super(message);
    this.name = 'GatewayRefusal';
    this.code = code;
  }
}

/** There was no answer: the socket is away, or the gateway silent or not understood. */
export class GatewayUnreachable extends Error {
  override readonly name = 'GatewayUnreachable';
}

export type SignallingEvents = { [N in EventName]: EventPayload<N> } & {
  /** The socket is there, for the first time or again: `join` is due. */
  open: null;
  /** It is lost; `final` when it will not come back by itself. */
  lost: { readonly final: boolean };
  /** An attempt to connect failed; another follows. */
  unreachable: null;
};

/** Asks the gateway; see REQUESTS of the wire messages for what each question means. */
export type AskGateway = <N extends RequestName>(name: N, ask: Ask<N>) => Promise<Result<N>>;

export class Signalling {
  readonly events = new Emitter<SignallingEvents>();
  readonly #socket: Socket;

  /** `server`: origin of the gateway, as `https://calls.example.org`. Connects at once. */
  constructor(server: string) {
    this.#socket = io(server, {
      path: SOCKET_PATH,
      transports: ['websocket', 'polling'],
      tryAllTransports: true,
      forceNew: true,
      reconnectionDelay: reconnect_min_ms,
      reconnectionDelayMax: reconnect_max_ms,
      timeout: connect_timeout_ms,
    });
    this.#socket.on('connect', () => this.events.emit('open', null));
    this.#socket.on('connect_error', () => this.events.emit('unreachable', null));
    this.#socket.on('disconnect', () => this.events.emit('lost', { final: !this.#socket.active }));
    for (const name of Object.keys(EVENTS) as EventName[])
      this.#socket.on(name, (payload: unknown) => this.#told(name, payload));
  }

  /**
   * Never queued: while the socket is away it rejects at once, because `join` comes first on a new socket.
   * @throws GatewayRefusal, GatewayUnreachable
   */
  async ask<N extends RequestName>(name: N, ask: Ask<N>): Promise<Result<N>> {
    if (!this.#socket.connected) throw new GatewayUnreachable(`${name} was not asked: no connection`);
    let answer: unknown;
    try {
      answer = await this.#socket.timeout(answer_timeout_ms).emitWithAck(name, ask);
    } catch (error) {
      throw new GatewayUnreachable(`no answer to ${name}`, { cause: error });
    }
    const refused = refusal.safeParse(answer);
    if (refused.success) throw new GatewayRefusal(refused.data.code, refused.data.message);
    const { ok: _, ...rest } = Object(answer) as Record<string, unknown>;
    const result = REQUESTS[name].result.safeParse(rest);
    if (!result.success) throw new GatewayUnreachable(`the answer to ${name} is not understood`);
    return result.data as Result<N>;
  }

  /**
   * Tells the gateway that we leave, or that the page goes, then closes. Does not close in the same breath,
   * because a gateway passes over what comes together with the end of its socket. Events are told no more.
   */
  leave(name: 'leave' | 'page.gone' = 'leave'): void {
    this.events.removeAll();
    if (!this.#socket.connected) {
      this.close();
      return;
    }
    this.#socket.io.reconnection(false);
    this.#socket.timeout(leave_timeout_ms).emit(name, {}, () => this.close());
  }

  /** Idempotent. */
  close(): void {
    this.events.removeAll();
    this.#socket.disconnect();
  }

  /** Events of a newer gateway that we do not understand are passed over. */
  #told(name: EventName, payload: unknown): void {
    const parsed = EVENTS[name].safeParse(payload);
    if (parsed.success) this.events.emit(name, parsed.data);
  }
}
