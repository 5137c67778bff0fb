/**
 * A written answer, cut into what is synthesised at a time, while it is still being written: whole
 * sentences, short ones together, long ones at a clause. The first piece is short, because the caller waits
 * for it.
 */

/** Pieces after the first are at least so long: a voice has no melody over two words. */
const CHARS_MIN = 40;
/** A sentence that grows beyond this is cut at a clause; the first one sooner. */
const CHARS_LONG = 180;
const FIRST_CHARS_LONG = 70;
/** A clause is worth cutting off from here on. */
const CLAUSE_CHARS_MIN = 30;
/** Without any clause it is cut between two words here. */
const CHARS_MAX = 300;

/** A stop after one of these ends no sentence. */
const ABBREVIATIONS = new Set(
  [
    'mr mrs ms dr prof st no vs e.g i.e etc approx dept ext fig inc ltd',
    'jan feb mar apr jun jul aug sep sept oct nov dec',
  ].flatMap((line) => line.split(' ')),
);

/** The end of a sentence, with the quotes and brackets that belong to it. */
const STOP = /[.!?…]+["'”’)\]*_]*(?=\s)|[。！？]|\n+/g;
const CLAUSE = /[,;:—–](?=\s)/g;

export class SentenceSplitter {
  #pending = '';
  /** Whole sentences that are too short to be said alone. */
  #short = '';
  #first = true;

  /** Pieces that are complete with this text. */
  push(text: string): string[] {
    this.#pending += text;
    const pieces: string[] = [];
    for (;;) {
      const end = endOfSentence(this.#pending) ?? this.#endOfClause();
      if (end === null) return pieces;
      this.#take(end, pieces);
    }
  }

  /** The rest, when the answer is complete. */
  flush(): string[] {
    const rest = `${this.#short}${this.#pending}`.trim();
    this.#short = '';
    this.#pending = '';
    this.#first = true;
    return rest === '' ? [] : [rest];
  }

  #take(end: number, pieces: string[]): void {
    const sentence = this.#short + this.#pending.slice(0, end);
    this.#pending = this.#pending.slice(end);
    const spoken = sentence.trim();
    if (spoken.length < (this.#first ? 1 : CHARS_MIN)) {
      this.#short = sentence;
      return;
    }
    this.#short = '';
    this.#first = false;
    pieces.push(spoken);
  }

  /** A sentence that does not end: its last clause so far, or its last word. */
  #endOfClause(): number | null {
    const long = this.#first ? FIRST_CHARS_LONG : CHARS_LONG;
    if (this.#pending.length <= long) return null;
    let last: number | null = null;
    for (const match of this.#pending.matchAll(CLAUSE)) {
      const end = match.index + match[0].length;
      if (end >= CLAUSE_CHARS_MIN && end <= CHARS_MAX) last = end;
      if (this.#first && last !== null) break;
    }
    if (last !== null || this.#pending.length <= CHARS_MAX) return last;
    const space = this.#pending.lastIndexOf(' ', CHARS_MAX);
    return space > 0 ? space : CHARS_MAX;
  }
}

/** Where the first sentence ends; null when that is not known yet. */
function endOfSentence(text: string): number | null {
  for (const match of text.matchAll(STOP)) {
    const end = match.index + match[0].length;
    if (match[0].startsWith('\n')) {
      if (text.slice(0, match.index).trim() !== '') return end;
      continue;
    }
    const next = /^\s+(\S)/.exec(text.slice(end))?.[1];
    // What follows tells a full stop from an abbreviation; it has not been written yet.
    if (next === undefined && match[0].startsWith('.')) {
      return text.includes('\n', end) ? end : null;
    }
    if (match[0].startsWith('.') && !endsSentence(text.slice(0, match.index), next ?? '')) continue;
    return end;
  }
  return null;
}

function endsSentence(before: string, next: string): boolean {
  if (/\p{Ll}/u.test(next)) return false;
  const word = /(\S+)$/.exec(before)?.[1]?.replace(/^["'(*]+/, '') ?? '';
  // "1." at the beginning of a line is the mark of a list; a single capital is an initial.
  if (/^\d{1,3}$/.test(word) && /(^|\n)\s*\d{1,3}$/.test(before)) return false;
  if (/^\p{Lu}$/u.test(word) && word !== 'I') return false;
  return !ABBREVIATIONS.has(word.toLowerCase());
}
