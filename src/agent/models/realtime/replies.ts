/**
 * The spoken items of a conversation: what arrived of each, so that an interruption can be cut at the
 * right ms.
 */
import { SAMPLE_RATE_HZ } from '../../../media/frame.ts';
import { text_chars_max } from '../limits.ts';
import { items_max } from './limits.ts';

export interface Reply {
  readonly itemId: string;
  readonly responseId: string;
  /** Index of the audio part within the item; truncation names it. */
  contentIndex: number;
  /** Sound received, in bytes (one per sample). */
  bytes: number;
  text: string;
  /** No more audio is taken: finished, or cut. */
  ended: boolean;
}

export class Replies {
  readonly #byItem = new Map<string, Reply>();

  get(itemId: string): Reply | undefined {
    return this.#byItem.get(itemId);
  }

  open(itemId: string, responseId: string): Reply {
    const reply: Reply = { itemId, responseId, contentIndex: 0, bytes: 0, text: '', ended: false };
    this.#byItem.set(itemId, reply);
    if (this.#byItem.size > items_max) {
      const [oldest] = this.#byItem.keys();
      if (oldest !== undefined) this.#byItem.delete(oldest);
    }
    return reply;
  }

  /** Those of a response that still expect sound. */
  openOf(responseId: string): Reply[] {
    return [...this.#byItem.values()].filter((one) => one.responseId === responseId && !one.ended);
  }
}

export function receivedMs(reply: Reply): number {
  return (reply.bytes * 1000) / SAMPLE_RATE_HZ;
}

/** Texts that grow by deltas, one per item. */
export class Transcripts {
  readonly #byItem = new Map<string, string>();

  /** The whole text so far. */
  grow(itemId: string, delta: string): string {
    const text = ((this.#byItem.get(itemId) ?? '') + delta).slice(0, text_chars_max);
    this.#byItem.set(itemId, text);
    if (this.#byItem.size > items_max) {
      const [oldest] = this.#byItem.keys();
      if (oldest !== undefined) this.#byItem.delete(oldest);
    }
    return text;
  }

  finish(itemId: string): void {
    this.#byItem.delete(itemId);
  }
}
