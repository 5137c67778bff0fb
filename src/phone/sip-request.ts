/** A SIP request from the network, and its one final response. */
import type { RawHeaders, RawRequest, RawResponse } from './drachtio.ts';
import { tagOf } from './sip-uri.ts';

export interface Reply {
  readonly headers?: RawHeaders;
  readonly body?: string;
}

export function sequenceIn(cseq: string | undefined): number {
  return Number.parseInt(cseq ?? '', 10);
}

export class SipRequest {
  readonly #request: RawRequest;
  readonly #response: RawResponse;
  readonly #cancelled: (() => void)[] = [];
  #isCancelled = false;

  constructor(request: RawRequest, response: RawResponse) {
    this.#request = request;
    this.#response = response;
    if (request.method === 'INVITE')
      request.once('cancel', () => {
        this.#isCancelled = true;
        for (const listener of this.#cancelled) listener();
      });
  }

  get method(): string {
    return this.#request.method;
  }

  get uri(): string {
    return this.#request.uri;
  }

  get sourceAddress(): string {
    return this.#request.source_address;
  }

  get sourcePort(): number {
    return this.#request.source_port;
  }

  /** `udp`, `tcp`, `tls`, ... */
  get protocol(): string {
    return this.#request.protocol;
  }

  /** `cancelled` and `answered` rule each other out, but for the moment in which both are on their way. */
  get isCancelled(): boolean {
    return this.#isCancelled;
  }

  get isAnswered(): boolean {
    return this.#response.finalResponseSent;
  }

  /** A header's value; several headers of one name are joined by commas. Short names are known. */
  header(name: string): string | undefined {
    return this.#request.get(name);
  }

  /** The number in CSeq: an ACK bears that of its INVITE (RFC 3261 §17.1.1.3). */
  get sequence(): number {
    return sequenceIn(this.header('CSeq'));
  }

  get callId(): string {
    return this.header('Call-ID') ?? '';
  }

  get fromTag(): string | undefined {
    return tagOf(this.header('From') ?? '');
  }

  /** Set on requests inside a dialog. */
  get toTag(): string | undefined {
    return tagOf(this.header('To') ?? '');
  }

  /** The body as it came; empty when there is none. */
  get body(): string {
    return this.#request.body ?? '';
  }

  /** The media type, lower case, without parameters; empty when there is no body. */
  get contentType(): string {
    return (this.header('Content-Type') ?? '').split(';', 1)[0]?.trim().toLowerCase() ?? '';
  }

  /**
   * The session description: the body, or its part of a multipart body (RFC 5621), as SIP-I carriers send.
   * Empty when the request brings none.
   */
  get sdp(): string {
    if (!this.contentType.startsWith('multipart/')) return this.body;
    const part = this.#request.payload?.find((one) => one.type?.trim().toLowerCase() === 'application/sdp');
    return part?.content ?? '';
  }

  /** Calls `listener` when the caller gives up (CANCEL); the SIP server has answered 487 already. */
  onCancel(listener: () => void): void {
    this.#cancelled.push(listener);
  }

  /**
   * Sends a response; nothing is sent after a final one. `onPrack`: the reliable response arrived (RFC
   * 3262).
   */
  respond(status: number, reply: Reply = {}, onPrack?: () => void): void {
    if (this.#response.finalResponseSent || this.#isCancelled || this.method === 'ACK') return;
    const options = {
      headers: { ...reply.headers },
      ...(reply.body === undefined ? {} : { body: reply.body }),
    };
    // Without a callback the library keeps no record of the response, so none can leak.
    if (onPrack === undefined) this.#response.send(status, options);
    else this.#response.send(status, options, () => undefined, onPrack);
  }

  /** For srf.ts, which needs the library's own objects to make a dialog. */
  get raw(): { readonly request: RawRequest; readonly response: RawResponse } {
    return { request: this.#request, response: this.#response };
  }
}
