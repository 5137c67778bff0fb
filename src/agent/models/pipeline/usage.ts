/** What the three stages report of their work, in the shape that is billed. */
import { z } from 'zod';
import { modelUsage, type ModelUsage } from '../../usage.ts';
import { count, transcriptionUsage } from '../openai-usage.ts';
import type { Answer } from './chat.ts';
import type { Spoken } from './speech.ts';
import type { Transcript } from './transcriber.ts';

const chatUsageSchema = z.object({
  prompt_tokens: count,
  completion_tokens: count,
  prompt_tokens_details: z.object({ cached_tokens: count }).catch({ cached_tokens: 0 }).prefault({}),
});

/** An answer, as far as it is billed. */
type Counted = Pick<Answer | Transcript, 'model' | 'server' | 'usage'>;

/** `usage` of the last chunk; all 0 for a server that does not count. */
export function chatUsage({ model, server: provider, usage }: Counted): ModelUsage {
  const parsed = chatUsageSchema.safeParse(usage ?? {});
  const used = parsed.success ? parsed.data : chatUsageSchema.parse({});
  return modelUsage({
    ...{ model, provider },
    source: 'chat',
    inputTextTokens: used.prompt_tokens,
    cachedTextTokens: Math.min(used.prompt_tokens, used.prompt_tokens_details.cached_tokens),
    outputTextTokens: used.completion_tokens,
  });
}

/** As the server counts, tokens or seconds; by the sound that was sent when it does not. */
export function heardUsage({ model, server: provider, usage }: Counted, seconds: number): ModelUsage {
  if (typeof usage !== 'object' || usage === null)
    return modelUsage({ model, provider, source: 'transcription', seconds });
  return { ...transcriptionUsage(model, usage), provider };
}

/** Speech servers do not count: characters sent, and seconds that came back. */
export function spokenUsage({ model, server: provider, characters, ms }: Spoken): ModelUsage {
  return modelUsage({ model, provider, source: 'speech', characters, seconds: ms / 1000 });
}
