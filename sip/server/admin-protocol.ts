/**
 * drachtio's admin protocol, as spoken by drachtio-srf 5: frames `<decimal byte length>#<payload>` on a TCP
 * stream; payload `<message id>|<type>|...`, then CRLF and a whole SIP message where there is one.
 */
import { LIMITS } from './limits.ts';
import type { SipMessage } from './message.ts';

const HASH = 35;

/** Thrown by `FrameReader` when the stream is no sequence of frames: close the connection. */
export class FrameError extends Error {}

/** Takes frames out of a stream, wherever the chunks break. */
export class FrameReader {
  #chunks: Buffer[] = [];
  #length = 0;

  /** Payloads completed by this chunk, one character per byte. */
  push(chunk: Buffer): string[] {
    this.#chunks.push(chunk);
    this.#length += chunk.length;
    const payloads: string[] = [];
    for (;;) {
      const header = this.#header();
      if (header === undefined || this.#length < header.size + header.length) return payloads;
      const whole = this.#joined();
      const end = header.size + header.length;
      payloads.push(whole.toString('latin1', header.size, end));
      this.#chunks = end < whole.length ? [whole.subarray(end)] : [];
      this.#length -= end;
    }
  }

  /** The length digits up to '#', which may still be on their way. */
  #header(): { size: number; length: number } | undefined {
    if (this.#length === 0) return undefined;
    let first = this.#chunks[0] ?? Buffer.alloc(0);
    if (first.length <= LIMITS.frameDigitsMax) first = this.#joined();
    const hash = first.indexOf(HASH);
    const digits = first.toString('latin1', 0, hash < 0 ? LIMITS.frameDigitsMax + 1 : hash);
    if (!/^\d*$/.test(digits) || digits.length > LIMITS.frameDigitsMax || hash === 0) {
      throw new FrameError('a frame does not start with its length');
    }
    if (hash < 0) return undefined;
    const length = Number(digits);
    if (length === 0) throw new FrameError('a frame is empty');
    return { size: hash + 1, length };
  }

  #joined(): Buffer {
    const whole = this.#chunks.length === 1 ? this.#chunks[0] : undefined;
    if (whole !== undefined) return whole;
    const joined = Buffer.concat(this.#chunks, this.#length);
    this.#chunks = [joined];
    return joined;
  }
}

export function formatFrame(payload: string): string {
  return `${payload.length}#${payload}`;
}

/** One message of an application. */
export interface Command {
  readonly id: string;
  readonly type: string;
  /** What follows the type on the first line. */
  readonly fields: readonly string[];
  /** The SIP message after the first line; empty when there is none. */
  readonly text: string;
}

export function parseCommand(payload: string): Command {
  const lineEnd = payload.indexOf('\r\n');
  const line = lineEnd < 0 ? payload : payload.slice(0, lineEnd);
  const [id = '', type = '', ...fields] = line.split('|');
  return { id, type, fields, text: lineEnd < 0 ? '' : payload.slice(lineEnd + 2) };
}

/** Who a message came from or went to. drachtio leaves the transport empty for an ACK. */
export interface Origin {
  readonly source: 'network' | 'application';
  readonly transport: string;
  readonly address: string;
  readonly port: number;
}

/** `source|bytes|transport|address|port|time`: the middle of every line about a SIP message. */
export function formatOrigin(origin: Origin, text: string): string {
  const { source, transport, address, port } = origin;
  return `${source}|${text.length}|${transport}|${address}|${port}|${timeOfDay()}`;
}

/** UTC, with the microsecond digits that drachtio writes. */
export function timeOfDay(): string {
  return `${new Date().toISOString().slice(11, 23)}000`;
}

/** A SIP message for an application. `receivedOn`: the address of ours that a new request came to. */
export function formatDelivery(
  message: SipMessage,
  origin: Origin,
  names: { transactionId: string; dialogId: string; receivedOn?: { address: string; port: number } },
): string {
  const text = message.toString();
  const { transactionId, dialogId, receivedOn } = names;
  const extra = receivedOn === undefined ? '' : `${receivedOn.address}|${receivedOn.port}|`;
  return `sip|${formatOrigin(origin, text)}|${transactionId}|${dialogId}|${extra}\r\n${text}`;
}

/** The echo of what was sent, from which drachtio-srf builds its objects. `dialogId` only for responses. */
export function formatSent(
  message: SipMessage,
  origin: Omit<Origin, 'source'>,
  names: { transactionId: string; dialogId?: string },
): string {
  const text = message.toString();
  const dialog = names.dialogId === undefined ? '' : `${names.dialogId}||`;
  const line = `OK|${formatOrigin({ ...origin, source: 'application' }, text)}|${names.transactionId}`;
  return `${line}|${dialog}Msg sent:|\r\n${text}`;
}
