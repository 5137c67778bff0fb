/**
 * A connection to a Live server on which no session was started: that would be billed from its first second,
 * and could be given neither another codec nor a past any more.
 */
import type { WebSocket } from 'ws';
import type { Clock } from '../../../base/clock.ts';
import { ping_ms } from '../voice-socket/limits.ts';

export interface WarmSocketOptions {
  readonly socket: WebSocket;
  readonly clock: Clock;
  /** It is gone, and nobody has taken it. Told once. */
  readonly spent: (reason: string) => void;
  /** Nobody has to close it any more; told once, always. */
  readonly onGone: () => void;
}

export class WarmSocket {
  readonly #options: WarmSocketOptions;
  #state: 'waiting' | 'taken' | 'closed' = 'waiting';
  #answered = true;
  #cancelTimer: () => void;

  constructor(options: WarmSocketOptions) {
    this.#options = options;
    const { socket } = options;
    socket.on('pong', () => (this.#answered = true));
    socket.on('error', (error) => this.#lost(error.message));
    socket.on('close', (code) => this.#lost(`the server closed the connection (${code})`));
    socket.resume();
    this.#cancelTimer = this.#pingLater();
  }

  get usable(): boolean {
    return this.#state === 'waiting';
  }

  /** The socket, paused, without any listener; null when it is gone. */
  take(): WebSocket | null {
    if (this.#state !== 'waiting') return null;
    const { socket } = this.#options;
    this.#end('taken');
    socket.removeAllListeners();
    socket.pause();
    return socket;
  }

  close(): void {
    if (this.#state !== 'waiting') return;
    this.#end('closed');
    // Whatever the far end makes of it: nothing is left to be said.
    this.#options.socket.terminate();
  }

  #end(state: 'taken' | 'closed'): void {
    this.#state = state;
    this.#cancelTimer();
    this.#options.onGone();
  }

  #lost(reason: string): void {
    if (this.#state !== 'waiting') return;
    this.close();
    this.#options.spent(reason);
  }

  #pingLater(): () => void {
    return this.#options.clock.after(ping_ms, () => {
      if (!this.#answered) {
        this.#lost(`no sign of life for ${ping_ms} ms`);
        return;
      }
      this.#answered = false;
      this.#options.socket.ping();
      this.#cancelTimer = this.#pingLater();
    });
  }
}
