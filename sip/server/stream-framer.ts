import { LIMITS } from './limits.ts';

/**
 * What a stream yields: a whole message, a keep-alive (RFC 5626 §3.5.1), or the reason to give the stream
 * up.
 */
export type StreamItem =
  | { readonly kind: 'message'; readonly text: string }
  | { readonly kind: 'ping' }
  | { readonly kind: 'broken'; readonly text: string; readonly tooLong: boolean };

const CR = 13;
const LF = 10;
const PING_BYTES = 4;
const HEAD_END = Buffer.from('\r\n\r\n');
const CONTENT_LENGTH = /\r\n(?:content-length|l)[ \t]*:[ \t]*([^\r\n]*)/gi;

/**
 * Cuts a TCP or TLS stream into SIP messages by Content-Length (RFC 3261 §18.3), wherever the chunks break.
 * After `broken` the stream has no known boundary any more: close it.
 */
export class StreamFramer {
  #buffer = Buffer.alloc(4_096);
  #length = 0;
  /** Bytes already searched for the end of the head. */
  #searched = 0;
  /** Whole length of the message being received, once its head is read. */
  #wanted: number | undefined;
  /** Bytes of line ends since the last message or ping. */
  #lineEndBytes = 0;

  /** True while part of a message waits for its rest. */
  get partial(): boolean {
    return this.#length > 0;
  }

  push(chunk: Buffer): StreamItem[] {
    this.#append(chunk);
    const items: StreamItem[] = [];
    let start = 0;
    for (;;) {
      if (this.#wanted === undefined) {
        const next = this.#skipLineEnds(start, items);
        if (next > start) this.#searched = next;
        start = next;
      }
      const item = this.#cut(start);
      if (item === undefined) break;
      items.push(item);
      if (item.kind === 'broken') {
        this.#length = 0;
        return items;
      }
      start += this.#wanted ?? 0;
      this.#wanted = undefined;
      this.#searched = start;
    }
    this.#discard(start);
    return items;
  }

  #append(chunk: Buffer): void {
    const needed = this.#length + chunk.length;
    if (needed > this.#buffer.length) {
      const larger = Buffer.alloc(Math.max(needed, this.#buffer.length * 2));
      this.#buffer.copy(larger, 0, 0, this.#length);
      this.#buffer = larger;
    }
    chunk.copy(this.#buffer, this.#length);
    this.#length = needed;
  }

  /** Line ends between messages are keep-alives: every two of them ask for an answer. */
  #skipLineEnds(from: number, items: StreamItem[]): number {
    let at = from;
    while (at < this.#length && (this.#buffer[at] === CR || this.#buffer[at] === LF)) {
      at += 1;
      this.#lineEndBytes += 1;
      if (this.#lineEndBytes === PING_BYTES) {
        items.push({ kind: 'ping' });
        this.#lineEndBytes = 0;
      }
    }
    if (at < this.#length) this.#lineEndBytes = 0;
    return at;
  }

  #cut(start: number): StreamItem | undefined {
    if (this.#wanted === undefined) {
      const view = this.#buffer.subarray(0, this.#length);
      const headEnd = view.indexOf(HEAD_END, Math.max(start, this.#searched - 3));
      this.#searched = this.#length;
      if (headEnd < 0) return this.#tooLong(start, this.#length - start);
      const head = this.#buffer.toString('latin1', start, headEnd);
      const body = contentLength(head);
      if (body === undefined) return { kind: 'broken', text: head, tooLong: false };
      this.#wanted = headEnd + HEAD_END.length - start + body;
    }
    const tooLong = this.#tooLong(start, this.#wanted);
    if (tooLong !== undefined) return tooLong;
    if (this.#length - start < this.#wanted) return undefined;
    return { kind: 'message', text: this.#buffer.toString('latin1', start, start + this.#wanted) };
  }

  #tooLong(start: number, length: number): StreamItem | undefined {
    if (length <= LIMITS.messageBytesMax) return undefined;
    return { kind: 'broken', text: this.#buffer.toString('latin1', start, this.#length), tooLong: true };
  }

  #discard(start: number): void {
    if (start === 0) return;
    this.#buffer.copy(this.#buffer, 0, start, this.#length);
    this.#length -= start;
    this.#searched = Math.max(0, this.#searched - start);
  }
}

/** The one Content-Length of a head; 0 when it has none, undefined when it is no number or two differ. */
function contentLength(head: string): number | undefined {
  let length: number | undefined;
  for (const match of head.matchAll(CONTENT_LENGTH)) {
    const text = (match[1] ?? '').trim();
    if (!/^\d{1,9}$/.test(text) || (length !== undefined && length !== Number(text))) return undefined;
    length = Number(text);
  }
  return length ?? 0;
}
