/** What a Live server reports of its work, in the shape that is billed. */
import { z } from 'zod';
import { modelUsage, type ModelUsage } from '../../usage.ts';
import { count } from '../openai-usage.ts';

/** Seconds are told as a sum so far; what is billed are the increments. */
export class SessionSeconds {
  #told = 0;

  /** undefined: nothing new. */
  upTo(model: string, seconds: number): ModelUsage | undefined {
    const more = seconds - this.#told;
    if (more <= 0) return undefined;
    this.#told = seconds;
    return modelUsage({ model, source: 'session', seconds: more });
  }
}

const backendUsageSchema = z.object({
  input_tokens: count,
  output_tokens: count,
  input_tokens_details: z.object({ cached_tokens: count }).catch({ cached_tokens: 0 }).prefault({}),
});

/** `usage` of a Responses backend's response: text only. */
export function backendUsage(model: string, given: object): ModelUsage {
  const { input_tokens, output_tokens, input_tokens_details } = backendUsageSchema.parse(given);
  return modelUsage({
    model,
    source: 'backend',
    inputTextTokens: input_tokens,
    cachedTextTokens: input_tokens_details.cached_tokens,
    outputTextTokens: output_tokens,
  });
}
