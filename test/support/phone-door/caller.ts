/**
 * A SIP caller made of a UDP socket and text: does what it is told, right or wrong, and keeps what it gets.
 */
import { createSocket, type Socket } from 'node:dgram';
import { EventEmitter, once } from 'node:events';

let serial = 0;

export interface SipText {
  readonly firstLine: string;
  /** 0 for requests. */
  readonly status: number;
  /** Empty for responses. */
  readonly method: string;
  readonly body: string;
  /** The value of a header's first row; empty when it is missing. */
  header(name: string): string;
  /** All rows of a header. */
  headers(name: string): string[];
  readonly text: string;
}

export function readSip(text: string): SipText {
  const [head = '', ...rest] = text.split('\r\n\r\n');
  const [firstLine = '', ...rows] = head.split('\r\n');
  const headers = (name: string): string[] =>
    rows
      .filter((row) => row.toLowerCase().startsWith(`${name.toLowerCase()}:`))
      .map((row) => row.slice(name.length + 1).trim());
  return {
    firstLine,
    status: Number(/^SIP\/2\.0 (\d{3})/.exec(firstLine)?.[1] ?? 0),
    method: /^([A-Z]+) \S+ SIP\/2\.0$/.exec(firstLine)?.[1] ?? '',
    body: rest.join('\r\n\r\n'),
    header: (name) => headers(name)[0] ?? '',
    headers,
    text,
  };
}

export interface Request {
  readonly method: string;
  readonly uri?: string;
  readonly user?: string;
  /** Headers by name; they take the place of the usual ones, `''` leaves one out. */
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  readonly contentType?: string;
  readonly sequence?: number;
  readonly branch?: string;
}

/** One caller with one Call-ID: at most one dialog. */
export class SipCaller {
  readonly callId: string;
  readonly port: number;
  readonly received: SipText[] = [];
  /** Answer requests of the far end with 200, as phones do. */
  answersRequests = true;
  readonly #socket: Socket;
  readonly #serverPort: number;
  readonly #arrived = new EventEmitter();
  readonly #fromTag: string;
  #toTag = '';
  #target = '';
  #sequence = 0;
  #invite: { branch: string; sequence: number; to: string; uri: string } | undefined;

  private constructor(socket: Socket, serverPort: number) {
    serial += 1;
    this.#socket = socket;
    this.#serverPort = serverPort;
    this.port = socket.address().port;
    this.callId = `call-${this.port}-${serial}@test`;
    this.#fromTag = `from${serial}`;
    this.#arrived.setMaxListeners(50);
    socket.on('message', (bytes) => this.#receive(bytes.toString('utf8')));
  }

  static async open(serverPort: number, address = '127.0.0.1'): Promise<SipCaller> {
    const socket = createSocket('udp4');
    socket.bind(0, address);
    await once(socket, 'listening');
    return new SipCaller(socket, serverPort);
  }

  get toTag(): string {
    return this.#toTag;
  }

  /** Sends a request, in the dialog if there is one. Returns its CSeq number. */
  send(request: Request): number {
    const { method, user = '+15550100', body = '' } = request;
    const sequence = request.sequence ?? (this.#sequence += 1);
    serial += 1;
    const branch = request.branch ?? `z9hG4bK${this.port}x${serial}`;
    const outside = `sip:${user}@127.0.0.1:${this.#serverPort}`;
    const uri = request.uri ?? (this.#target === '' ? outside : this.#target);
    const to = `<${outside}>${this.#toTag === '' ? '' : `;tag=${this.#toTag}`}`;
    if (method === 'INVITE') this.#invite = { branch, sequence, to, uri };
    this.#transmit(this.#compose({ ...request, uri, to, branch, sequence, body }));
    return sequence;
  }

  #compose(
    parts: Request & { to: string; branch: string; sequence: number; body: string; uri: string },
  ): string {
    const { method, uri, to, branch, sequence, body } = parts;
    const headers: Record<string, string> = {
      Via: `SIP/2.0/UDP 127.0.0.1:${this.port};branch=${branch};rport`,
      'Max-Forwards': '70',
      From: `"Test" <sip:+15550199@127.0.0.1:${this.port}>;tag=${this.#fromTag}`,
      To: to,
      'Call-ID': this.callId,
      CSeq: `${sequence} ${method}`,
      Contact: `<sip:test@127.0.0.1:${this.port}>`,
      ...(body === '' ? {} : { 'Content-Type': parts.contentType ?? 'application/sdp' }),
      ...parts.headers,
      'Content-Length': String(Buffer.byteLength(body)),
    };
    const rows = Object.entries(headers).flatMap(([name, value]) =>
      value === '' ? [] : [`${name}: ${value}`],
    );
    return `${[`${method} ${uri} SIP/2.0`, ...rows].join('\r\n')}\r\n\r\n${body}`;
  }

  invite(sdp: string, request: Partial<Request> = {}): number {
    return this.send({ method: 'INVITE', body: sdp, ...request });
  }

  /**
   * Acknowledges the last INVITE: a 2xx by a request of its own, else within the transaction (RFC 3261
   * §17.1.1.3).
   */
  ack(options: { sdp?: string; status?: number } = {}): void {
    const invite = this.#invite;
    if (invite === undefined) throw new Error('no INVITE to acknowledge');
    const { sdp = '', status = 200 } = options;
    const own = status >= 300;
    const to =
      this.#toTag === '' || invite.to.includes('tag=') ? invite.to : `${invite.to};tag=${this.#toTag}`;
    serial += 1;
    this.#transmit(
      this.#compose({
        method: 'ACK',
        uri: own || this.#target === '' ? invite.uri : this.#target,
        to,
        branch: own ? invite.branch : `z9hG4bK${this.port}x${serial}`,
        sequence: invite.sequence,
        body: sdp,
      }),
    );
  }

  cancel(): void {
    const invite = this.#invite;
    if (invite === undefined) throw new Error('no INVITE to cancel');
    const { branch, sequence, to, uri } = invite;
    this.#transmit(this.#compose({ method: 'CANCEL', uri, to, branch, sequence, body: '' }));
  }

  /** A final response to the last request of `method`, past or future; a failed INVITE is acknowledged. */
  async final(method: string, sequence = this.#sequence): Promise<SipText> {
    const found = await this.waitFor(
      `final response to ${method}`,
      (one) => one.status >= 200 && one.header('CSeq') === `${sequence} ${method}`,
    );
    if (method === 'INVITE' && found.status >= 300) {
      const tag = /tag=([^;]+)/.exec(found.header('To'))?.[1] ?? '';
      const before = this.#toTag;
      if (before === '') this.#toTag = tag;
      this.ack({ status: found.status });
      if (before === '') this.#toTag = '';
    }
    return found;
  }

  /** Calls and acknowledges; resolves with the 200. */
  async call(sdp: string, request: Partial<Request> = {}): Promise<SipText> {
    this.invite(sdp, request);
    const final = await this.final('INVITE');
    if (final.status !== 200) throw new Error(`refused: ${final.firstLine}`);
    this.ack();
    return final;
  }

  async reinvite(sdp: string, request: Partial<Request> = {}): Promise<SipText> {
    this.invite(sdp, request);
    const final = await this.final('INVITE');
    if (final.status === 200) this.ack();
    return final;
  }

  /** Sends a request in the dialog and waits for its final response. */
  async ask(request: Request): Promise<SipText> {
    const sequence = this.send(request);
    return this.final(request.method, sequence);
  }

  bye(): Promise<SipText> {
    return this.ask({ method: 'BYE' });
  }

  /** A request of the far end, past or future. */
  request(method: string, timeoutMs?: number): Promise<SipText> {
    return this.waitFor(`${method} from the gateway`, (one) => one.method === method, timeoutMs);
  }

  async waitFor(what: string, fits: (message: SipText) => boolean, timeoutMs = 8000): Promise<SipText> {
    const deadline = AbortSignal.timeout(timeoutMs);
    for (;;) {
      const found = this.received.find(fits);
      if (found !== undefined) return found;
      await once(this.#arrived, 'message', { signal: deadline }).catch(() => {
        const seen = this.received.map((one) => one.firstLine).join(', ');
        throw new Error(`${what}: not within ${timeoutMs} ms; got ${seen || 'nothing'}`);
      });
    }
  }

  async close(): Promise<void> {
    const closed = once(this.#socket, 'close');
    this.#socket.close();
    await closed;
  }

  #transmit(text: string): void {
    this.#socket.send(text, this.#serverPort, '127.0.0.1');
  }

  #receive(text: string): void {
    const message = readSip(text);
    if (message.status > 100 && message.header('CSeq').endsWith('INVITE') && message.status < 300) {
      this.#toTag ||= /tag=([^;]+)/.exec(message.header('To'))?.[1] ?? '';
      this.#target = /<([^>]+)>/.exec(message.header('Contact'))?.[1] ?? this.#target;
    }
    if (message.method !== '' && message.method !== 'ACK' && this.answersRequests) this.answer(message);
    this.received.push(message);
    this.#arrived.emit('message');
  }

  /** Answers a request of the far end. */
  answer(request: SipText, status = 200): void {
    const copied = ['Via', 'From', 'To', 'Call-ID', 'CSeq'].flatMap((name) =>
      request.headers(name).map((value) => `${name}: ${value}`),
    );
    this.#transmit(`${[`SIP/2.0 ${status} Answer`, ...copied, 'Content-Length: 0'].join('\r\n')}\r\n\r\n`);
  }
}
