/**
 * The recogniser's own process: decoders run here, so that neither their work nor a crash in them
 * touches a media thread. Started by recogniser.ts; ends when its parent goes.
 */
import { join } from 'node:path';
import { TrunklineError } from '../../../base/errors.ts';
import type { Codec } from '../../../media/frame.ts';
import { decode } from '../../../media/g711.ts';
import {
  prepareLanguageModel,
  telephoneModel,
  TRANSFORM_FILE,
  type LanguageModelFiles,
} from './language-model.ts';
import { NoiseFilter } from './noise-filter.ts';
import { EXPECT_OPEN } from './phrasebook.ts';
import { Decoder, INSTALLED_MODEL, type Hypothesis } from './pocketsphinx.ts';
import { recogniserRequestSchema, type Hearing, type RecogniserRequest } from './speech-messages.ts';
import { serveSpeech } from './speech-service.ts';
import { repeatSamples } from './telephone-band.ts';

/** Words must not fit worse than this against a free loop of phones, per 10 ms frame. */
const REJECT_BELOW = -9;
/** How much the language model counts against the sound; 6.5 is the library's own, for dictation. */
const LANGUAGE_WEIGHT = 7.5;
/** Decoders kept ready per language model, so that a call need not wait for one (about 25 ms). */
const SPARE_DECODERS = 1;
/** Callers at a time; 7 MB for each of two decoders. */
const EARS_MAX = 200;
/** Longest utterance that is listened to; the rest is not heard. */
const UTTERANCE_MS_MAX = 30_000;
/** Longest first utterance that is decoded twice, in pieces of 100 ms: the caller waits for it. */
const FIRST_PIECES_MAX = 60;
/** Longest audio message taken. */
const AUDIO_BYTES_MAX = 80_000;

const cacheFolder = process.argv[2] ?? '';

/** A decoder for words and one for phones, whose scores are compared. */
class DecoderPair {
  readonly #words: Decoder;
  readonly #phones: Decoder;
  readonly #modelPaths: ReadonlyMap<string, string>;
  readonly #loaded = new Set<string>();
  /**
   * The caller's first utterance, until it has ended. The decoder starts from average cepstral means; only
   * its end tells it the means of this caller and line. With them it is decoded once more.
   */
  #first: Int16Array[] | null = [];

  constructor(files: LanguageModelFiles, acousticModel: string) {
    const transform = join(acousticModel, TRANSFORM_FILE);
    const common = { '-hmm': acousticModel, '-mllr': transform, '-dict': files.dictionaryPath };
    this.#modelPaths = files.languageModelPaths;
    this.#words = new Decoder({ ...common, '-lw': LANGUAGE_WEIGHT });
    this.expect(EXPECT_OPEN);
    const phoneModel = join(INSTALLED_MODEL, 'en-us-phone.lm.bin');
    const phones = { ...common, '-allphone': phoneModel, '-allphone_ci': true };
    this.#phones = new Decoder(phones);
  }

  /** Chooses the language model; one that is new to this decoder is loaded. Unknown ones mean "anything". */
  expect(expecting: string): void {
    const name = this.#modelPaths.has(expecting) ? expecting : EXPECT_OPEN;
    const path = this.#modelPaths.get(name);
    if (path === undefined) throw new TrunklineError('SPEECH_UNAVAILABLE', `no language model "${name}"`);
    if (!this.#loaded.has(name)) this.#words.addModel(name, path);
    this.#loaded.add(name);
    this.#words.useModel(name);
  }

  start(): void {
    this.#words.start();
    this.#phones.start();
  }

  process(samples: Int16Array): void {
    this.#words.process(samples);
    this.#phones.process(samples);
    this.#first?.push(samples.slice());
    if (this.#first && this.#first.length > FIRST_PIECES_MAX) this.#first = null;
  }

  end(): Hearing {
    const words = this.#words.end();
    const phones = this.#phones.end();
    const first = this.#first;
    this.#first = null;
    if (first === null) return judged(words, phones);
    const again = replayed(this.#words, first);
    const cold = judged(words, phones);
    if (!cold.rejected) return { ...cold, text: again.text };
    return judged(again, replayed(this.#phones, first));
  }

  free(): void {
    this.#words.free();
    this.#phones.free();
  }
}

/** Compares the words' score with that of a free loop of phones. */
function judged(words: Hypothesis, phones: Hypothesis): Hearing {
  const margin = words.frames === 0 ? 0 : (words.score - phones.score) / words.frames;
  const rejected = words.text !== '' && margin < REJECT_BELOW;
  return { text: rejected ? '' : words.text, margin, rejected };
}

function replayed(decoder: Decoder, pieces: readonly Int16Array[]): Hypothesis {
  decoder.start();
  for (const piece of pieces) decoder.process(piece);
  return decoder.end();
}

interface Ear {
  readonly decoders: DecoderPair;
  readonly codec: Codec;
  readonly filter: NoiseFilter | null;
  speaking: boolean;
  heardMs: number;
}

type Start = Extract<RecogniserRequest, { type: 'start' }>;

const models = new Map<string, { files: LanguageModelFiles; spare: DecoderPair[] }>();
const ears = new Map<number, Ear>();
const narrow = new Int16Array(AUDIO_BYTES_MAX);
const cleaned = new Int16Array(AUDIO_BYTES_MAX + 80);
const wide = new Int16Array(2 * cleaned.length);
let acousticModel = '';

function stock(model: string): void {
  const known = models.get(model);
  while (known && known.spare.length < SPARE_DECODERS)
    known.spare.push(new DecoderPair(known.files, acousticModel));
}

function openEar(request: Start): Ear | null {
  const known = models.get(request.model);
  if (!known || ears.size >= EARS_MAX) return null;
  const decoders = known.spare.pop() ?? new DecoderPair(known.files, acousticModel);
  const filter = request.noiseSuppression === 'rnnoise' ? new NoiseFilter() : null;
  const ear = { decoders, codec: request.codec, filter, speaking: false, heardMs: 0 };
  ears.set(request.earId, ear);
  setImmediate(stock, request.model);
  return ear;
}

function hear(ear: Ear, bytes: Uint8Array): void {
  if (!ear.speaking || ear.heardMs >= UTTERANCE_MS_MAX || bytes.length > AUDIO_BYTES_MAX) return;
  const samples = narrow.subarray(0, bytes.length);
  decode(ear.codec, bytes, samples);
  if (ear.filter === null) recognise(ear, samples);
  else recognise(ear, cleaned.subarray(0, ear.filter.clean(samples, cleaned)));
  ear.heardMs += bytes.length / 8;
}

function recognise(ear: Ear, samples: Int16Array): void {
  const twice = wide.subarray(0, samples.length * 2);
  repeatSamples(samples, twice);
  ear.decoders.process(twice);
}

function endOf(earId: number): Hearing {
  const ear = ears.get(earId);
  if (!ear?.speaking) return { text: '', margin: 0, rejected: false };
  if (ear.filter !== null) recognise(ear, cleaned.subarray(0, ear.filter.flush(cleaned)));
  ear.speaking = false;
  return ear.decoders.end();
}

function prepare(request: Extract<RecogniserRequest, { type: 'prepare' }>): string {
  if (acousticModel === '') acousticModel = telephoneModel(cacheFolder, join(INSTALLED_MODEL, 'en-us'));
  const dictionaryPath = join(INSTALLED_MODEL, 'cmudict-en-us.dict');
  const files = prepareLanguageModel({ profile: request.profile, cacheFolder, dictionaryPath });
  if (!models.has(files.key)) models.set(files.key, { files, spare: [] });
  stock(files.key);
  return files.key;
}

/** What is returned answers `prepare` and `end`; the others are told, not asked. */
function handle(request: RecogniserRequest): unknown {
  switch (request.type) {
    case 'prepare':
      return prepare(request);
    case 'start': {
      const ear = ears.get(request.earId) ?? openEar(request);
      if (!ear) return null;
      if (ear.speaking) ear.decoders.end();
      ear.decoders.expect(request.expecting);
      ear.decoders.start();
      ear.speaking = true;
      ear.heardMs = 0;
      return null;
    }
    case 'expect': {
      const ear = ears.get(request.earId);
      if (ear && !ear.speaking) ear.decoders.expect(request.expecting);
      return null;
    }
    case 'audio': {
      const ear = ears.get(request.earId);
      if (ear) hear(ear, request.bytes);
      return null;
    }
    case 'end':
      return endOf(request.earId);
    case 'close': {
      const ear = ears.get(request.earId);
      ear?.decoders.free();
      ear?.filter?.close();
      ears.delete(request.earId);
      return null;
    }
  }
}

serveSpeech(recogniserRequestSchema, handle);
