/**
 * A trigram language model with Witten-Bell smoothing, written in the ARPA format that pocketsphinx reads.
 * Witten-Bell: a history that was followed by many different words gives much to words it has not met
 * (Witten and Bell 1991; Chen and Goodman 1998, section 2.5).
 */
export const SENTENCE_START = '<s>';
export const SENTENCE_END = '</s>';

class Counts {
  readonly count = new Map<string, number>();
  /** history -> how many words followed it, and how many different ones. */
  readonly total = new Map<string, number>();
  readonly kinds = new Map<string, number>();

  add(history: string, word: string): void {
    const key = history === '' ? word : `${history} ${word}`;
    const before = this.count.get(key) ?? 0;
    this.count.set(key, before + 1);
    this.total.set(history, (this.total.get(history) ?? 0) + 1);
    if (before === 0) this.kinds.set(history, (this.kinds.get(history) ?? 0) + 1);
  }
}

export class Trigram {
  readonly #one = new Counts();
  readonly #two = new Counts();
  readonly #three = new Counts();

  /** Words of `vocabulary` that no sentence holds get the share of a word seen once. */
  constructor(sentences: Iterable<string>, vocabulary: Iterable<string> = []) {
    for (const word of vocabulary) this.#one.count.set(word, 0);
    for (const sentence of sentences) {
      const words = [SENTENCE_START, ...sentence.split(' '), SENTENCE_END];
      for (let at = 1; at < words.length; at += 1) {
        const [word = '', before = '', twoBefore] = [words[at], words[at - 1], words[at - 2]];
        this.#one.add('', word);
        this.#two.add(before, word);
        if (twoBefore !== undefined) this.#three.add(`${twoBefore} ${before}`, word);
      }
    }
  }

  /** Every word that may follow another: the vocabulary and the sentence end, sorted. */
  get words(): string[] {
    return [...this.#one.count.keys()].sort();
  }

  /** P(word | the last up to two words). Sums to 1 over `words` for every history. */
  probability(word: string, history: readonly string[]): number {
    const [twoBefore, before] = history.length >= 2 ? history.slice(-2) : [undefined, history[0]];
    if (twoBefore !== undefined && before !== undefined) {
      const key = `${twoBefore} ${before}`;
      return this.#smoothed(this.#three, key, word, this.probability(word, [before]));
    }
    if (before !== undefined) return this.#smoothed(this.#two, before, word, this.probability(word, []));
    const total = this.#one.total.get('') ?? 0;
    return ((this.#one.count.get(word) ?? 0) + 1) / (total + this.#one.count.size);
  }

  #smoothed(counts: Counts, history: string, word: string, lower: number): number {
    const total = counts.total.get(history);
    const kinds = counts.kinds.get(history) ?? 0;
    if (total === undefined) return lower;
    return ((counts.count.get(`${history} ${word}`) ?? 0) + kinds * lower) / (total + kinds);
  }

  /** log10 of what a history leaves to words it has not met; empty when it is no history. */
  #backOff(counts: Counts, history: string): string {
    const total = counts.total.get(history);
    const kinds = counts.kinds.get(history) ?? 0;
    return total === undefined ? '' : `\t${log10(kinds / (total + kinds))}`;
  }

  /** The model as ARPA text. */
  arpa(): string {
    const two = [...this.#two.count.keys()].sort();
    const three = [...this.#three.count.keys()].sort();
    const lines = ['\\data\\', `ngram 1=${this.#one.count.size + 1}`, `ngram 2=${two.length}`];
    lines.push(`ngram 3=${three.length}`, '', '\\1-grams:');
    lines.push(`-99.0000\t${SENTENCE_START}${this.#backOff(this.#two, SENTENCE_START)}`);
    for (const word of this.words)
      lines.push(`${log10(this.probability(word, []))}\t${word}${this.#backOff(this.#two, word)}`);
    lines.push('', '\\2-grams:');
    for (const key of two) {
      const [before = '', word = ''] = key.split(' ');
      lines.push(`${log10(this.probability(word, [before]))}\t${key}${this.#backOff(this.#three, key)}`);
    }
    lines.push('', '\\3-grams:');
    for (const key of three) {
      const [twoBefore = '', before = '', word = ''] = key.split(' ');
      lines.push(`${log10(this.probability(word, [twoBefore, before]))}\t${key}`);
    }
    lines.push('', '\\end\\', '');
    return lines.join('\n');
  }
}

function log10(probability: number): string {
  return Math.log10(probability).toFixed(4);
}
