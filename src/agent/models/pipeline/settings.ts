/**
 * What the pipeline is told: the servers of each stage, and how patient to be. Checked where it is parsed.
 */
import { z } from 'zod';

/**
 * Further fields of a request's body, as a server wants them: `reasoning_effort`, `chat_template_kwargs` …
 */
const extra = z.record(z.string(), z.json()).default({});

const server = {
  /** `https://host/v1`; what comes after it is ours. */
  baseUrl: z.string().min(1),
  /** Empty: no Authorization header. */
  apiKey: z.string(),
  model: z.string().min(1),
  extra,
};

export const pipelineSettingsSchema = z.strictObject({
  transcription: z.strictObject({
    servers: z.array(z.strictObject(server)).min(1),
    /** Ask for the words as they are found. */
    stream: z.boolean(),
    timeoutMs: z.int().min(100),
  }),
  chat: z.strictObject({
    servers: z.array(z.strictObject(server)).min(1),
    firstTokenTimeoutMs: z.int().min(100),
    stallTimeoutMs: z.int().min(100),
    historyCharsMax: z.int().min(1000),
    toolRoundsMax: z.int().min(1),
  }),
  speech: z.strictObject({
    servers: z
      .array(
        z.strictObject({
          ...server,
          voice: z.string().min(1),
          format: z.enum(['pcm', 'wav']),
          /** Of `pcm`; a WAV file says it itself. */
          sampleRateHz: z.int().min(8000).max(96_000),
        }),
      )
      .min(1),
    firstAudioTimeoutMs: z.int().min(100),
    stallTimeoutMs: z.int().min(100),
  }),
  breaker: z.strictObject({ failuresMax: z.int().min(1), avoidMs: z.int().min(0) }),
});
export type PipelineSettings = z.infer<typeof pipelineSettingsSchema>;
/** As written in configuration; defaults are filled in by the schema. */
export type PipelineSettingsInput = z.input<typeof pipelineSettingsSchema>;
export type ChatServer = PipelineSettings['chat']['servers'][number];
export type TranscriptionServer = PipelineSettings['transcription']['servers'][number];
export type SpeechServer = PipelineSettings['speech']['servers'][number];
