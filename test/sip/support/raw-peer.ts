/** A SIP peer made of a UDP socket and text: does what a proper stack would never do. */
import { createSocket, type Socket } from 'node:dgram';
import { EventEmitter, once } from 'node:events';

import { sdp } from './application.ts';

let serial = 0;

export interface InviteParts {
  readonly user: string;
  readonly port: number;
  readonly callId?: string;
  readonly branch?: string;
  readonly sequence?: number;
  /** Whole header rows, without line ends. */
  readonly extra?: readonly string[];
  readonly maxForwards?: number;
  readonly toTag?: string;
  readonly method?: string;
  readonly body?: string;
}

export class RawPeer {
  readonly port: number;
  /** Everything received, oldest first. */
  readonly received: string[] = [];
  readonly #socket: Socket;
  readonly #patienceMs: number;
  readonly #arrived = new EventEmitter();

  /** `patienceMs`: how long its waits last at most. */
  static async open(patienceMs = 10_000): Promise<RawPeer> {
    const socket = createSocket('udp4');
    socket.bind(0, '127.0.0.1');
    await once(socket, 'listening');
    return new RawPeer(socket, patienceMs);
  }

  private constructor(socket: Socket, patienceMs: number) {
    this.#patienceMs = patienceMs;
    this.#socket = socket;
    this.port = socket.address().port;
    this.#arrived.setMaxListeners(50);
    socket.on('message', (data) => {
      this.received.push(data.toString('latin1'));
      this.#arrived.emit('message');
    });
  }

  send(port: number, text: string): void {
    this.#socket.send(Buffer.from(text, 'latin1'), port, '127.0.0.1');
  }

  /** Resolves with the first message, past or future, that fits; rejects after `timeoutMs`. */
  async waitFor(fits: (message: string) => boolean, timeoutMs = this.#patienceMs): Promise<string> {
    await this.until(() => this.received.some(fits), timeoutMs);
    return this.received.find(fits) ?? '';
  }

  /** Waits, message by message, until the condition holds. */
  async until(holds: () => boolean, timeoutMs = this.#patienceMs): Promise<void> {
    const deadline = AbortSignal.timeout(timeoutMs);
    while (!holds()) {
      await once(this.#arrived, 'message', { signal: deadline }).catch(() => {
        throw new Error(`not seen within ${timeoutMs} ms; got:\n${this.received.map(firstLine).join('\n')}`);
      });
    }
  }

  count(fits: RegExp): number {
    return this.received.filter((message) => fits.test(message)).length;
  }

  newBranch(): string {
    serial += 1;
    return `z9hG4bKraw${this.port}x${serial}`;
  }

  invite(parts: InviteParts): string {
    return this.request({ method: 'INVITE', body: sdp(5300), ...parts });
  }

  request(parts: InviteParts): string {
    const {
      user,
      port,
      method = 'OPTIONS',
      sequence = 1,
      extra = [],
      maxForwards = 70,
      toTag,
      body = '',
    } = parts;
    serial += 1;
    const rows = [
      `${method} sip:${user}@127.0.0.1:${port} SIP/2.0`,
      `Via: SIP/2.0/UDP 127.0.0.1:${this.port};branch=${parts.branch ?? this.newBranch()}`,
      `Max-Forwards: ${maxForwards}`,
      `From: <sip:raw@127.0.0.1:${this.port}>;tag=raw`,
      `To: <sip:${user}@127.0.0.1:${port}>${toTag === undefined ? '' : `;tag=${toTag}`}`,
      `Call-ID: ${parts.callId ?? `raw-${this.port}-${serial}`}`,
      `CSeq: ${sequence} ${method}`,
      `Contact: <sip:raw@127.0.0.1:${this.port}>`,
      ...extra,
      ...(body === '' ? [] : ['Content-Type: application/sdp']),
      `Content-Length: ${Buffer.byteLength(body)}`,
    ];
    return `${rows.join('\r\n')}\r\n\r\n${body}`;
  }

  /** A response to a received request, with its Via, From, To, Call-ID and CSeq. */
  response(
    request: string,
    status: string,
    extra: readonly string[] = [],
    toTag = 'rawto',
    body = '',
  ): string {
    const rows = request.split('\r\n').filter((row) => /^(Via|From|Call-ID|CSeq|Record-Route):/.test(row));
    const to = header(request, 'To');
    rows.push(`To: ${to.includes('tag=') || toTag === '' ? to : `${to};tag=${toTag}`}`, ...extra);
    if (body !== '') rows.push('Content-Type: application/sdp');
    rows.push(`Content-Length: ${Buffer.byteLength(body)}`);
    return `SIP/2.0 ${status}\r\n${rows.join('\r\n')}\r\n\r\n${body}`;
  }

  async close(): Promise<void> {
    const closed = once(this.#socket, 'close');
    this.#socket.close();
    await closed;
  }
}

export function firstLine(message: string): string {
  return message.split('\r\n', 1)[0] ?? '';
}

export function header(message: string, name: string): string {
  const row = message.split('\r\n').find((line) => line.toLowerCase().startsWith(`${name.toLowerCase()}:`));
  return row === undefined ? '' : row.slice(name.length + 1).trim();
}

export function tagIn(value: string): string {
  return /;tag=([^;\s]+)/.exec(value)?.[1] ?? '';
}
