/**
 * SIP messages (RFC 3261 §7). Text is held one character per byte (latin1) from the socket to the
 * application and back: bodies and UTF-8 names pass through byte for byte, and a length is a length in bytes.
 */
import { randomBytes } from 'node:crypto';

import { ADDRESS_LISTS, canonicalName, splitOutside } from './header.ts';

/** Canonical name, value. Rows keep their order; a row of an address list holds one address. */
export type Header = readonly [name: string, value: string];

export interface Sequence {
  readonly number: number;
  readonly method: string;
}

/**
 * Names given to `get`, `all`, `has`, `set` and `remove` are canonical (`Call-ID`, `CSeq`,
 * `Session-Expires`).
 */
export abstract class SipMessage {
  headers: Header[] = [];
  body = '';

  abstract startLine(): string;

  get(name: string): string | undefined {
    for (const header of this.headers) if (header[0] === name) return header[1];
    return undefined;
  }

  all(name: string): string[] {
    return this.headers.filter((header) => header[0] === name).map((header) => header[1]);
  }

  has(name: string): boolean {
    return this.headers.some((header) => header[0] === name);
  }

  /** Appends a row under any spelling of its name; an address list is taken apart. */
  add(name: string, value: string): this {
    const canonical = canonicalName(name);
    if (!ADDRESS_LISTS.has(canonical)) this.headers.push([canonical, value]);
    else for (const part of splitOutside(value, ',')) if (part !== '') this.headers.push([canonical, part]);
    return this;
  }

  /** Replaces the first row of that name, or appends one. */
  set(name: string, value: string): this {
    const index = this.headers.findIndex((header) => header[0] === name);
    if (index < 0) this.headers.push([name, value]);
    else this.headers[index] = [name, value];
    return this;
  }

  remove(name: string): this {
    this.headers = this.headers.filter((header) => header[0] !== name);
    return this;
  }

  /** The lower-case tokens of all rows of a list such as Supported, Require or Allow. */
  tokens(name: string): Set<string> {
    const tokens = new Set<string>();
    for (const value of this.all(name)) {
      for (const token of value.split(',')) if (token.trim() !== '') tokens.add(token.trim().toLowerCase());
    }
    return tokens;
  }

  get callId(): string {
    return this.get('Call-ID') ?? '';
  }

  /** CSeq; number -1 when it is missing or broken. */
  get sequence(): Sequence {
    const match = /^(\d{1,10})\s+(\S+)$/.exec(this.get('CSeq') ?? '');
    return match === null ? { number: -1, method: '' } : { number: Number(match[1]), method: match[2] ?? '' };
  }

  /** The message as it goes over the wire; Content-Length is always ours and always last. */
  toString(): string {
    let text = `${this.startLine()}\r\n`;
    for (const [name, value] of this.headers) if (name !== 'Content-Length') text += `${name}: ${value}\r\n`;
    return `${text}Content-Length: ${this.body.length}\r\n\r\n${this.body}`;
  }
}

export class SipRequest extends SipMessage {
  readonly method: string;
  uri: string;

  constructor(method: string, uri: string) {
    super();
    this.method = method;
    this.uri = uri;
  }

  override startLine(): string {
    return `${this.method} ${this.uri} SIP/2.0`;
  }
}

export class SipResponse extends SipMessage {
  readonly status: number;
  readonly reason: string;

  constructor(status: number, reason?: string) {
    super();
    this.status = status;
    this.reason = reason === undefined || reason === '' ? (REASON_PHRASES[status] ?? 'Unknown') : reason;
  }

  override startLine(): string {
    return `SIP/2.0 ${this.status} ${this.reason}`;
  }
}

const REASON_PHRASES: Readonly<Record<number, string>> = {
  100: 'Trying',
  180: 'Ringing',
  183: 'Session Progress',
  200: 'OK',
  202: 'Accepted',
  400: 'Bad Request',
  405: 'Method Not Allowed',
  408: 'Request Timeout',
  422: 'Session Interval Too Small',
  480: 'Temporarily Unavailable',
  481: 'Call/Transaction Does Not Exist',
  482: 'Loop Detected',
  483: 'Too Many Hops',
  487: 'Request Terminated',
  500: 'Server Internal Error',
  503: 'Service Unavailable',
  504: 'Server Time-out',
  505: 'Version Not Supported',
  513: 'Message Too Large',
};

const COPIED_TO_RESPONSE: ReadonlySet<string> = new Set(['Via', 'From', 'Call-ID', 'CSeq']);

/** A response to `request` with what RFC 3261 §8.2.6.2 copies; the tag goes into To unless it has one. */
export function responseTo(
  request: SipRequest,
  status: number,
  reason?: string,
  toTag?: string,
): SipResponse {
  const response = new SipResponse(status, reason);
  for (const header of request.headers) {
    if (COPIED_TO_RESPONSE.has(header[0])) response.headers.push(header);
    else if (header[0] === 'To') {
      const tagged = toTag === undefined || /;\s*tag\s*=/i.test(header[1]);
      response.headers.push(tagged ? header : ['To', `${header[1]};tag=${toTag}`]);
    }
    // The route back is learned from responses that make a dialog (RFC 3261 §12.1.1).
    else if (header[0] === 'Record-Route' && status > 100 && status < 300) response.headers.push(header);
  }
  return response;
}

/** An unguessable token for tags and branches (RFC 3261 §19.3 asks for 32 random bits; these are 72). */
export function newToken(): string {
  return randomBytes(9).toString('hex');
}
