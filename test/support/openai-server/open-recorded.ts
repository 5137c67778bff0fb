/** Sessions of the pipeline under test, at servers of this folder. */
import {
  createPipelineModel,
  type PipelineModel,
  type PipelineOptions,
} from '../../../src/agent/models/pipeline/index.ts';
import { piecesOf } from '../../../src/agent/models/pipeline/phrases.ts';
import type { AgentProfile } from '../../../src/agent/profile.ts';
import type { ConnectOptions } from '../../../src/agent/voice-model.ts';
import type { Clock } from '../../../src/base/clock.ts';
import { receptionist, RecordedSession } from '../recorded-session.ts';

export const clerk: AgentProfile = { ...receptionist, model: { ...receptionist.model, adapter: 'pipeline' } };

/** Sentences that a session of the clerk gets ready at its start; each is told as usage. */
export const fixed_pieces = new Set(
  [
    clerk.greeting,
    clerk.trouble,
    ...clerk.not_understood,
    ...clerk.still_there,
    clerk.give_up,
    clerk.goodbye,
  ].flatMap(piecesOf),
).size;

/** Settings for one server of each stage, or for several. */
export function settingsFor(baseUrls: readonly string[], apiKey = 'test-key'): PipelineOptions {
  const each = baseUrls.map((baseUrl) => ({ baseUrl, apiKey, extra: {} }));
  return {
    transcription: {
      servers: each.map((one) => ({ ...one, model: 'ear' })),
      stream: false,
      timeoutMs: 5000,
    },
    chat: {
      servers: each.map((one) => ({ ...one, model: 'mind' })),
      firstTokenTimeoutMs: 5000,
      stallTimeoutMs: 4000,
      historyCharsMax: 40_000,
      toolRoundsMax: 4,
    },
    speech: {
      servers: each.map((one) => ({
        ...one,
        model: 'mouth',
        voice: 'anna',
        format: 'pcm' as const,
        sampleRateHz: 24_000,
      })),
      firstAudioTimeoutMs: 5000,
      stallTimeoutMs: 4000,
    },
    breaker: { failuresMax: 2, avoidMs: 10_000 },
  };
}

export type RecordedPipeline = RecordedSession<PipelineModel>;

export interface OpenRecordedPipelineOptions extends Partial<
  Pick<ConnectOptions, 'profile' | 'codec' | 'history'>
> {
  readonly settings: PipelineOptions;
  readonly clock?: Clock;
  /** One that others have, too, instead of these settings. */
  readonly model?: PipelineModel;
}

/** @throws what `connect` rejects with */
export async function openRecordedPipeline({
  settings,
  clock,
  model = createPipelineModel({ ...settings, ...(clock === undefined ? {} : { clock }) }),
  ...call
}: OpenRecordedPipelineOptions): Promise<RecordedPipeline> {
  return RecordedSession.open(model, { profile: clerk, ...call });
}
