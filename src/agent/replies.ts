/** What is known of replies that sound, wait or were cut: text, times, and which not to believe any more. */

/** Cut replies that are remembered, so that their late sound is dropped. */
const CUT_MAX = 64;
/** Replies of which text or times are kept. */
const OPEN_MAX = 256;

export interface ReplyTimes {
  /** First sound on its way to the caller, in ms since the voice was opened. */
  readonly startedMs: number;
  /** End of the caller's speech to that sound; null for replies nobody asked for. */
  readonly responseMs: number | null;
  /** … to its first word, and to its first sound in hand; null as before. */
  readonly textMs: number | null;
  readonly audioMs: number | null;
}

export interface Reply extends ReplyTimes {
  readonly text: string;
}

const SILENT: Reply = { text: '', startedMs: 0, responseMs: null, textMs: null, audioMs: null };

export class Replies {
  readonly #open = new Map<string, Reply>();
  readonly #cut = new Set<string>();

  #change(itemId: string, change: Partial<Reply>): void {
    this.#open.set(itemId, { ...(this.#open.get(itemId) ?? SILENT), ...change });
    forgetOldest(this.#open, OPEN_MAX);
  }

  /** The whole text of a reply so far. */
  text(itemId: string, text: string): void {
    if (!this.#cut.has(itemId)) this.#change(itemId, { text });
  }

  /** The whole text so far; empty when nothing is known. */
  textOf(itemId: string): string {
    return this.#open.get(itemId)?.text ?? '';
  }

  started(itemId: string, times: ReplyTimes): void {
    this.#change(itemId, times);
  }

  /** Takes a reply that was played out. */
  finished(itemId: string): Reply {
    const reply = this.#open.get(itemId) ?? SILENT;
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
