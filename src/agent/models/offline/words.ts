/** Text as the recogniser writes it: lower-case words, no punctuation. */

/** A value and the words it was read from: `from` inclusive, `to` exclusive. */
export interface Found<T> {
  readonly value: T;
  readonly from: number;
  readonly to: number;
}

/** Longest utterance the dialog looks at, in words. */
const WORDS_MAX = 120;

/** Splits text into lower-case words; "10 a.m.," becomes "10 a m". Apostrophes inside words stay. */
export function wordsOf(text: string): string[] {
  const plain = text
    .toLowerCase()
    .replace(/[’`]/g, "'")
    .replace(/[^a-z0-9' ]+/g, ' ');
  return plain
    .split(/\s+/)
    .filter((word) => /[a-z0-9]/.test(word))
    .slice(0, WORDS_MAX);
}

const SMALL = [
  'zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen',
  'seventeen eighteen nineteen',
]
  .join(' ')
  .split(' ');
const TENS = ['twenty', 'thirty', 'forty', 'fifty'];
const SMALL_ORDINALS = [
  'first second third fourth fifth sixth seventh eighth ninth tenth eleventh twelfth thirteenth',
  'fourteenth fifteenth sixteenth seventeenth eighteenth nineteenth',
]
  .join(' ')
  .split(' ');

/** 0 to 59 in words: "twenty five". */
export function sayNumber(value: number): string {
  if (value < SMALL.length) return SMALL[value] ?? String(value);
  const tens = TENS[Math.floor(value / 10) - 2];
  if (tens === undefined) return String(value);
  return value % 10 === 0 ? tens : `${tens} ${SMALL[value % 10] ?? ''}`;
}

/** 1 to 31 as an ordinal: "twenty-fourth". */
export function sayOrdinal(value: number): string {
  if (value < 20) return SMALL_ORDINALS[value - 1] ?? String(value);
  if (value === 20) return 'twentieth';
  if (value === 30) return 'thirtieth';
  const tens = TENS[Math.floor(value / 10) - 2] ?? '';
  return `${tens}-${SMALL_ORDINALS[(value % 10) - 1] ?? ''}`;
}

/** Reads a number from 0 to 59 that begins at word `at`. */
export function readNumber(words: readonly string[], at: number): Found<number> | null {
  const word = words[at];
  if (word === undefined) return null;
  if (/^\d{1,2}$/.test(word)) return { value: Number(word), from: at, to: at + 1 };
  const small = SMALL.indexOf(word);
  if (small >= 0) return { value: small, from: at, to: at + 1 };
  const tens = TENS.indexOf(word);
  if (tens < 0) return null;
  const unit = SMALL.indexOf(words[at + 1] ?? '');
  const withUnit = unit >= 1 && unit <= 9;
  return { value: (tens + 2) * 10 + (withUnit ? unit : 0), from: at, to: at + (withUnit ? 2 : 1) };
}

/** Reads an ordinal from 1 to 31 that begins at word `at`: "third", "twenty fourth", "24th". */
export function readOrdinal(words: readonly string[], at: number): Found<number> | null {
  const word = words[at];
  if (word === undefined) return null;
  const figures = /^(\d{1,2})(st|nd|rd|th)$/.exec(word);
  if (figures) return { value: Number(figures[1]), from: at, to: at + 1 };
  if (word === 'twentieth') return { value: 20, from: at, to: at + 1 };
  if (word === 'thirtieth') return { value: 30, from: at, to: at + 1 };
  const small = SMALL_ORDINALS.indexOf(word);
  if (small >= 0) return { value: small + 1, from: at, to: at + 1 };
  const tens = TENS.indexOf(word);
  const unit = SMALL_ORDINALS.indexOf(words[at + 1] ?? '');
  if (tens < 0 || tens > 1 || unit < 0 || unit > 8) return null;
  return { value: (tens + 2) * 10 + unit + 1, from: at, to: at + 2 };
}

/** Does `words` hold `pattern` at `at`? */
export function matchesAt(words: readonly string[], at: number, pattern: readonly string[]): boolean {
  return pattern.every((word, index) => words[at + index] === word);
}
