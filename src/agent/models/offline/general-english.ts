/**
 * English at large: the language model that Debian's pocketsphinx-en-us has for dictation. It is useless as
 * a model of callers, but it knows which words follow each other at all.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { TrunklineError } from '../../../base/errors.ts';
import { loadLibrary } from '../../../base/native-library.ts';
import { INSTALLED_MODEL } from './pocketsphinx.ts';

const MODEL_FILE = join(INSTALLED_MODEL, 'en-us.lm.bin');
/** The format is found out from the file (ngram_model.h, NGRAM_AUTO). */
const FORMAT_AUTO = 0;
/** Base of the library's logarithms, as pocketsphinx has it. */
const LOG_BASE = 1.0001;

/** history -> word -> P(word | history), for words of a small vocabulary; each history's sum to 1. */
export type Followers = ReadonlyMap<string, ReadonlyMap<string, number>>;

function bind() {
  const library = loadLibrary(
    ['libsphinxbase.so.3'],
    {
      setLog: 'void err_set_logfp(void*)',
      logarithms: 'void* logmath_init(double, int, int)',
      freeLogarithms: 'int logmath_free(void*)',
      exp: 'double logmath_exp(void*, int)',
      read: 'void* ngram_model_read(void*, const char*, int, void*)',
      free: 'int ngram_model_free(void*)',
      wordId: 'int32_t ngram_wid(void*, const char*)',
      unknownId: 'int32_t ngram_unknown_wid(void*)',
      pair: 'int32_t ngram_bg_score(void*, int32_t, int32_t, _Out_ int32_t*)',
    },
    'SPEECH_UNAVAILABLE',
  );
  library.setLog(null);
  return library;
}

/**
 * Which of `words` follow which, in English at large. Words that it does not know follow nothing. Takes
 * about 0.3 s for 600 words. Throws SPEECH_UNAVAILABLE when the model is missing.
 */
export function followersAmong(words: readonly string[]): Followers {
  if (!existsSync(MODEL_FILE)) throw new TrunklineError('SPEECH_UNAVAILABLE', `${MODEL_FILE} is missing`);
  const sphinx = bind();
  const logarithms: unknown = sphinx.logarithms(LOG_BASE, 0, 0);
  const model: unknown = sphinx.read(null, MODEL_FILE, FORMAT_AUTO, logarithms);
  if (model === null) throw new TrunklineError('SPEECH_UNAVAILABLE', `${MODEL_FILE} cannot be read`);
  const unknown = sphinx.unknownId(model) as number;
  const known = words
    .map((word) => ({ word, id: sphinx.wordId(model, word) as number }))
    .filter(({ id }) => id !== unknown);
  // How many words of history the library had use for: it insists on telling.
  const used: [number] = [0];
  const followers = new Map<string, Map<string, number>>();
  for (const { word: history, id: historyId } of known) {
    const shares = known.map(({ word, id }) => {
      const score = sphinx.pair(model, id, historyId, used) as number;
      return [word, sphinx.exp(logarithms, score) as number] as const;
    });
    const sum = shares.reduce((total, [, share]) => total + share, 0);
    followers.set(history, new Map(shares.map(([word, share]) => [word, share / sum])));
  }
  sphinx.free(model);
  sphinx.freeLogarithms(logarithms);
  return followers;
}
