/**
 * Decoders of one language model. Light ones listen while callers speak, each to one utterance, and go from
 * caller to caller; a careful one hears an utterance once more that a light one was in doubt about.
 */
import { join } from 'node:path';
import { TrunklineError } from '../../../base/errors.ts';
import { TRANSFORM_FILE, type LanguageModelFiles } from './language-model.ts';
import { EXPECT_OPEN } from './phrasebook.ts';
import { Decoder, type Hypothesis } from './pocketsphinx.ts';

/** How much the language model counts against the sound; 6.5 is the library's own, for dictation. */
const LANGUAGE_WEIGHT = 7.5;
/** Light decoders score the sound of every second frame only: a third less CPU. */
const LIGHT_STEP = 2n;
const CAREFUL_STEP = 1n;
/** Callers who may speak at once; a decoder takes some 20 MB. */
const LIGHT_MAX = 64;

/** What one hearing of an utterance needs to know. */
export interface Circumstances {
  /** What the caller was asked: chooses the language model. Unknown ones mean "anything". */
  readonly expecting: string;
  /** Cepstral means of the caller and the line. */
  readonly means: Float32Array;
}

/** A decoder that has the language models which it has needed so far in memory. */
export class DomainDecoder {
  readonly #decoder: Decoder;
  readonly #paths: ReadonlyMap<string, string>;
  readonly #loaded = new Set<string>();

  constructor(files: LanguageModelFiles, acousticModel: string, step: bigint) {
    this.#paths = files.languageModelPaths;
    const transform = join(acousticModel, TRANSFORM_FILE);
    const sound = { '-hmm': acousticModel, '-mllr': transform, '-ds': step };
    this.#decoder = new Decoder({ ...sound, '-dict': files.dictionaryPath, '-lw': LANGUAGE_WEIGHT });
    this.#expect(EXPECT_OPEN);
  }

  #expect(expecting: string): void {
    const name = this.#paths.has(expecting) ? expecting : EXPECT_OPEN;
    const path = this.#paths.get(name);
    if (path === undefined) throw new TrunklineError('SPEECH_UNAVAILABLE', `no language model "${name}"`);
    if (!this.#loaded.has(name)) this.#decoder.addModel(name, path);
    this.#loaded.add(name);
    this.#decoder.useModel(name);
  }

  start({ expecting, means }: Circumstances): void {
    this.#expect(expecting);
    this.#decoder.means = means;
    this.#decoder.start();
  }

  /** 16 kHz linear samples, any number. */
  process(samples: Int16Array): void {
    this.#decoder.process(samples);
  }

  /** What was said, and the means of the sound it was said with. */
  end(): Hypothesis & { readonly means: Float32Array } {
    const hypothesis = this.#decoder.end();
    return { ...hypothesis, means: this.#decoder.means };
  }
}

export class Decoders {
  readonly #make: (step: bigint) => DomainDecoder;
  readonly #free: DomainDecoder[] = [];
  #lent = 0;
  #careful: DomainDecoder | null = null;

  constructor(files: LanguageModelFiles, acousticModel: string) {
    this.#make = (step) => new DomainDecoder(files, acousticModel, step);
  }

  /** Has one of each ready, so that no caller need wait for it (some 30 ms). */
  stock(): void {
    if (this.#free.length === 0 && this.#lent < LIGHT_MAX) this.#free.push(this.#make(LIGHT_STEP));
    this.#careful ??= this.#make(CAREFUL_STEP);
  }

  /** A light decoder for one utterance, to be given back; null when too many callers speak at once. */
  take(): DomainDecoder | null {
    if (this.#lent >= LIGHT_MAX) return null;
    this.#lent += 1;
    return this.#free.pop() ?? this.#make(LIGHT_STEP);
  }

  giveBack(decoder: DomainDecoder): void {
    this.#lent -= 1;
    this.#free.push(decoder);
  }

  /** The words of a whole utterance, in pieces of 16 kHz samples. */
  carefully(pieces: readonly Int16Array[], circumstances: Circumstances): Hypothesis {
    const careful = (this.#careful ??= this.#make(CAREFUL_STEP));
    careful.start(circumstances);
    for (const piece of pieces) careful.process(piece);
    return careful.end();
  }
}
