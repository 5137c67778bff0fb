/** What a media thread needs of the AI door: opens voices, and owns the models that they share. */
import { mkdirSync } from 'node:fs';
import { z } from 'zod';
import { systemClock } from '../base/clock.ts';
import { TrunklineError } from '../base/errors.ts';
import type { Voices, VoicesHost } from '../media/voice-port.ts';
import { createLiveModel } from './models/live/index.ts';
import { liveSettingsSchema } from './models/live/settings.ts';
import { createOfflineModel } from './models/offline/index.ts';
import { createPipelineModel } from './models/pipeline/index.ts';
import { pipelineSettingsSchema } from './models/pipeline/settings.ts';
import { Synthesiser } from './models/offline/synthesiser.ts';
import { createRealtimeModel } from './models/realtime/index.ts';
import { realtimeSettingsSchema } from './models/realtime/settings.ts';
import type { Models } from './model-line.ts';
import { Phrases } from './phrases.ts';
import { agentProfileSchema, type AgentProfile } from './profile.ts';
import { SpareSessions } from './spare-sessions.ts';
import { spareLimitsSchema, type SpareEvent } from './spares.ts';
import { Voice } from './voice.ts';
import { toolDeclarationsSchema, voiceSpecSchema } from './voice-control.ts';
import type { VoiceModel, WarmSession } from './voice-model.ts';

/** What both of OpenAI's protocols need. */
const openaiOptions = {
  baseUrl: z.string(),
  apiKey: z.string(),
  model: z.string(),
  voice: z.string(),
  connectTimeoutMs: z.int().min(100),
  appendMs: z.int().min(20).max(60),
  tools: toolDeclarationsSchema,
};

/** `threadOptions.agent`: how a media thread's voices find their models. */
export const agentOptionsSchema = z.strictObject({
  offline: z.strictObject({
    /** Keeps language models between runs; made when missing. */
    cacheFolder: z.string().min(1),
    /** Profiles that are got ready at the start, so that their first call does not wait. */
    warm: z.array(agentProfileSchema).default([]),
  }),
  /** Absent: no profile gets spare sessions, whatever it says. */
  spares: spareLimitsSchema.optional(),
  /** Callers' messages are written here; made when missing. Absent: no message can be left. */
  voicemailFolder: z.string().min(1).optional(),
  /** Absent: profiles with the adapter `realtime` are refused. */
  realtime: z.strictObject({ ...openaiOptions, settings: realtimeSettingsSchema.prefault({}) }).optional(),
  /** Absent: profiles with the adapter `live` are refused. */
  live: z.strictObject({ ...openaiOptions, settings: liveSettingsSchema.prefault({}) }).optional(),
  /** Absent: profiles with the adapter `pipeline` are refused. */
  pipeline: pipelineSettingsSchema.extend({ tools: toolDeclarationsSchema }).optional(),
});
/** As written in configuration; defaults are filled in by the schema. */
export type AgentOptions = z.input<typeof agentOptionsSchema>;
type ParsedOptions = z.infer<typeof agentOptionsSchema>;

/** What spare sessions need of the thread. */
interface SpareHost {
  readonly place: number;
  readonly threads: number;
  readonly now: () => Date;
  readonly report: (event: SpareEvent) => void;
}

/** One model per adapter, made when the first profile asks for it. */
class OwnModels implements Models {
  readonly #options: ParsedOptions;
  readonly #models = new Map<string, VoiceModel>();
  readonly spares: SpareSessions;
  readonly phrases = new Phrases({ speaker: () => (this.#synthesiser ??= new Synthesiser()) });
  #synthesiser: Synthesiser | undefined;

  constructor(options: ParsedOptions, host: SpareHost) {
    this.#options = options;
    const { warm } = options.offline;
    const { spares: limits } = options;
    this.spares = new SpareSessions({
      profiles: limits === undefined ? [] : warm,
      limits: limits ?? { ageMaxMs: 1000, opensPerHourMax: 0 },
      share: host,
      model: (adapter) => this.get(adapter),
      clock: systemClock,
      now: host.now,
      report: (event) => host.report(event),
    });
    if (warm.some((profile) => profile.model.adapter === 'offline')) this.get('offline');
    // A voice on this machine says its own fillers soon enough.
    for (const profile of warm.filter((one) => one.model.adapter !== 'offline'))
      for (const codec of ['pcmu', 'pcma'] as const) this.phrases.prepare(profile, codec);
  }

  get(adapter: string): VoiceModel {
    const known = this.#models.get(adapter);
    if (known) return known;
    const model = this.#create(adapter);
    this.#models.set(adapter, model);
    return model;
  }

  spare(profile: AgentProfile): WarmSession | null {
    return this.spares.take(profile);
  }

  #create(adapter: string): VoiceModel {
    switch (adapter) {
      case 'offline': {
        const { cacheFolder, warm } = this.#options.offline;
        return createOfflineModel({
          cacheFolder,
          warm: warm.filter((profile) => profile.model.adapter === 'offline'),
          synthesiser: (this.#synthesiser ??= new Synthesiser()),
        });
      }
      case 'realtime':
        return createRealtimeModel(configured('realtime', this.#options.realtime));
      case 'live':
        return createLiveModel(configured('live', this.#options.live));
      case 'pipeline':
        return createPipelineModel(configured('pipeline', this.#options.pipeline));
      default:
        throw new TrunklineError('MODEL_UNAVAILABLE', `no adapter "${adapter}"`);
    }
  }

  async close(): Promise<void> {
    this.spares.close();
    await Promise.all([...this.#models.values()].map((model) => model.close()));
    await this.#synthesiser?.close();
  }
}

/**
 * Runs inside a media thread. `agentOptions` is parsed by `agentOptionsSchema`; a bad one throws ZodError.
 * `openVoice` throws ZodError for a spec that is none, MODEL_UNAVAILABLE for an adapter that is not set up;
 * a model that cannot be reached is reported by the voice as `failed`.
 */
export function createOpenVoice(
  agentOptions: unknown,
  options: Partial<VoicesHost> & { now?: () => Date; models?: Models } = {},
): Required<Voices> {
  const parsed = agentOptionsSchema.parse(agentOptions);
  const { voicemailFolder = null } = parsed;
  if (voicemailFolder !== null) mkdirSync(voicemailFolder, { recursive: true, mode: 0o700 });
  const { now = () => new Date(), place = 0, threads = 1, report = () => undefined } = options;
  const own = new OwnModels(parsed, { place, threads, now, report });
  const models = options.models ?? own;
  return {
    openVoice: (given, host) => {
      const spec = voiceSpecSchema.parse(given);
      return new Voice({ spec, host, models, phrases: own.phrases, voicemailFolder, now });
    },
    figures: () => own.spares.figures,
    drain: () => own.spares.close(),
    close: () => own.close(),
  };
}

function configured<O>(adapter: string, options: O | undefined): O {
  if (options === undefined)
    throw new TrunklineError('MODEL_UNAVAILABLE', `no ${adapter} server is configured`);
  return options;
}
