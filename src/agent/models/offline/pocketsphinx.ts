/** CMU pocketsphinx (Debian libpocketsphinx3, model pocketsphinx-en-us) behind a small class. */
import { existsSync } from 'node:fs';
import koffi from 'koffi';
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

/** Coefficients of a cepstrum. */
export const CEPSTRUM_SIZE = 13;

/** `feat_t` of sphinxbase/feat.h, up to what is read of it. */
const featuresLayout = koffi.struct({
  ...{ refcount: 'int', name: 'void*', cepsize: 'int32_t', n_stream: 'int32_t', stream_len: 'void*' },
  ...{ window_size: 'int32_t', n_sv: 'int32_t', sv_len: 'void*', subvecs: 'void*', sv_buf: 'void*' },
  ...{ sv_dim: 'int32_t', cmn: 'int', varnorm: 'int32_t', agc: 'int', compute_feat: 'void*' },
  cmn_struct: 'void*',
});
/** `cmn_t` of sphinxbase/cmn.h. */
const normalisationLayout = koffi.struct({
  ...{ cmn_mean: 'void*', cmn_var: 'void*', sum: 'void*', nframe: 'int32_t', veclen: 'int32_t' },
});

/** Where a decoder keeps the means that it takes from every cepstrum (live cepstral mean normalisation). */
interface Normalisation {
  readonly address: unknown;
  readonly means: unknown;
  readonly sum: unknown;
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
      setWhole: 'void cmd_ln_set_int_r(void*, const char*, long)',
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
      startStream: 'int ps_start_stream(void*)',
      start: 'int ps_start_utt(void*)',
      process: 'int ps_process_raw(void*, const int16_t*, size_t, int, int)',
      end: 'int ps_end_utt(void*)',
      hypothesis: 'const char* ps_get_hyp(void*, _Out_ int32_t*)',
      frames: 'int ps_get_n_frames(void*)',
      addModel: 'int ps_set_lm_file(void*, const char*, const char*)',
      useModel: 'int ps_set_search(void*, const char*)',
      features: 'void* ps_get_feat(void*)',
    },
    'SPEECH_UNAVAILABLE',
  );
  base.setLog(null);
  return { base, sphinx };
}

let bound: ReturnType<typeof bind> | null = null;

/** One decoder: one utterance at a time. It lives as long as its process. */
export class Decoder {
  readonly #decoder: unknown;
  readonly #sphinx: ReturnType<typeof bind>['sphinx'];
  readonly #normalisation: Normalisation;

  /**
   * `settings` are pocketsphinx's own options (`-hmm`, `-lw`, ...): texts, floating-point numbers, whole
   * numbers (as bigint), switches.
   * Throws SPEECH_UNAVAILABLE when the library is missing or refuses the settings.
   */
  constructor(settings: Readonly<Record<string, string | number | bigint | boolean>>) {
    bound ??= bind();
    const { base, sphinx } = bound;
    const handle = base.settings(null, sphinx.defaults(), 0, null, 0);
    for (const [name, value] of Object.entries(settings)) {
      if (typeof value === 'boolean' || typeof value === 'bigint') base.setWhole(handle, name, Number(value));
      else if (typeof value === 'number') base.setNumber(handle, name, value);
      else base.setText(handle, name, value);
    }
    const decoder = sphinx.create(handle);
    base.freeSettings(handle);
    if (decoder === null) throw new TrunklineError('SPEECH_UNAVAILABLE', 'pocketsphinx refused its settings');
    this.#decoder = decoder;
    this.#sphinx = sphinx;
    this.#normalisation = normalisationOf(sphinx.features(decoder));
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

  /** Means of this utterance's cepstra, as they were when it ended. */
  get means(): Float32Array {
    return koffi.decode(this.#normalisation.means, 'float', CEPSTRUM_SIZE) as Float32Array;
  }

  /** The means to begin the next utterance with; they are replaced by its own when it ends. */
  set means(means: Float32Array) {
    const { address, means: current, sum } = this.#normalisation;
    koffi.encode(current, 'float', means, CEPSTRUM_SIZE);
    // One frame's weight: the library's own (cmn_live_set) would outweigh five seconds of the caller.
    koffi.encode(sum, 'float', means, CEPSTRUM_SIZE);
    koffi.encode(address, koffi.offsetof(normalisationLayout, 'nframe'), 'int32_t', 1);
  }

  /** An utterance begins; nothing of the ones before is kept, their noise neither. */
  start(): void {
    this.#sphinx.startStream(this.#decoder);
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
}

function normalisationOf(features: unknown): Normalisation {
  const { cmn_struct: address } = koffi.decode(features, featuresLayout) as { cmn_struct: unknown };
  const { cmn_mean, sum, veclen } = koffi.decode(address, normalisationLayout) as Record<string, unknown>;
  if (veclen !== CEPSTRUM_SIZE)
    throw new TrunklineError('SPEECH_UNAVAILABLE', 'this pocketsphinx keeps its cepstral means elsewhere');
  return { address, means: cmn_mean, sum };
}
