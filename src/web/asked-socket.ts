/** A socket of a browser that asks: every message is paced, parsed and answered; what is none is refused. */
import type { Socket } from 'socket.io';
import { z } from 'zod';
import type { Clock } from '../base/clock.ts';
import { ERROR_CATALOGUE, TrunklineError, messageOf, type ErrorCode } from '../base/errors.ts';
import type { Log } from '../base/log.ts';
import { TokenBucket } from '../base/token-bucket.ts';
import type { WebLimits } from './settings.ts';

/** A socket that has not said who it is by then is closed, in ms. */
export const join_within_ms = 10_000;
/** Messages that are no messages, or come too fast, until the socket is closed. */
export const offences_max = 100;

const OFFENCES: ReadonlySet<ErrorCode> = new Set(['WEB_MESSAGE_INVALID', 'WEB_TOO_FAST', 'WEB_NOT_JOINED']);

export interface SocketParts {
  /** Something was refused on this socket. */
  readonly refused: (code: ErrorCode) => void;
  readonly limits: WebLimits;
  readonly clock: Clock;
  readonly log: Log;
}

export interface Asking {
  /** Every question there is, with the schema of its payload. */
  readonly questions: Readonly<Record<string, { readonly ask: z.ZodType }>>;
  /** `payload` is what the question's schema made of it. What it throws is answered as a refusal. */
  readonly answer: (name: string, payload: unknown) => Promise<object>;
  /** Too much of what it sent was refused: it is about to be gone, and is not to come back. */
  readonly dismissed: () => void;
  readonly gone: () => void;
}

type Reply = (answer: unknown) => void;

export class AskedSocket {
  readonly origin: string | undefined;
  readonly #socket: Socket;
  readonly #parts: SocketParts;
  readonly #asking: Asking;
  readonly #pace: TokenBucket;
  readonly #cancelPatience: () => void;
  #pending = 0;
  #offences = 0;

  constructor(socket: Socket, parts: SocketParts, asking: Asking) {
    this.#socket = socket;
    this.#parts = parts;
    this.#asking = asking;
    this.origin = socket.handshake.headers.origin;
    this.#pace = new TokenBucket(parts.limits.messages_per_second, parts.clock);
    this.#cancelPatience = parts.clock.after(join_within_ms, () => socket.disconnect(true));
    socket.onAny((name: unknown, ...given: unknown[]) => void this.#received(name, given));
    socket.on('disconnect', () => {
      this.#cancelPatience();
      asking.gone();
    });
  }

  get connected(): boolean {
    return this.#socket.connected;
  }

  /** Somebody known sits at the other end: it may stay. */
  stays(): void {
    this.#cancelPatience();
  }

  send(name: string, payload: unknown): void {
    this.#socket.emit(name, payload);
  }

  /** Closes the socket once everything that was sent is out. */
  hangUp(): void {
    // A turn later: an answer that is being given at this moment goes out first.
    setImmediate(() => this.#socket.disconnect(true));
  }

  async #received(name: unknown, given: readonly unknown[]): Promise<void> {
    // What came in one piece with the message that was one too many is still given to us.
    if (this.#offences >= offences_max) return;
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

  #answer(name: unknown, payload: unknown): Promise<object> {
    const { questions } = this.#asking;
    const question = typeof name === 'string' && Object.hasOwn(questions, name) ? questions[name] : undefined;
    if (typeof name !== 'string' || question === undefined)
      throw new TrunklineError('WEB_MESSAGE_INVALID', 'no such question');
    const parsed = question.ask.safeParse(payload);
    if (!parsed.success)
      throw new TrunklineError('WEB_MESSAGE_INVALID', z.prettifyError(parsed.error).slice(0, 500));
    return this.#asking.answer(name, parsed.data);
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
    if (this.#offences !== offences_max) return;
    this.#asking.dismissed();
    this.#socket.disconnect(true);
  }
}
