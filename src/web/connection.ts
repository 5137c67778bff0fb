/** One socket of a browser: every message is paced, parsed and answered; what is none is refused. */
import type { Socket } from 'socket.io';
import { z } from 'zod';
import type { Clock } from '../base/clock.ts';
import { ERROR_CATALOGUE, TrunklineError, messageOf, type ErrorCode } from '../base/errors.ts';
import type { Log } from '../base/log.ts';
import { TokenBucket } from '../base/token-bucket.ts';
import type { Guest, Line } from './guest.ts';
import type { WebLimits } from './settings.ts';
import { REQUESTS, type Ask, type EventName, type Joined, type RequestName } from './wire.ts';

/** A socket that has not joined by then is closed, in ms. */
export const join_within_ms = 10_000;
/** Messages that are no messages, or come too fast, until the socket is closed. */
export const offences_max = 100;

const OFFENCES: ReadonlySet<ErrorCode> = new Set(['WEB_MESSAGE_INVALID', 'WEB_TOO_FAST', 'WEB_NOT_JOINED']);

export interface ConnectionParts {
  /** Lets somebody in who was not here before, or back in. Attaches the connection. */
  readonly join: (ask: Ask<'join'>, connection: Connection) => Promise<{ guest: Guest; joined: Joined }>;
  /** Something was refused on this socket. */
  readonly refused: (code: ErrorCode) => void;
  readonly limits: WebLimits;
  readonly clock: Clock;
  readonly log: Log;
}

type Reply = (answer: unknown) => void;

export class Connection implements Line {
  readonly origin: string | undefined;
  readonly #socket: Socket;
  readonly #parts: ConnectionParts;
  readonly #pace: TokenBucket;
  readonly #cancelPatience: () => void;
  #guest: Guest | undefined;
  #joining = false;
  #pending = 0;
  #offences = 0;

  constructor(socket: Socket, parts: ConnectionParts) {
    this.#socket = socket;
    this.#parts = parts;
    this.origin = socket.handshake.headers.origin;
    this.#pace = new TokenBucket(parts.limits.messages_per_second, parts.clock);
    this.#cancelPatience = parts.clock.after(join_within_ms, () => socket.disconnect(true));
    socket.onAny((name: unknown, ...given: unknown[]) => void this.#received(name, given));
    socket.on('disconnect', () => {
      this.#cancelPatience();
      this.#guest?.detach(this);
    });
  }

  get connected(): boolean {
    return this.#socket.connected;
  }

  send(name: EventName, payload: unknown): void {
    this.#socket.emit(name, payload);
  }

  hangUp(): void {
    this.#guest = undefined;
    // A turn later: an answer that is being given at this moment goes out first.
    setImmediate(() => this.#socket.disconnect(true));
  }

  async #received(name: unknown, given: readonly unknown[]): Promise<void> {
    const last = given.at(-1);
    const reply = typeof last === 'function' ? (last as Reply) : undefined;
    try {
      if (reply === undefined || given.length !== 2)
        throw new TrunklineError('WEB_MESSAGE_INVALID', 'one payload and an ack are expected');
      this.#hold();
      this.#pending += 1;
      try {
        const result = await this.#answer(name, given[0]);
        reply({ ...result, ok: true });
      } finally {
        this.#pending -= 1;
      }
    } catch (error) {
      this.#refuse(error, reply);
    }
  }

  /** Too fast, or too many at a time. */
  #hold(): void {
    const { limits } = this.#parts;
    if (!this.#pace.take())
      throw new TrunklineError('WEB_TOO_FAST', `more than ${limits.messages_per_second} per second`);
    if (this.#pending >= limits.requests_pending_max)
      throw new TrunklineError('WEB_TOO_FAST', `${this.#pending} questions wait for their answer`);
  }

  async #answer(name: unknown, payload: unknown): Promise<object> {
    if (!isRequestName(name)) throw new TrunklineError('WEB_MESSAGE_INVALID', 'no such question');
    const parsed = REQUESTS[name].ask.safeParse(payload);
    if (!parsed.success)
      throw new TrunklineError('WEB_MESSAGE_INVALID', z.prettifyError(parsed.error).slice(0, 500));
    if (name === 'join') return this.#join(parsed.data as Ask<'join'>);
    if (this.#guest === undefined) throw new TrunklineError('WEB_NOT_JOINED', name);
    return this.#guest.answer(name, parsed.data as Ask<typeof name>);
  }

  async #join(ask: Ask<'join'>): Promise<Joined> {
    if (this.#joining || this.#guest !== undefined)
      throw new TrunklineError('WEB_NOT_JOINED', 'joined already');
    this.#joining = true;
    try {
      const { guest, joined } = await this.#parts.join(ask, this);
      this.#guest = guest;
      this.#cancelPatience();
      // It went away while it was being let in: it may come back like any other.
      if (!this.connected) guest.detach(this);
      return joined;
    } finally {
      this.#joining = false;
    }
  }

  #refuse(error: unknown, reply: Reply | undefined): void {
    const code = error instanceof TrunklineError ? error.code : 'WEB_FAILED';
    const detail = error instanceof TrunklineError ? `${error.detail}. ` : '';
    if (code === 'WEB_FAILED')
      this.#parts.log.error({ detail: messageOf(error) }, 'a question was not answered');
    this.#parts.refused(code);
    reply?.({ ok: false, code, message: `${detail}${ERROR_CATALOGUE[code]}` });
    if (!OFFENCES.has(code)) return;
    this.#offences += 1;
    if (this.#offences === offences_max) this.#socket.disconnect(true);
  }
}

function isRequestName(name: unknown): name is RequestName {
  return typeof name === 'string' && Object.hasOwn(REQUESTS, name);
}
