/** Numbers that were given in confidence: no text that is kept or logged may tell them. */

/** Read aloud in groups: a shorter piece of a secret gives nothing away. */
const PIECE_MIN = 3;
const SECRETS_MAX = 32;
const DIGIT_WORDS: Readonly<Record<string, string>> = {
  ...{ zero: '0', oh: '0', one: '1', two: '2', three: '3', four: '4', five: '5', six: '6', seven: '7' },
  ...{ eight: '8', nine: '9' },
};
/** A run of digits, in figures or in words, with what may stand between them. */
const RUN = new RegExp(
  `(?:\\b(?:double\\s+)?(?:${Object.keys(DIGIT_WORDS).join('|')})\\b|\\d)` +
    `(?:[\\s,.;-]*(?:\\b(?:double\\s+)?(?:${Object.keys(DIGIT_WORDS).join('|')})\\b|\\d))*`,
  'gi',
);
const MASK = '•••';

/** The digits of a run: "one double two 3" is 1223. */
export function digitsSaid(text: string): string {
  let digits = '';
  let repeat = 1;
  for (const [word] of text.toLowerCase().matchAll(/[a-z]+|\d/g)) {
    if (word === 'double') repeat = 2;
    else {
      digits += (DIGIT_WORDS[word] ?? (/\d/.test(word) ? word : '')).repeat(repeat);
      repeat = 1;
    }
  }
  return digits;
}

const LEADS = new Set('my the number pin code card is it its please uh um and okay'.split(' '));

/** Does a text give a number, and not just hold one? "one moment please" does not. */
export function isMostlyDigits(text: string): boolean {
  const words = text.toLowerCase().match(/[a-z']+|\d+/g) ?? [];
  const digits = words.filter((word) => word in DIGIT_WORDS || /\d/.test(word) || word === 'double').length;
  const others = words.filter((word) => !LEADS.has(word)).length - digits;
  return digits > others;
}

export class SpokenSecrets {
  /** true: a secret is being given, so every number may be it. */
  listening = false;
  readonly #secrets = new Set<string>();

  /** From now on this number is masked wherever it comes up. */
  keep(digits: string): void {
    this.#secrets.add(digits);
    for (const oldest of this.#secrets) {
      if (this.#secrets.size <= SECRETS_MAX) return;
      this.#secrets.delete(oldest);
    }
  }

  /** The text with every secret in it masked. */
  masked(text: string): string {
    if (!this.listening && this.#secrets.size === 0) return text;
    return text.replace(RUN, (run) => (this.#isSecret(digitsSaid(run)) ? MASK : run));
  }

  /** The same for all texts and numbers within a value. */
  maskedDeep(value: unknown): unknown {
    if (!this.listening && this.#secrets.size === 0) return value;
    if (typeof value === 'string') return this.masked(value);
    if (typeof value === 'number') return this.masked(String(value)) === String(value) ? value : MASK;
    if (Array.isArray(value)) return value.map((one) => this.maskedDeep(one));
    if (typeof value === 'object' && value !== null)
      return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, this.maskedDeep(one)]));
    return value;
  }

  #isSecret(digits: string): boolean {
    if (this.listening) return true;
    for (const secret of this.#secrets) {
      if (digits.includes(secret)) return true;
      if (digits.length >= Math.min(PIECE_MIN, secret.length) && secret.includes(digits)) return true;
    }
    return false;
  }
}
