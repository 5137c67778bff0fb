import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  dictionaryFor,
  prepareLanguageModel,
  telephoneModel,
  TRANSFORM_FILE,
} from '../../../../src/agent/models/offline/language-model.ts';
import { phrasebookOf } from '../../../../src/agent/models/offline/phrasebook.ts';
import { followersAmong } from '../../../../src/agent/models/offline/general-english.ts';
import { telephoneTransform } from '../../../../src/agent/models/offline/telephone-transform.ts';
import { SENTENCE_END, SENTENCE_START, Trigram } from '../../../../src/agent/models/offline/trigram.ts';
import { agentProfileSchema, type AgentProfile } from '../../../../src/agent/profile.ts';

const base = {
  name: 'bakery',
  greeting: 'Hello.',
  not_understood: ['Sorry?'],
  still_there: ['Hello?'],
  anything_else: 'Anything else?',
  goodbye: 'Bye.',
  vocabulary: { first_names: ['Anna', 'Robert'], last_names: ['Miller'] },
};
const order = {
  name: 'order',
  phrases: ['I would like {cake} on {day}', 'I want to order a cake'],
  confirm: '{cake}?',
  slots: [
    { name: 'name', kind: 'person', ask: '?', ask_again: '?' },
    { name: 'day', kind: 'day', ask: '?', ask_again: '?' },
    {
      name: 'cake',
      kind: 'choice',
      ask: '?',
      ask_again: '?',
      choices: [{ say: ['an apple cake', 'a cherry cake'], value: 'A' }],
    },
  ],
  done: 'Done.',
};
const bakery = (task: object = order): AgentProfile => agentProfileSchema.parse({ ...base, tasks: [task] });

let folder: string;
let dictionaryPath: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'trunkline-language-'));
  // Every word that the bakery needs has a made-up pronunciation.
  const words = new Set([...phrasebookOf(bakery()).values()].flat().flatMap((one) => one.split(' ')));
  dictionaryPath = join(folder, 'dictionary');
  writeFileSync(dictionaryPath, [...words, 'unused', 'cake(2)'].map((word) => `${word} AH B`).join('\n'));
});
afterAll(() => rmSync(folder, { recursive: true }));

describe('Trigram', () => {
  const sentences = ['a b c', 'a b d', 'a c', 'b'];
  const model = new Trigram(sentences, ['e']);
  const histories = [
    [],
    [SENTENCE_START],
    ['a'],
    ['b'],
    ['e'],
    [SENTENCE_START, 'a'],
    ['a', 'b'],
    ['b', 'a'],
    ['never', 'met'],
  ];

  it.each(histories.map((history) => ({ history })))('sums to 1 after $history', ({ history }) => {
    const total = model.words.reduce((sum, word) => sum + model.probability(word, history), 0);
    expect(total).toBeCloseTo(1, 10);
  });

  it('never says that a word is impossible', () => {
    for (const word of model.words)
      for (const history of histories) expect(model.probability(word, history)).toBeGreaterThan(0);
  });

  it('prefers what it has met', () => {
    expect(model.probability('b', ['a'])).toBeGreaterThan(model.probability('c', ['a']));
    expect(model.probability('c', ['a', 'b'])).toBeGreaterThan(model.probability('a', ['a', 'b']));
    expect(model.probability(SENTENCE_END, ['c'])).toBeGreaterThan(0.5);
  });

  it('knows by hand: P(b|a) by Witten and Bell', () => {
    // a is followed three times, by two kinds; b stands 3 times among 13 words, of 6 kinds.
    const unigram = (3 + 1) / (13 + 6);
    expect(model.probability('b', ['a'])).toBeCloseTo((2 + 2 * unigram) / (3 + 2), 10);
  });

  it('writes what it counts as ARPA', () => {
    const text = model.arpa();
    const section = (name: string): string[] => {
      const [, rest = ''] = text.split(`\\${name}:\n`);
      return (rest.split('\n\n')[0] ?? '').split('\n');
    };
    expect(text.startsWith('\\data\\\n')).toBe(true);
    expect(text.endsWith('\\end\\\n')).toBe(true);
    for (const order of [1, 2, 3]) {
      const count = Number(new RegExp(`ngram ${order}=(\\d+)`).exec(text)?.[1]);
      expect(section(`${order}-grams`)).toHaveLength(count);
    }
  });

  it('writes back-off weights that make the ARPA model whole', () => {
    const bigrams = new Map<string, number>();
    const unigrams = new Map<string, { p: number; backOff: number }>();
    for (const line of model.arpa().split('\n')) {
      const [p = '', words = '', backOff = '0'] = line.split('\t');
      const parts = words.split(' ');
      if (parts.length === 1 && words !== '')
        unigrams.set(words, { p: 10 ** Number(p), backOff: 10 ** Number(backOff) });
      if (parts.length === 2) bigrams.set(words, 10 ** Number(p));
    }
    for (const history of ['a', 'b', 'c', SENTENCE_START]) {
      let total = 0;
      for (const word of model.words) {
        const backedOff = (unigrams.get(history)?.backOff ?? 1) * (unigrams.get(word)?.p ?? 0);
        total += bigrams.get(`${history} ${word}`) ?? backedOff;
      }
      expect(total).toBeCloseTo(1, 2);
    }
  });
});

describe('phrasebook', () => {
  const book = phrasebookOf(bakery());

  it('has a model for every expectation', () => {
    expect([...book.keys()].sort()).toEqual([
      'answer-order-cake',
      'answer-order-day',
      'answer-order-name',
      'closing',
      'confirm-order',
      'open',
    ]);
  });

  it('is the same every time', () => expect(phrasebookOf(bakery())).toEqual(book));

  it('holds plain words only', () => {
    for (const sentences of book.values())
      for (const sentence of sentences) expect(sentence).toMatch(/^[a-z']+( [a-z']+)*$/);
  });

  it('puts what was asked for first, and leaves nothing out', () => {
    const share = (name: string, pattern: RegExp): number => {
      const sentences = book.get(name) ?? [];
      return sentences.filter((sentence) => pattern.test(sentence)).length / sentences.length;
    };
    expect(share('answer-order-name', /anna|robert|miller/)).toBeGreaterThan(0.5);
    expect(share('answer-order-day', /anna|robert|miller/)).toBeLessThan(0.2);
    expect(share('confirm-order', /^(yes|no)\b/)).toBeGreaterThan(0.4);
    expect(share('open', /apple|cherry|order/)).toBeGreaterThan(0.5);
    for (const name of book.keys()) {
      expect(share(name, /cake/), name).toBeGreaterThan(0);
      expect(share(name, /\byes\b/), name).toBeGreaterThan(0);
    }
  });

  it('says every pair of names', () => {
    const sentences = (book.get('answer-order-name') ?? []).join('\n');
    expect(sentences).toContain('anna miller');
    expect(sentences).toContain('robert miller');
  });

  it('refuses a phrase with a slot that is none', () => {
    const odd = bakery({ ...order, phrases: ['I want {pizza}'] });
    expect(() => phrasebookOf(odd)).toThrow(/PROFILE_UNSPEAKABLE.*\{pizza\}/);
  });

  it('refuses a person slot without names', () => {
    const nameless = { ...bakery(), vocabulary: { first_names: [], last_names: [], phrases: [] } };
    expect(() => phrasebookOf(nameless)).toThrow(/PROFILE_UNSPEAKABLE.*vocabulary/);
  });
});

describe('dictionaryFor', () => {
  const dictionary = 'a AH\na(2) EY\nb B IY\ncc S\n';

  it('takes every pronunciation of a word', () => {
    expect(dictionaryFor(['a', 'b'], dictionary)).toBe('a AH\na(2) EY\nb B IY\n');
  });

  it('adds how a word sounds on the telephone', () => {
    expect(dictionaryFor(['ten'], 'ten T EH N\ntent T EH N T\n')).toBe(
      'ten T EH N\nten(2) K EH N\nten(3) K AE N\n',
    );
  });

  it('names the words that nobody can pronounce', () => {
    expect(() => dictionaryFor(['a', 'xyzzy', 'plugh'], dictionary)).toThrow(
      /PROFILE_UNSPEAKABLE.*xyzzy, plugh/,
    );
  });
});

describe('prepareLanguageModel', () => {
  const prepare = (profile = bakery()): ReturnType<typeof prepareLanguageModel> =>
    prepareLanguageModel({ profile, cacheFolder: join(folder, 'cache'), dictionaryPath });

  it('writes a model per expectation and one dictionary', () => {
    const files = prepare();
    expect(files.languageModelPaths.size).toBe(6);
    for (const path of files.languageModelPaths.values())
      expect(readFileSync(path, 'utf8')).toMatch(/^\\data\\/);
    expect(readFileSync(files.dictionaryPath, 'utf8')).toContain('cake(2) AH B');
    expect(readFileSync(files.dictionaryPath, 'utf8')).not.toContain('unused');
  });

  it('finds it again instead of making it', () => {
    const before = statSync(prepare().dictionaryPath).mtimeMs;
    expect(statSync(prepare().dictionaryPath).mtimeMs).toBe(before);
  });

  it('depends on how callers speak, not on what the agent says', () => {
    expect(prepare({ ...bakery(), greeting: 'Good day.' }).key).toBe(prepare().key);
    const other = bakery({ ...order, phrases: ['I want a cake'] });
    expect(prepare(other).key).not.toBe(prepare().key);
  });

  it('leaves nothing behind when a word is unknown', () => {
    const odd = bakery({ ...order, phrases: ['I want a xyzzy'] });
    expect(() => prepare(odd)).toThrow(/xyzzy/);
    expect(readdirSync(join(folder, 'cache')).filter((name) => name.includes('new'))).toEqual([]);
  });
});

describe('telephoneModel', () => {
  it('links the installed model, and adds what the telephone does to its features', () => {
    const installed = join(folder, 'installed');
    prepareInstalled(installed);
    const path = telephoneModel(join(folder, 'cache'), installed);
    expect(readdirSync(path).sort()).toEqual(['feat.params', 'mdef', 'means', TRANSFORM_FILE]);
    expect(readlinkSync(join(path, 'mdef'))).toBe(join(installed, 'mdef'));
    expect(readFileSync(join(path, 'feat.params'), 'utf8')).toContain('-model ptm');
    expect(readFileSync(join(path, TRANSFORM_FILE), 'utf8')).toBe(telephoneTransform());
    expect(telephoneModel(join(folder, 'cache'), installed)).toBe(path);
  });
});

function prepareInstalled(path: string): void {
  // The shape of Debian's package: a few files beside the feature parameters.
  mkdirSync(path);
  for (const name of ['mdef', 'means', 'feat.params']) writeFileSync(join(path, name), name);
}

describe('telephoneTransform', () => {
  it('has, for each of three streams, a square matrix, offsets and the factors of the variances', () => {
    const [classes, streams, ...rest] = telephoneTransform().trimEnd().split('\n');
    expect([classes, streams]).toEqual(['1', '3']);
    expect(rest).toHaveLength(3 * 16);
    for (const [at, line] of rest.entries()) {
      const numbers = line.split(' ').map(Number);
      expect(numbers).toHaveLength(at % 16 === 0 ? 1 : 13);
      expect(numbers.every(Number.isFinite)).toBe(true);
    }
    // Only what does not change with time has offsets.
    expect(rest[14]).not.toMatch(/^0 0/);
    expect([rest[30], rest[46]]).toEqual(Array(2).fill(Array(13).fill(0).join(' ')));
  });
});

describe('English at large', () => {
  const words = [SENTENCE_START, SENTENCE_END, 'thank', 'you', 'i', 'would', 'like', 'qqqq'];
  const followers = followersAmong(words);
  const share = (history: string, word: string): number => followers.get(history)?.get(word) ?? 0;

  it('knows which words follow which, and nothing of words that are none', () => {
    expect(share('thank', 'you')).toBeGreaterThan(0.8);
    expect(share('would', 'like')).toBeGreaterThan(share('would', 'thank'));
    expect(share(SENTENCE_START, 'i')).toBeGreaterThan(share(SENTENCE_START, SENTENCE_END));
    expect(followers.has('qqqq')).toBe(false);
    for (const shares of followers.values())
      expect([...shares.values()].reduce((sum, one) => sum + one, 0)).toBeCloseTo(1, 6);
  });

  it('helps with words that no sample held together, and leaves the model whole', () => {
    const samples = ['i would like', 'i would', 'you would like', 'thank'];
    const [alone, helped] = [new Trigram(samples, words), new Trigram(samples, words, followers)];
    expect(helped.probability('you', ['thank'])).toBeGreaterThan(alone.probability('you', ['thank']));
    for (const history of [[], ['thank'], ['i'], ['i', 'would'], ['qqqq'], [SENTENCE_START]]) {
      const sum = helped.words.reduce((total, word) => total + helped.probability(word, history), 0);
      expect(sum).toBeCloseTo(1, 6);
    }
  });
});
