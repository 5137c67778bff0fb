/** Language models, dictionary and acoustic settings of the recogniser: made once, then kept on disk. */
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { TrunklineError } from '../../../base/errors.ts';
import { newId } from '../../../base/ids.ts';
import type { AgentProfile } from '../../profile.ts';
import { followersAmong } from './general-english.ts';
import { phrasebookOf } from './phrasebook.ts';
import { telephoneTransform } from './telephone-transform.ts';
import { SENTENCE_END, SENTENCE_START, Trigram } from './trigram.ts';

/** Raised when the generator changes: what an older version left in the cache is not used. */
const FORMAT = 5;
/**
 * Pronunciations that the telephone adds. It ends at 3400 Hz,
 * below the burst that tells a T from a K: what is
 * left of "ten" is close to "ken" or "can"; the language model knows which of the two belongs after "at".
 */
const TELEPHONE_PRONUNCIATIONS: Readonly<Record<string, readonly string[]>> = {
  ten: ['K EH N', 'K AE N'],
  // TH, S and F differ above 4 kHz only.
  thank: ['S AE NG K', 'S EH NG K', 'F AE NG K'],
  thanks: ['S AE NG K S', 'S EH NG K S', 'F AE NG K S'],
  thursday: ['S ER Z D EY', 'F ER Z D EY'],
};
/** Unknown words named in one refusal. */
const UNKNOWN_WORDS_MAX = 10;

export interface LanguageModelFiles {
  /** Content hash: one per way of speaking. */
  readonly key: string;
  /** Expectation -> its trigram model. All share one dictionary. */
  readonly languageModelPaths: ReadonlyMap<string, string>;
  readonly dictionaryPath: string;
}

/** Acoustic parameters of Debian's en-us model; the cepstral means are told with every utterance. */
const TELEPHONE_FEATURES = `-lowerf 130
-upperf 6800
-nfilt 25
-transform dct
-lifter 22
-feat 1s_c_d_dd
-svspec 0-12/13-25/26-38
-agc none
-cmn batch
-varnorm no
-model ptm
`;

/** Fills `folder` under a name of its own first: other threads may be making the same one. */
function makeFolder(folder: string, fill: (unfinished: string) => void): void {
  if (existsSync(folder)) return;
  const unfinished = `${folder}.${newId('new')}`;
  mkdirSync(unfinished, { recursive: true });
  try {
    fill(unfinished);
    renameSync(unfinished, folder);
  } catch (failure) {
    rmSync(unfinished, { recursive: true, force: true });
    if (!existsSync(folder)) throw failure;
  }
}

/** In the folder of `telephoneModel`: for the decoders' option `-mllr`. */
export const TRANSFORM_FILE = 'telephone.mllr';

/** The path of a folder with the telephone's parameters beside links to the installed acoustic model. */
export function telephoneModel(cacheFolder: string, installedFolder: string): string {
  const hash = createHash('sha256').update(
    `${FORMAT}\n${installedFolder}\n${TELEPHONE_FEATURES}${telephoneTransform()}`,
  );
  const folder = join(cacheFolder, `acoustic-${hash.digest('hex').slice(0, 16)}`);
  makeFolder(folder, (unfinished) => {
    for (const file of readdirSync(installedFolder)) {
      if (file !== 'feat.params') symlinkSync(join(installedFolder, file), join(unfinished, file));
    }
    writeFileSync(join(unfinished, 'feat.params'), TELEPHONE_FEATURES);
    writeFileSync(join(unfinished, TRANSFORM_FILE), telephoneTransform());
  });
  return folder;
}

/** What of a profile decides how callers speak to it. */
function keyOf(profile: AgentProfile): string {
  const spoken = profile.tasks.map((task) => ({
    name: task.name,
    phrases: task.phrases,
    slots: task.slots.map((slot) => ({ name: slot.name, kind: slot.kind, choices: slot.choices })),
  }));
  const content = JSON.stringify([FORMAT, spoken, profile.vocabulary]);
  return createHash('sha256').update(content).digest('hex').slice(0, 16);
}

/**
 * Lines of a CMU pronouncing dictionary for `words`, with what the telephone makes of them; a word may have
 * several: `word(2)`.
 */
export function dictionaryFor(words: readonly string[], dictionary: string): string {
  const wanted = new Set(words);
  const met = new Map<string, number>();
  const lines: string[] = [];
  for (const line of dictionary.split('\n')) {
    const entry = line.slice(0, line.indexOf(' '));
    const word = entry.replace(/\(\d+\)$/, '');
    if (!wanted.has(word)) continue;
    met.set(word, (met.get(word) ?? 0) + 1);
    lines.push(line);
  }
  for (const [word, known] of met) {
    const further = TELEPHONE_PRONUNCIATIONS[word] ?? [];
    lines.push(...further.map((phones, index) => `${word}(${known + index + 1}) ${phones}`));
  }
  const unknown = words.filter((word) => !met.has(word));
  if (unknown.length > 0) {
    const named = unknown.slice(0, UNKNOWN_WORDS_MAX).join(', ');
    throw new TrunklineError('PROFILE_UNSPEAKABLE', `no pronunciation is known for: ${named}`);
  }
  return `${lines.join('\n')}\n`;
}

const MODEL_SUFFIX = '.lm';

/**
 * Makes (or finds) the language models and the dictionary of a profile. Takes 2 to 3 s of CPU the first time.
 * Throws PROFILE_UNSPEAKABLE and names the words whose pronunciation is unknown.
 */
export function prepareLanguageModel(options: {
  profile: AgentProfile;
  cacheFolder: string;
  dictionaryPath: string;
}): LanguageModelFiles {
  const key = keyOf(options.profile);
  const folder = join(options.cacheFolder, `language-${key}`);
  makeFolder(folder, (unfinished) => {
    const book = phrasebookOf(options.profile);
    const words = new Set([...book.values()].flat().flatMap((sentence) => sentence.split(' ')));
    words.delete('');
    const lines = dictionaryFor([...words], readFileSync(options.dictionaryPath, 'utf8'));
    writeFileSync(join(unfinished, 'domain.dict'), lines);
    const general = followersAmong([SENTENCE_START, SENTENCE_END, ...words]);
    for (const [expectation, sentences] of book) {
      const model = new Trigram(sentences, words, general);
      writeFileSync(join(unfinished, `${expectation}${MODEL_SUFFIX}`), model.arpa());
    }
  });
  const models = readdirSync(folder).filter((file) => file.endsWith(MODEL_SUFFIX));
  return {
    key,
    languageModelPaths: new Map(
      models.map((file) => [file.slice(0, -MODEL_SUFFIX.length), join(folder, file)]),
    ),
    dictionaryPath: join(folder, 'domain.dict'),
  };
}
