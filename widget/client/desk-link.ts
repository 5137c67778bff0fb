/** The messages of src/web/desk-wire.ts over Socket.IO: a desk that signs in anew whenever it was away. */
import { io, type Socket } from 'socket.io-client';
import {
  DESK_EVENTS,
  DESK_NAMESPACE,
  DESK_REQUESTS,
  type DeskAsk,
  type DeskRequestName,
  type DeskResult,
  type DeskState,
} from '../../src/web/desk-wire.ts';
import { SOCKET_PATH, refusal } from '../../src/web/wire.ts';
import { Emitter } from './emitter.ts';
import { GatewayRefusal, GatewayUnreachable } from './signalling.ts';

const answer_timeout_ms = 10_000;

export interface DeskLinkEvents {
  signedIn: DeskResult<'signIn'>;
  state: DeskState;
  /** The gateway is away; it is looked for. */
  lost: null;
  /** The gateway does not let this desk in (any more). The link is closed. */
  refused: Error;
}

export class DeskLink {
  readonly events = new Emitter<DeskLinkEvents>();
  readonly #socket: Socket;

  /** `token` is asked for at every sign-in, because tokens do not live long. Connects at once. */
  constructor(server: string, token: () => Promise<string>) {
    this.#socket = io(new URL(DESK_NAMESPACE, server).href, {
      path: SOCKET_PATH,
      transports: ['websocket', 'polling'],
      tryAllTransports: true,
      forceNew: true,
    });
    this.#socket.on('connect', () => void this.#signIn(token));
    this.#socket.on('disconnect', () => this.events.emit('lost', null));
    this.#socket.on('state', (payload: unknown) => {
      const parsed = DESK_EVENTS.state.safeParse(payload);
      if (parsed.success) this.events.emit('state', parsed.data);
    });
  }

  /** @throws GatewayRefusal, GatewayUnreachable */
  async ask<N extends DeskRequestName>(name: N, ask: DeskAsk<N>): Promise<DeskResult<N>> {
    if (!this.#socket.connected) throw new GatewayUnreachable('the gateway is away');
    let answer: unknown;
    try {
      answer = await this.#socket.timeout(answer_timeout_ms).emitWithAck(name, ask);
    } catch (error) {
      throw new GatewayUnreachable('no answer', { cause: error });
    }
    const refused = refusal.safeParse(answer);
    if (refused.success) throw new GatewayRefusal(refused.data.code, refused.data.message);
    const result = DESK_REQUESTS[name].result.safeParse(withoutOk(answer));
    if (!result.success) throw new GatewayUnreachable('the answer is not understood');
    return result.data as DeskResult<N>;
  }

  close(): void {
    this.events.removeAll();
    this.#socket.disconnect();
  }

  async #signIn(token: () => Promise<string>): Promise<void> {
    try {
      this.events.emit('signedIn', await this.ask('signIn', { token: await token() }));
    } catch (error) {
      // Away again: the next connection signs in.
      if (error instanceof GatewayUnreachable) return;
      this.events.emit('refused', error instanceof Error ? error : new Error(String(error)));
      this.close();
    }
  }
}

function withoutOk(answer: unknown): unknown {
  if (typeof answer !== 'object' || answer === null) return answer;
  return Object.fromEntries(Object.entries(answer).filter(([name]) => name !== 'ok'));
}
