import { randomUUID } from 'node:crypto';
import type { Socket } from 'node:net';

import { FrameReader, formatFrame, parseCommand, type Command } from './admin-protocol.ts';
import { LIMITS } from './limits.ts';

export interface ApplicationEvents {
  onCommand(application: Application, command: Command): void;
  onClosed(application: Application): void;
}

/** One application on the admin port. */
export class Application {
  authenticated = false;
  /** Lower-case verbs that it wants, `cdr:` ones among them. */
  readonly routes = new Set<string>();
  readonly #socket: Socket;
  readonly #reader = new FrameReader();
  #connected = true;
  #authenticationTimer: NodeJS.Timeout | undefined;

  constructor(socket: Socket, events: ApplicationEvents) {
    this.#socket = socket;
    socket.setNoDelay(true);
    socket.setKeepAlive(true, 60_000);
    this.#authenticationTimer = setTimeout(() => {
      if (!this.authenticated) this.close();
    }, LIMITS.authenticateMs);
    socket.on('data', (chunk) => this.#take(chunk, events));
    socket.on('error', () => undefined);
    socket.on('close', () => {
      this.#connected = false;
      clearTimeout(this.#authenticationTimer);
      events.onClosed(this);
    });
  }

  get connected(): boolean {
    return this.#connected && !this.#socket.destroyed;
  }

  /** Sends a message under a fresh id. */
  send(message: string): void {
    if (!this.connected || !this.#socket.writable) return;
    this.#socket.write(formatFrame(`${randomUUID()}|${message}`), 'latin1');
    if (this.#socket.writableLength > LIMITS.applicationBacklogBytesMax) this.close();
  }

  /** Answers a command: OK, NOK (it could not be done) or NO (it may not be asked). */
  reply(commandId: string, result: string): void {
    this.send(`response|${commandId}|${result}`);
  }

  /** Sends what is written, then closes. */
  end(): void {
    this.#socket.destroySoon();
  }

  close(): void {
    this.#socket.destroy();
  }

  #take(chunk: Buffer, events: ApplicationEvents): void {
    let payloads: string[];
    try {
      payloads = this.#reader.push(chunk);
    } catch {
      this.close();
      return;
    }
    for (const payload of payloads) {
      if (!this.#socket.writable) return;
      events.onCommand(this, parseCommand(payload));
    }
  }
}
