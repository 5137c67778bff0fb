/** One client of the local server, whatever protocol it speaks: what it said, and a socket to answer on. */
import type { WebSocket } from 'ws';

const received_max = 10_000;
const sent_max = 10_000;

interface Waiter<C> {
  readonly matches: (event: C) => boolean;
  readonly resolve: () => void;
}

export class Peer<C extends { type: string }> {
  readonly socket: WebSocket;
  /** Every event that the client sent, sound included, oldest first (bounded). */
  readonly received: C[] = [];
  /** Every event that was sent to the client, but for sound (bounded): what conformance is checked on. */
  readonly sent: object[] = [];
  /** What the client sent that is no event of the protocol: the sentence of each. */
  readonly refused: string[] = [];
  #waiters: Waiter<C>[] = [];

  constructor(socket: WebSocket) {
    this.socket = socket;
  }

  /** Any text at all, for tests of what is no event. */
  raw(text: string): void {
    if (this.socket.readyState === this.socket.OPEN) this.socket.send(text);
  }

  /** An event, already in its final shape. */
  protected write(event: object & { readonly type: string }): void {
    if (this.sent.length < sent_max && !event.type.endsWith('audio.delta')) this.sent.push(event);
    this.raw(JSON.stringify(event));
  }

  take(event: C): void {
    this.received.push(event);
    if (this.received.length > received_max) this.received.shift();
    const waiting = this.#waiters;
    this.#waiters = [];
    for (const waiter of waiting) {
      if (waiter.matches(event)) waiter.resolve();
      else this.#waiters.push(waiter);
    }
  }

  /** All events of a type so far. */
  all<T extends C['type']>(type: T): Extract<C, { type: T }>[] {
    return this.received.filter((event): event is Extract<C, { type: T }> => event.type === type);
  }

  /** The `count`-th event of a type (from 1), come or still to come. */
  async nth<T extends C['type']>(type: T, count = 1): Promise<Extract<C, { type: T }>> {
    for (;;) {
      const found = this.all(type)[count - 1];
      if (found !== undefined) return found;
      await new Promise<void>((resolve) =>
        this.#waiters.push({ matches: (event) => event.type === type, resolve }),
      );
    }
  }
}
