/** One open socket to a model's server: events both ways, with every way in which it can die noticed. */
import type { RawData, WebSocket } from 'ws';
import type { Clock } from '../../../base/clock.ts';
import type { ParsedEvent } from './event-parser.ts';
import {
  close_ms_max,
  dropped_ms_max,
  not_events_max,
  ping_ms,
  response_stall_ms_max,
  unsent_bytes_max,
  watch_ms,
} from './limits.ts';

export interface WireCounts {
  /** Well-formed events of types that we do not use. */
  unknownEvents: number;
  /** Messages that were no events, or events with bad fields. */
  notEvents: number;
  /** Batches of the caller's sound that found the socket full. */
  droppedAppends: number;
}

export interface WireOptions<E> {
  readonly socket: WebSocket;
  readonly clock: Clock;
  readonly counts: WireCounts;
  readonly appendMs: number;
  readonly parse: (message: string) => ParsedEvent<E>;
  readonly onEvent: (event: E) => void;
  /** Told once, and not after `close`. */
  readonly onDead: (detail: string) => void;
  /** The socket is gone for good; told once, always. */
  readonly onGone: () => void;
  /** The server owes us events: a long quiet then means that it hangs. */
  readonly expecting: () => boolean;
}

export class Wire<E> {
  readonly #options: WireOptions<E>;
  readonly #socket: WebSocket;
  #notEvents = 0;
  #droppedMs = 0;
  #lastHeardMs: number;
  #lastPingMs: number;
  /** Takes back the next look at the clock, or the cut after a slow closing handshake. */
  #cancelTimer: () => void;
  #closed = false;

  constructor(options: WireOptions<E>) {
    this.#options = options;
    const { socket, clock } = options;
    this.#socket = socket;
    this.#lastHeardMs = this.#lastPingMs = clock.nowMs();
    socket.on('message', (data, isBinary) => this.#message(data, isBinary));
    socket.on('pong', () => (this.#lastHeardMs = clock.nowMs()));
    socket.on('error', (error) => this.#die(error.message));
    socket.on('close', (code) => {
      this.#die(`the server closed the connection (${code})`);
      this.close();
      this.#cancelTimer();
      options.onGone();
    });
    this.#cancelTimer = clock.after(watch_ms, () => this.#watch());
    socket.resume();
  }

  send(event: object): void {
    if (!this.#closed) this.#socket.send(JSON.stringify(event));
  }

  /** A whole `append` message; the bytes are copied. Dropped, and counted, while the socket is full. */
  append(message: Uint8Array): void {
    if (this.#closed) return;
    if (this.#socket.bufferedAmount <= unsent_bytes_max) {
      this.#droppedMs = 0;
      this.#socket.send(message, { binary: false });
      return;
    }
    this.#options.counts.droppedAppends += 1;
    this.#droppedMs += this.#options.appendMs;
    if (this.#droppedMs >= dropped_ms_max) this.#die(`the server took no sound for ${this.#droppedMs} ms`);
  }

  /** Idempotent. `onGone` follows when the closing handshake is over, or cut. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#cancelTimer();
    this.#socket.close(1000);
    this.#cancelTimer = this.#options.clock.after(close_ms_max, () => this.#socket.terminate());
  }

  /** Without a handshake: the far end is not there, or not believed. */
  cut(): void {
    this.close();
    this.#socket.terminate();
  }

  #message(data: RawData, isBinary: boolean): void {
    if (this.#closed) return;
    this.#lastHeardMs = this.#options.clock.nowMs();
    // `nodebuffer`, the default binaryType, gives one Buffer per message.
    const parsed =
      isBinary || !Buffer.isBuffer(data)
        ? ({ kind: 'not-an-event', reason: 'a binary message' } as const)
        : this.#options.parse(data.toString('utf8'));
    switch (parsed.kind) {
      case 'known':
        this.#options.onEvent(parsed.event);
        return;
      case 'unknown':
        this.#options.counts.unknownEvents += 1;
        return;
      case 'not-an-event':
        this.#options.counts.notEvents += 1;
        this.#notEvents += 1;
        if (this.#notEvents > not_events_max)
          this.#die(`more than ${not_events_max} messages were no events (${parsed.reason})`);
    }
  }

  #watch(): void {
    const { clock, expecting } = this.#options;
    const nowMs = clock.nowMs();
    const quietMs = nowMs - this.#lastHeardMs;
    if (expecting() && quietMs > response_stall_ms_max) {
      this.#die(`no event for ${Math.round(quietMs)} ms while a response was due`);
      return;
    }
    if (nowMs - this.#lastPingMs >= ping_ms) {
      if (this.#lastHeardMs < this.#lastPingMs) {
        this.#die(`no sign of life for ${Math.round(quietMs)} ms`);
        return;
      }
      this.#lastPingMs = nowMs;
      this.#socket.ping();
    }
    this.#cancelTimer = clock.after(watch_ms, () => this.#watch());
  }

  #die(detail: string): void {
    if (this.#closed) return;
    this.cut();
    this.#options.onDead(detail);
  }
}
