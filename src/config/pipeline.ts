/** The section `pipeline`: servers of the adapter that joins transcription, chat and speech to one voice. */
import { z } from 'zod';
import type { PipelineSettingsInput } from '../agent/models/pipeline/settings.ts';

const baseUrl = z
  .string()
  .regex(/^(https?:\/\/\S+)?$/, 'must begin with http:// or https://, or be empty')
  .default('');

const server = {
  base_url: baseUrl,
  api_key: z.string().default(''),
  extra: z.record(z.string(), z.json()).default({}),
};

const patienceMs = z.int().min(100).max(120_000);

const transcription = z.strictObject({
  servers: z
    .array(z.strictObject({ ...server, model: z.string().min(1).default('gpt-transcribe') }))
    .min(1)
    .prefault([{}]),
  stream: z.boolean().default(false),
  timeout_ms: patienceMs.default(6000),
});

const chat = z.strictObject({
  servers: z
    .array(z.strictObject({ ...server, model: z.string().min(1).default('gpt-5.4-mini') }))
    .min(1)
    .prefault([{}]),
  first_token_timeout_ms: patienceMs.default(6000),
  stall_timeout_ms: patienceMs.default(5000),
  history_chars_max: z.int().min(1000).max(2_000_000).default(48_000),
  tool_rounds_max: z.int().min(1).max(32).default(8),
});

const speech = z.strictObject({
  servers: z
    .array(
      z.strictObject({
        ...server,
        model: z.string().min(1).default('gpt-4o-mini-tts'),
        voice: z.string().min(1).default('marin'),
        format: z.enum(['pcm', 'wav']).default('pcm'),
        sample_rate_hz: z.int().min(8000).max(96_000).default(24_000),
      }),
    )
    .min(1)
    .prefault([{}]),
  first_audio_timeout_ms: patienceMs.default(4000),
  stall_timeout_ms: patienceMs.default(3000),
});

export const pipelineSection = z
  .strictObject({
    transcription: transcription.prefault({}),
    chat: chat.prefault({}),
    speech: speech.prefault({}),
    breaker: z
      .strictObject({
        failures_max: z.int().min(1).max(100).default(2),
        avoid_ms: z.int().min(0).max(300_000).default(15_000),
      })
      .prefault({}),
  })
  .prefault({});
export type PipelineConfig = z.infer<typeof pipelineSection>;

/** What an empty address or key stands for. */
export interface PipelineFallbacks {
  readonly baseUrl: string;
  readonly apiKey: string;
}

/**
 * A server with an address of its own gets only the key that stands beside it: OpenAI's is not for others.
 */
function place(
  { base_url: url, api_key: key }: { base_url: string; api_key: string },
  { baseUrl: defaultUrl, apiKey: defaultKey }: PipelineFallbacks,
): { baseUrl: string; apiKey: string } {
  return url === '' ? { baseUrl: defaultUrl, apiKey: key || defaultKey } : { baseUrl: url, apiKey: key };
}

/** The section as the adapter takes it. */
export function pipelineSettings(
  config: PipelineConfig,
  fallbacks: PipelineFallbacks,
): PipelineSettingsInput {
  const { transcription: heard, chat: thought, speech: said, breaker } = config;
  return {
    transcription: {
      servers: heard.servers.map((one) => ({ ...place(one, fallbacks), model: one.model, extra: one.extra })),
      stream: heard.stream,
      timeoutMs: heard.timeout_ms,
    },
    chat: {
      servers: thought.servers.map((one) => ({
        ...place(one, fallbacks),
        model: one.model,
        extra: one.extra,
      })),
      firstTokenTimeoutMs: thought.first_token_timeout_ms,
      stallTimeoutMs: thought.stall_timeout_ms,
      historyCharsMax: thought.history_chars_max,
      toolRoundsMax: thought.tool_rounds_max,
    },
    speech: {
      servers: said.servers.map(({ model, voice, format, extra, sample_rate_hz: sampleRateHz, ...one }) => ({
        ...place(one, fallbacks),
        ...{ model, voice, format, extra, sampleRateHz },
      })),
      firstAudioTimeoutMs: said.first_audio_timeout_ms,
      stallTimeoutMs: said.stall_timeout_ms,
    },
    breaker: { failuresMax: breaker.failures_max, avoidMs: breaker.avoid_ms },
  };
}
