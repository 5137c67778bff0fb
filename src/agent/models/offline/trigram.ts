/**
 * A trigram language model with Witten-Bell smoothing, written in the ARPA format that pocketsphinx reads.
 * Witten-Bell: a history that was followed by many different words gives much to words it has not met
 * (Witten and Bell 1991; Chen and Goodman 1998, section 2.5).
 */
import type { Followers } from './general-english.ts';

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

/**
 * Sample sentences repeat themselves more than callers do: a history leaves at least this to words that it
 * was not followed by, whatever Witten and Bell's rule says.
 */
const UNMET_SHARE_MIN = 0.1;
/** What English at large says of the words that a history leaves open; the rest goes by the words alone. */
const GENERAL_SHARE = 0.6;
/** Followers that are rarer in English at large are not written down: they share what is left. */
const GENERAL_MIN = 0.003;
/** Stands for nothing where one must not divide by it or take its logarithm. */
const TINY = 1e-9;

export class Trigram {
  readonly #one = new Counts();
  readonly #two = new Counts();
  readonly #three = new Counts();
  readonly #general: Followers;
  /** history -> words whose share after it is written down; the others share `#left` by their own. */
  readonly #pairs = new Map<string, Map<string, number>>();
  readonly #left = new Map<string, number>();

  /**
   * Words of `vocabulary` that no sentence holds get the share of a word seen once. `general`: which words
   * follow which in English at large.
   */
  constructor(
    sentences: Iterable<string>,
    vocabulary: Iterable<string> = [],
    general: Followers = new Map(),
  ) {
    this.#general = general;
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
    const { words } = this;
    for (const history of [SENTENCE_START, ...words])
      if (history !== SENTENCE_END) this.#pair(history, words);
  }

  /** Writes down what follows a history often enough. */
  #pair(history: string, words: readonly string[]): void {
    const total = this.#two.total.get(history) ?? 0;
    const general = this.#general.get(history);
    if (total === 0 && general === undefined) return;
    const kinds = unmetKinds(this.#two, history);
    const pairs = new Map<string, number>();
    let [sum, sumAlone] = [0, 0];
    for (const word of words) {
      const seen = this.#two.count.get(`${history} ${word}`) ?? 0;
      const share = general?.get(word) ?? 0;
      if (seen === 0 && share < GENERAL_MIN) continue;
      const alone = this.#unigram(word);
      const lower = general === undefined ? alone : mix(alone, share);
      const probability = total === 0 ? lower : (seen + kinds * lower) / (total + kinds);
      pairs.set(word, probability);
      sum += probability;
      sumAlone += alone;
    }
    this.#pairs.set(history, pairs);
    this.#left.set(history, Math.max(TINY, 1 - sum) / Math.max(TINY, 1 - sumAlone));
  }

  /** Every word that may follow another: the vocabulary and the sentence end, sorted. */
  get words(): string[] {
    return [...this.#one.count.keys()].sort();
  }

  #unigram(word: string): number {
    const total = this.#one.total.get('') ?? 0;
    return ((this.#one.count.get(word) ?? 0) + 1) / (total + this.#one.count.size);
  }

  #bigram(word: string, before: string): number {
    const pairs = this.#pairs.get(before);
    if (pairs === undefined) return this.#unigram(word);
    return pairs.get(word) ?? (this.#left.get(before) ?? 0) * this.#unigram(word);
  }

  /** P(word | the last up to two words). Sums to 1 over `words` for every history. */
  probability(word: string, history: readonly string[]): number {
    const [twoBefore, before] = history.length >= 2 ? history.slice(-2) : [undefined, history[0]];
    if (before === undefined) return this.#unigram(word);
    if (twoBefore === undefined) return this.#bigram(word, before);
    const key = `${twoBefore} ${before}`;
    const lower = this.#bigram(word, before);
    const total = this.#three.total.get(key);
    if (total === undefined) return lower;
    const kinds = unmetKinds(this.#three, key);
    return ((this.#three.count.get(`${key} ${word}`) ?? 0) + kinds * lower) / (total + kinds);
  }

  /** The model as ARPA text. */
  arpa(): string {
    const three = [...this.#three.count.keys()].sort();
    const twos = [...this.#pairs].flatMap(([before, pairs]) =>
      [...pairs].map(([word, p]) => {
        const total = this.#three.total.get(`${before} ${word}`);
        const kinds = unmetKinds(this.#three, `${before} ${word}`);
        const back = total === undefined ? '' : `\t${log10(kinds / (total + kinds))}`;
        return `${log10(p)}\t${before} ${word}${back}`;
      }),
    );
    const lines = ['\\data\\', `ngram 1=${this.#one.count.size + 1}`, `ngram 2=${twos.length}`];
    lines.push(`ngram 3=${three.length}`, '', '\\1-grams:');
    const left = (word: string): string => {
      const share = this.#left.get(word);
      return share === undefined ? '' : `\t${log10(share)}`;
    };
    lines.push(`-99.0000\t${SENTENCE_START}${left(SENTENCE_START)}`);
    for (const word of this.words) lines.push(`${log10(this.#unigram(word))}\t${word}${left(word)}`);
    lines.push('', '\\2-grams:', ...twos, '', '\\3-grams:');
    for (const key of three) {
      const [twoBefore = '', before = '', word = ''] = key.split(' ');
      lines.push(`${log10(this.probability(word, [twoBefore, before]))}\t${key}`);
    }
    lines.push('', '\\end\\', '');
    return lines.join('\n');
  }
}

/** Witten and Bell's number of kinds, but never too few. */
function unmetKinds(counts: Counts, history: string): number {
  return Math.max(counts.kinds.get(history) ?? 0, UNMET_SHARE_MIN * (counts.total.get(history) ?? 0));
}

function mix(alone: number, general: number): number {
  return (1 - GENERAL_SHARE) * alone + GENERAL_SHARE * general;
}

function log10(probability: number): string {
  return Math.log10(probability).toFixed(4);
}
