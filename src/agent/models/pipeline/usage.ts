/** What the three stages report of their work, in the shape that is billed. */
import { z } from 'zod';
import { modelUsage, type ModelUsage } from '../../usage.ts';
import { count, transcriptionUsage } from '../openai-usage.ts';
import type { Spoken } from './speech.ts';

const chatUsageSchema = z.object({
  prompt_tokens: count,
  completion_tokens: count,
  prompt_tokens_details: z.object({ cached_tokens: count }).catch({ cached_tokens: 0 }).prefault({}),
});

/** `usage` of the last chunk; all 0 for a server that does not count. */
export function chatUsage(model: string, given: unknown): ModelUsage {
  const parsed = chatUsageSchema.safeParse(given ?? {});
  const used = parsed.success ? parsed.data : chatUsageSchema.parse({});
  return modelUsage({
    model,
    source: 'chat',
    inputTextTokens: used.prompt_tokens,
    cachedTextTokens: Math.min(used.prompt_tokens, used.prompt_tokens_details.cached_tokens),
    outputTextTokens: used.completion_tokens,
  });
}

/** As the server counts, tokens or seconds; by the sound that was sent when it does not. */
export function heardUsage(model: string, given: unknown, seconds: number): ModelUsage {
  if (typeof given !== 'object' || given === null)
    return modelUsage({ model, source: 'transcription', seconds });
  return transcriptionUsage(model, given);
}

/** Speech servers do not count: characters sent, and seconds that came back. */
export function spokenUsage({ model, characters, ms }: Spoken): ModelUsage {
  return modelUsage({ model, source: 'speech', characters, seconds: ms / 1000 });
}
