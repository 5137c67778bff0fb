/** CMU pocketsphinx (Debian libpocketsphinx3, model pocketsphinx-en-us) behind a small class. */
import { existsSync } from 'node:fs';
import { TrunklineError } from '../../../base/errors.ts';
import { loadLibrary } from '../../../base/native-library.ts';

/** Where Debian's and Ubuntu's pocketsphinx-en-us puts its files. */
export const INSTALLED_MODEL = '/usr/share/pocketsphinx/model/en-us';

/** What a decoder made of an utterance. */
export interface Hypothesis {
  readonly text: string;
  /** Log score of the best path, in pocketsphinx's own units. */
  readonly score: number;
  readonly frames: number;
}

function bind(): ReturnType<typeof bindBoth> {
  if (!existsSync(INSTALLED_MODEL))
    throw new TrunklineError('SPEECH_UNAVAILABLE', `${INSTALLED_MODEL} is missing`);
  return bindBoth();
}

function bindBoth() {
  // pocketsphinx leans on sphinxbase, which must be in memory first.
  const base = loadLibrary(
    ['libsphinxbase.so.3'],
    {
      setLog: 'void err_set_logfp(void*)',
      setText: 'void cmd_ln_set_str_r(void*, const char*, const char*)',
      setNumber: 'void cmd_ln_set_float_r(void*, const char*, double)',
      setSwitch: 'void cmd_ln_set_int_r(void*, const char*, long)',
      settings: 'void* cmd_ln_parse_r(void*, void*, int32_t, void*, int32_t)',
      freeSettings: 'int cmd_ln_free_r(void*)',
    },
    'SPEECH_UNAVAILABLE',
  );
  const sphinx = loadLibrary(
    ['libpocketsphinx.so.3'],
    {
      defaults: 'void* ps_args()',
      create: 'void* ps_init(void*)',
      free: 'int ps_free(void*)',
      startStream: 'int ps_start_stream(void*)',
      start: 'int ps_start_utt(void*)',
      process: 'int ps_process_raw(void*, const int16_t*, size_t, int, int)',
      end: 'int ps_end_utt(void*)',
      hypothesis: 'const char* ps_get_hyp(void*, _Out_ int32_t*)',
      frames: 'int ps_get_n_frames(void*)',
      addModel: 'int ps_set_lm_file(void*, const char*, const char*)',
      useModel: 'int ps_set_search(void*, const char*)',
    },
    'SPEECH_UNAVAILABLE',
  );
  base.setLog(null);
  return { base, sphinx };
}

let bound: ReturnType<typeof bind> | null = null;

/** One decoder: one utterance at a time. Free it when done; a freed decoder must not be used. */
export class Decoder {
  readonly #decoder: unknown;
  readonly #sphinx: ReturnType<typeof bind>['sphinx'];

  /**
   * `settings` are pocketsphinx's own options (`-hmm`, `-lw`, ...): texts, floating-point numbers, switches.
   * A whole-number option would be set wrong.
   * Throws SPEECH_UNAVAILABLE when the library is missing or refuses the settings.
   */
  constructor(settings: Readonly<Record<string, string | number | boolean>>) {
    bound ??= bind();
    const { base, sphinx } = bound;
    const handle = base.settings(null, sphinx.defaults(), 0, null, 0);
    for (const [name, value] of Object.entries(settings)) {
      if (typeof value === 'boolean') base.setSwitch(handle, name, Number(value));
      else if (typeof value === 'number') base.setNumber(handle, name, value);
      else base.setText(handle, name, value);
    }
    const decoder = sphinx.create(handle);
    base.freeSettings(handle);
    if (decoder === null) throw new TrunklineError('SPEECH_UNAVAILABLE', 'pocketsphinx refused its settings');
    sphinx.startStream(decoder);
    this.#decoder = decoder;
    this.#sphinx = sphinx;
  }

  /** Adds a language model (ARPA file) under a name. Some 10 ms. Throws SPEECH_UNAVAILABLE. */
  addModel(name: string, path: string): void {
    if (this.#sphinx.addModel(this.#decoder, name, path) !== 0)
      throw new TrunklineError('SPEECH_UNAVAILABLE', `pocketsphinx refused the language model ${path}`);
  }

  /** Listens with this language model from the next utterance on. */
  useModel(name: string): void {
    this.#sphinx.useModel(this.#decoder, name);
  }

  start(): void {
    this.#sphinx.start(this.#decoder);
  }

  /** 16 kHz linear samples, any number. */
  process(samples: Int16Array): void {
    this.#sphinx.process(this.#decoder, samples, samples.length, 0, 0);
  }

  end(): Hypothesis {
    this.#sphinx.end(this.#decoder);
    const score: [number] = [0];
    const text = this.#sphinx.hypothesis(this.#decoder, score) as string | null;
    return {
      // "read(2)" is the second pronunciation of "read".
      text: (text ?? '').replace(/\(\d+\)/g, ''),
      score: score[0],
      frames: this.#sphinx.frames(this.#decoder) as number,
    };
  }

  free(): void {
    this.#sphinx.free(this.#decoder);
  }
}
