/**
 * What a Realtime session can be told beyond words and voice: once for all in configuration, and differently
 * in a profile. Names are ours; each says which field of `session.update` it becomes.
 */
import { z } from 'zod';

const fields = {
  /**
   * `server`: silence ends a turn (`turns.end_of_speech_ms`). `semantic`: what was said ends it, at the
   * latest after 8, 4 or 2 s of silence by `eagerness` low, medium (auto), high.
   * (audio.input.turn_detection)
   */
  turn_detection: z.enum(['server', 'semantic']),
  eagerness: z.enum(['low', 'medium', 'high', 'auto']),
  /** Of server turn detection: how sure it must be of speech, and the sound kept from before it, in ms. */
  vad_threshold: z.number().min(0).max(1),
  vad_prefix_padding_ms: z.int().min(0).max(2000),
  /** Before turn detection and model hear it. (audio.input.noise_reduction) */
  noise_reduction: z.enum(['off', 'near_field', 'far_field']),
  /** Writes down what callers say; empty: nothing is written down. (audio.input.transcription) */
  transcription_model: z.string(),
  /** Words that the transcription should expect: names, products. */
  transcription_keywords: z.array(z.string().min(1).max(100)).max(100),
  /** Pace of the voice, 1 is its own. (audio.output.speed) */
  speed: z.number().min(0.25).max(1.5),
  /** Length of one reply, tool calls included, in tokens. */
  max_output_tokens: z.union([z.int().min(1).max(4096), z.literal('inf')]),
  /** How long the model thinks before it speaks; `default`: as the model does by itself. */
  reasoning_effort: z.enum(['default', 'minimal', 'low', 'medium', 'high', 'xhigh']),
  /**
   * What happens when the conversation outgrows the model: `auto` drops the oldest as needed, `disabled`
   * fails the response, `retention` cuts to `retention_ratio` at once, so that the cache stays warm longer.
   */
  truncation: z.enum(['auto', 'disabled', 'retention']),
  retention_ratio: z.number().min(0).max(1),
  /** Of `retention`: tokens of conversation after the instructions; 0: as many as the model takes. */
  conversation_tokens_max: z.int().min(0).max(1_000_000),
};

/** In configuration: every setting has a default. */
export const realtimeSettingsSchema = z.strictObject({
  turn_detection: fields.turn_detection.default('server'),
  eagerness: fields.eagerness.default('auto'),
  vad_threshold: fields.vad_threshold.default(0.5),
  vad_prefix_padding_ms: fields.vad_prefix_padding_ms.default(300),
  noise_reduction: fields.noise_reduction.default('off'),
  transcription_model: fields.transcription_model.default('gpt-live-transcribe'),
  transcription_keywords: fields.transcription_keywords.default([]),
  speed: fields.speed.default(1),
  max_output_tokens: fields.max_output_tokens.default('inf'),
  reasoning_effort: fields.reasoning_effort.default('default'),
  truncation: fields.truncation.default('auto'),
  retention_ratio: fields.retention_ratio.default(0.8),
  conversation_tokens_max: fields.conversation_tokens_max.default(0),
});
export type RealtimeSettings = z.infer<typeof realtimeSettingsSchema>;

/** In a profile (`model.realtime`): only what it wants differently. */
export const realtimeOverridesSchema = z.strictObject(fields).partial();
export type RealtimeOverrides = z.infer<typeof realtimeOverridesSchema>;
