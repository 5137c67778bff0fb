/** What a Realtime server reports of its work, in the shape that is billed. */
import { z } from 'zod';
import { modelUsage, type ModelUsage } from '../../usage.ts';
import type { RateLimit } from '../../voice-model.ts';
import { count, textAndAudio } from '../openai-usage.ts';
import type { ServerEventOf } from './server-events.ts';

const responseUsageSchema = z.object({
  input_token_details: z
    .object({ text_tokens: count, audio_tokens: count, cached_tokens_details: textAndAudio })
    .catch({
      text_tokens: 0,
      audio_tokens: 0,
      cached_tokens_details: { text_tokens: 0, audio_tokens: 0 },
    })
    .prefault({}),
  output_token_details: textAndAudio,
});

/** `usage` of `response.done`. */
export function responseUsage(model: string, given: object): ModelUsage {
  const { input_token_details: read, output_token_details: written } = responseUsageSchema.parse(given);
  return modelUsage({
    model,
    source: 'response',
    inputTextTokens: read.text_tokens,
    inputAudioTokens: read.audio_tokens,
    cachedTextTokens: read.cached_tokens_details.text_tokens,
    cachedAudioTokens: read.cached_tokens_details.audio_tokens,
    outputTextTokens: written.text_tokens,
    outputAudioTokens: written.audio_tokens,
  });
}

/** How near the vendor's limits are. */
export function rateLimitsOf({ rate_limits }: ServerEventOf<'rate_limits.updated'>): RateLimit[] {
  return rate_limits.map(({ reset_seconds, ...limit }) => ({ ...limit, resetMs: reset_seconds * 1000 }));
}
