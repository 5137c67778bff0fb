/** What is known of replies that sound, wait or were cut: text, times, and which not to believe any more. */

/** Cut replies that are remembered, so that their late sound is dropped. */
const CUT_MAX = 64;
/** Replies of which text or times are kept. */
const OPEN_MAX = 256;

export interface Reply {
  text: string;
  startedMs: number;
  responseMs: number | null;
}

export class Replies {
  readonly #open = new Map<string, Reply>();
  readonly #cut = new Set<string>();

  #reply(itemId: string): Reply {
    const known = this.#open.get(itemId);
    if (known) return known;
    const reply = { text: '', startedMs: 0, responseMs: null };
    this.#open.set(itemId, reply);
    forgetOldest(this.#open, OPEN_MAX);
    return reply;
  }

  /** The whole text of a reply so far. */
  text(itemId: string, text: string): void {
    if (!this.#cut.has(itemId)) this.#reply(itemId).text = text;
  }

  started(itemId: string, times: { startedMs: number; responseMs: number | null }): void {
    Object.assign(this.#reply(itemId), times);
  }

  /** Takes a reply that was played out. */
  finished(itemId: string): Reply {
    const reply = this.#reply(itemId);
    this.#open.delete(itemId);
    return reply;
  }

  /** Takes a reply that was cut; what still comes of it is not to be believed. */
  cut(itemId: string): Reply {
    this.#cut.add(itemId);
    forgetOldest(this.#cut, CUT_MAX);
    return this.finished(itemId);
  }

  isCut(itemId: string): boolean {
    return this.#cut.has(itemId);
  }
}

function forgetOldest(kept: Map<string, unknown> | Set<string>, most: number): void {
  for (const oldest of kept.keys()) {
    if (kept.size <= most) return;
    kept.delete(oldest);
  }
}
