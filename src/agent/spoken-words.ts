/**
 * Which words of a reply have been said so far: for captions in step with the voice. Models give text and
 * sound without saying which word is where, so words are spread evenly over the sound.
 */
import type { Progress } from './playout.ts';

/** While sound is still to come, nobody knows how long it will be: words then come at the pace of speech. */
const CHARACTERS_PER_S = 15;

export class SpokenWords {
  #itemId = '';
  #characters = 0;

  /** The words of `text` up to the one that is being said; null when they are as they were last time. */
  advance({ itemId, heardMs, totalMs, whole }: Progress, text: string): string | null {
    if (itemId !== this.#itemId) {
      this.#itemId = itemId;
      this.#characters = 0;
    }
    const inStep = (text.length * heardMs) / Math.max(1, totalMs);
    const atPace = (CHARACTERS_PER_S * heardMs) / 1000;
    const reached = endOfWord(text, whole ? inStep : Math.min(inStep, atPace));
    if (reached <= this.#characters) return null;
    this.#characters = reached;
    return text.slice(0, reached);
  }
}

/** Where the word ends that stands at `position`. */
function endOfWord(text: string, position: number): number {
  const space = text.indexOf(' ', Math.floor(position));
  return space < 0 ? text.length : space;
}
