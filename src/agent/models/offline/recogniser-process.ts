/**
 * The recogniser's own process: decoders run here, so that neither their work nor a crash in them
 * touches a media thread. Started by recogniser.ts; ends when its parent goes.
 */
import { join } from 'node:path';
import type { Codec } from '../../../media/frame.ts';
import { decode } from '../../../media/g711.ts';
import { Decoders } from './decoders.ts';
import { prepareLanguageModel, telephoneModel } from './language-model.ts';
import { NoiseFilter } from './noise-filter.ts';
import { INSTALLED_MODEL } from './pocketsphinx.ts';
import { recogniserRequestSchema, type Hearing, type RecogniserRequest } from './speech-messages.ts';
import { serveSpeech } from './speech-service.ts';
import { repeatSamples } from './telephone-band.ts';
import { unknownCaller, Utterance, type KnownCaller } from './utterance.ts';

/** Callers at a time. */
const EARS_MAX = 1000;
/** Longest utterance that is listened to; the rest is not heard. */
const UTTERANCE_MS_MAX = 30_000;
/** Longest audio message taken. */
const AUDIO_BYTES_MAX = 80_000;

const cacheFolder = process.argv[2] ?? '';

interface Ear {
  readonly codec: Codec;
  readonly filter: NoiseFilter | null;
  readonly decoders: Decoders;
  caller: KnownCaller;
  /** What the caller is saying; null between utterances. */
  utterance: Utterance | null;
  heardMs: number;
}

type Start = Extract<RecogniserRequest, { type: 'start' }>;

const models = new Map<string, Decoders>();
const ears = new Map<number, Ear>();
const narrow = new Int16Array(AUDIO_BYTES_MAX);
const cleaned = new Int16Array(AUDIO_BYTES_MAX + 80);
const wide = new Int16Array(2 * cleaned.length);
let acousticModel = '';

function openEar(request: Start): Ear | null {
  const decoders = models.get(request.model);
  if (!decoders || ears.size >= EARS_MAX) return null;
  const filter = request.noiseSuppression === 'rnnoise' ? new NoiseFilter() : null;
  const { codec } = request;
  const ear = { codec, filter, decoders, caller: unknownCaller, utterance: null, heardMs: 0 };
  ears.set(request.earId, ear);
  return ear;
}

function start(request: Start): void {
  const ear = ears.get(request.earId) ?? openEar(request);
  if (!ear) return;
  ear.utterance?.drop();
  ear.utterance = Utterance.begin(ear.decoders, ear.caller, request.expecting);
  ear.heardMs = 0;
  setImmediate(() => ear.decoders.stock());
}

function hear(ear: Ear, bytes: Uint8Array): void {
  if (!ear.utterance || ear.heardMs >= UTTERANCE_MS_MAX || bytes.length > AUDIO_BYTES_MAX) return;
  const samples = narrow.subarray(0, bytes.length);
  decode(ear.codec, bytes, samples);
  if (ear.filter === null) recognise(ear, samples);
  else recognise(ear, cleaned.subarray(0, ear.filter.clean(samples, cleaned)));
  ear.heardMs += bytes.length / 8;
}

function recognise(ear: Ear, samples: Int16Array): void {
  const twice = wide.subarray(0, samples.length * 2);
  repeatSamples(samples, twice);
  ear.utterance?.hear(twice);
}

function endOf(earId: number): Hearing {
  const ear = ears.get(earId);
  if (!ear?.utterance) return { text: '', fit: 0, rejected: false };
  if (ear.filter !== null) recognise(ear, cleaned.subarray(0, ear.filter.flush(cleaned)));
  const { hearing, caller } = ear.utterance.end();
  ear.utterance = null;
  ear.caller = caller;
  return hearing;
}

function prepare(request: Extract<RecogniserRequest, { type: 'prepare' }>): string {
  if (acousticModel === '') acousticModel = telephoneModel(cacheFolder, join(INSTALLED_MODEL, 'en-us'));
  const dictionaryPath = join(INSTALLED_MODEL, 'cmudict-en-us.dict');
  const files = prepareLanguageModel({ profile: request.profile, cacheFolder, dictionaryPath });
  const decoders = models.get(files.key) ?? new Decoders(files, acousticModel);
  models.set(files.key, decoders);
  decoders.stock();
  return files.key;
}

/** What is returned answers `prepare` and `end`; the others are told, not asked. */
function handle(request: RecogniserRequest): unknown {
  switch (request.type) {
    case 'prepare':
      return prepare(request);
    case 'start':
      start(request);
      return null;
    case 'audio': {
      const ear = ears.get(request.earId);
      if (ear) hear(ear, request.bytes);
      return null;
    }
    case 'end':
      return endOf(request.earId);
    case 'close': {
      const ear = ears.get(request.earId);
      ear?.utterance?.drop();
      ear?.filter?.close();
      ears.delete(request.earId);
      return null;
    }
  }
}

serveSpeech(recogniserRequestSchema, handle);
