/** Sentences that are said word for word in every call: synthesised once, and then in hand. */
import type { Codec } from '../../../media/frame.ts';
import { phrase_bytes_max } from './limits.ts';
import { SentenceSplitter } from './sentences.ts';
import { speakable } from './speakable.ts';
import type { Speech, Spoken } from './speech.ts';

export interface Phrase {
  readonly text: string;
  readonly voice: string;
  readonly codec: Codec;
}

/** A text that is known whole, in the pieces in which it is synthesised. */
export function piecesOf(text: string): string[] {
  const splitter = new SentenceSplitter();
  return [...splitter.push(text), ...splitter.flush()].map(speakable).filter((piece) => piece !== '');
}

export class Phrases {
  readonly #speech: Speech;
  readonly #signal: AbortSignal;
  /** In order of last use, oldest first. */
  readonly #kept = new Map<string, Uint8Array>();
  readonly #underWay = new Map<string, Promise<Spoken | null>>();
  #bytes = 0;

  /** `signal`: of all calls together; a phrase is for those to come, too. */
  constructor(speech: Speech, signal: AbortSignal) {
    this.#speech = speech;
    this.#signal = signal;
  }

  /** Shared: not to be written to. */
  get(phrase: Phrase): Uint8Array | undefined {
    const key = keyOf(phrase);
    const bytes = this.#kept.get(key);
    if (bytes === undefined) return undefined;
    this.#kept.delete(key);
    this.#kept.set(key, bytes);
    return bytes;
  }

  /**
   * Resolves when it is in hand: with what it cost, null when it cost nothing. @throws StageError, Cancelled
   */
  prepare(phrase: Phrase): Promise<Spoken | null> {
    const key = keyOf(phrase);
    if (this.#kept.has(key)) return Promise.resolve(null);
    const known = this.#underWay.get(key);
    // Who asked first pays.
    if (known !== undefined) return known.then(() => null);
    const speaking = this.#speak(key, phrase).finally(() => this.#underWay.delete(key));
    this.#underWay.set(key, speaking);
    return speaking;
  }

  async #speak(key: string, phrase: Phrase): Promise<Spoken> {
    const chunks: Uint8Array[] = [];
    const spoken = await this.#speech.speak({
      ...phrase,
      signal: this.#signal,
      onSound: (bytes) => chunks.push(bytes),
    });
    // A copy in memory of its own: what is kept for long must not hold all of Node's pool of buffers.
    const whole = new Uint8Array(Buffer.concat(chunks));
    this.#kept.set(key, whole);
    this.#bytes += whole.length;
    for (const [oldest, bytes] of this.#kept) {
      if (this.#bytes <= phrase_bytes_max) break;
      this.#kept.delete(oldest);
      this.#bytes -= bytes.length;
    }
    return spoken;
  }
}

function keyOf({ voice, codec, text }: Phrase): string {
  return `${voice}\n${codec}\n${text}`;
}
