import type { Socket } from 'node:net';

import type { Contact } from './contact.ts';
import { LIMITS } from './limits.ts';
import { StreamFramer, type StreamItem } from './stream-framer.ts';

type ClosedListener = (error: Error) => void;

/** One TCP or TLS connection that carries SIP, opened by either side. */
export class StreamConnection {
  readonly contact: Contact;
  readonly address: string;
  readonly port: number;
  readonly #socket: Socket;
  readonly #framer = new StreamFramer();
  readonly #watchers = new Set<ClosedListener>();
  #partialTimer: NodeJS.Timeout | undefined;
  #error = new Error('the connection was closed');
  #closed = false;

  constructor(
    socket: Socket,
    remote: { contact: Contact; address: string; port: number },
    onItem: (item: StreamItem, connection: StreamConnection) => void,
    onClosed: (connection: StreamConnection) => void,
  ) {
    this.contact = remote.contact;
    this.address = remote.address;
    this.port = remote.port;
    this.#socket = socket;
    socket.setNoDelay(true);
    socket.setKeepAlive(true, 60_000);
    socket.setTimeout(LIMITS.connectionIdleMs, () => this.close('idle for too long'));
    socket.on('data', (chunk) => {
      const items = this.#framer.push(chunk);
      this.#watchPartial(items.length > 0);
      for (const item of items) {
        if (this.#closed) return;
        onItem(item, this);
      }
    });
    socket.on('error', (error) => {
      this.#error = error;
    });
    socket.on('close', () => {
      this.#closed = true;
      clearTimeout(this.#partialTimer);
      onClosed(this);
      for (const watcher of [...this.#watchers]) watcher(this.#error);
      this.#watchers.clear();
    });
  }

  get open(): boolean {
    return !this.#closed && !this.#socket.destroyed && this.#socket.writable;
  }

  /** Reports the end of the connection once; the returned function takes the wish back. */
  watch(watcher: ClosedListener): () => void {
    this.#watchers.add(watcher);
    return () => this.#watchers.delete(watcher);
  }

  write(text: string): void {
    this.#socket.write(text, 'latin1');
    if (this.#socket.writableLength > LIMITS.connectionBacklogBytesMax)
      this.close('the peer reads too slowly');
  }

  /** Sends what is written and then closes. */
  end(): void {
    this.#socket.end();
    this.#socket.destroySoon();
  }

  close(reason: string): void {
    this.#error = new Error(reason);
    this.#socket.destroy();
  }

  #watchPartial(progressed: boolean): void {
    if (progressed || !this.#framer.partial) {
      clearTimeout(this.#partialTimer);
      this.#partialTimer = undefined;
    }
    if (this.#framer.partial) {
      this.#partialTimer ??= setTimeout(
        () => this.close('a message stayed unfinished'),
        LIMITS.partialMessageMs,
      );
    }
  }
}
