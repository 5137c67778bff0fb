/**
 * Takes `<think> … </think>` out of a streamed answer: what a reasoning model mumbles is for nobody.
 */

const OPEN = '<think>';
const CLOSE = '</think>';

export class ThinkingFilter {
  #pending = '';
  #thinking = false;

  /** The part of the text so far that is meant to be heard. */
  push(text: string): string {
    this.#pending += text;
    let heard = '';
    for (;;) {
      const tag = this.#thinking ? CLOSE : OPEN;
      const at = this.#pending.indexOf(tag);
      if (at === -1) break;
      if (!this.#thinking) heard += this.#pending.slice(0, at);
      this.#pending = this.#pending.slice(at + tag.length);
      this.#thinking = !this.#thinking;
    }
    // The end may be the beginning of a tag.
    const kept = beginningOf(this.#thinking ? CLOSE : OPEN, this.#pending);
    if (!this.#thinking) heard += this.#pending.slice(0, this.#pending.length - kept);
    this.#pending = this.#pending.slice(this.#pending.length - kept);
    return heard;
  }

  /** What was held back and proved to be no tag. */
  flush(): string {
    const rest = this.#thinking ? '' : this.#pending;
    this.#pending = '';
    return rest;
  }
}

/** How many characters at the end of `text` are the beginning of `tag`. */
function beginningOf(tag: string, text: string): number {
  for (let length = Math.min(tag.length - 1, text.length); length > 0; length -= 1)
    if (text.endsWith(tag.slice(0, length))) return length;
  return 0;
}
