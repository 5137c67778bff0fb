/**
 * "Mhm", "okay", a second cough: sound that was surely speech, but perhaps no interruption. The reply waits
 * until the words are known, or until it has lasted too long for a mere "mhm".
 */
import { FRAME_MS } from '../media/frame.ts';

/** How long the words of a short utterance are waited for once it is over, in ms. */
const WORDS_MS_MAX = 800;

export class Backchannel {
  readonly #words: ReadonlySet<string>;
  readonly #longestMs: number;
  #held: readonly string[] | null = null;
  #spokenMs = 0;
  #waitedMs = 0;

  /** `words` that are no interruption by themselves; an utterance longer than `longestMs` always is one. */
  constructor(options: { words: readonly string[]; longestMs: number }) {
    this.#words = new Set(options.words.map((word) => word.toLowerCase()));
    this.#longestMs = options.longestMs;
  }

  /** Can an utterance that has lasted `spokenMs` still turn out to be none? */
  possible(spokenMs: number): boolean {
    return this.#words.size > 0 && spokenMs <= this.#longestMs;
  }

  /** The replies that wait for the words. */
  get held(): readonly string[] | null {
    return this.#held;
  }

  hold(itemIds: readonly string[], spokenMs: number): void {
    this.#held = itemIds;
    this.#spokenMs = spokenMs;
    this.#waitedMs = 0;
  }

  /** Takes the replies that waited: what becomes of them is decided. */
  release(): readonly string[] {
    const held = this.#held ?? [];
    this.#held = null;
    return held;
  }

  /** 20 ms of the caller; true when it must count as an interruption now. */
  tick(caller: { readonly speaking: boolean; readonly silentMs: number }): boolean {
    if (this.#held === null) return false;
    if (caller.speaking) {
      // The silence that will end the turn is no speech.
      if (caller.silentMs === 0) this.#spokenMs += FRAME_MS;
      return !this.possible(this.#spokenMs);
    }
    this.#waitedMs += FRAME_MS;
    return this.#waitedMs >= WORDS_MS_MAX;
  }

  /** Nothing but such words; an utterance without any is a cough. */
  isBackchannel(text: string): boolean {
    return wordsOf(text).every((word) => this.#words.has(word));
  }

  /** The beginning of an utterance, its last word perhaps not whole: can it still turn out to be one? */
  mayBecomeOne(text: string): boolean {
    const words = wordsOf(text);
    const last = words.pop() ?? '';
    if (!words.every((word) => this.#words.has(word))) return false;
    return [...this.#words].some((word) => word.startsWith(last));
  }
}

function wordsOf(text: string): string[] {
  return text.toLowerCase().match(/[\p{L}\p{N}'-]+/gu) ?? [];
}
