/** A socket without a network: what a server would say is put in by hand, what a client says is kept. */
import { EventEmitter } from 'node:events';
import type { WebSocket } from 'ws';

export class FakeSocket extends EventEmitter {
  readonly OPEN = 1;
  readyState = 1;
  bufferedAmount = 0;
  /** Messages that the client sent; the last few. */
  readonly sent: string[] = [];

  /** As the adapters take it. */
  get asWebSocket(): WebSocket {
    return this as unknown as WebSocket;
  }

  send(data: string | Uint8Array): void {
    this.sent.push(typeof data === 'string' ? data : Buffer.from(data).toString());
    if (this.sent.length > 1000) this.sent.shift();
  }

  /** One message of the server. */
  say(text: string): void {
    if (this.readyState === 1) this.emit('message', Buffer.from(text), false);
  }

  ping(): void {
    this.emit('pong');
  }

  pause(): void {
    return;
  }

  resume(): void {
    return;
  }

  close(): void {
    this.terminate();
  }

  terminate(): void {
    if (this.readyState !== 1) return;
    this.readyState = 3;
    this.emit('close', 1005);
  }
}
