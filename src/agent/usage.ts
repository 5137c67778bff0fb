/**
 * What a model's work is to be billed by, in one shape for all vendors. Every report is an increment: adding
 * all reports of a call gives the call's usage, model by model.
 */
import { z } from 'zod';

const count = z.number().min(0).default(0);
/** A name of the DNS has at most 253 characters, a port 5. */
const provider_characters_max = 260;

export const modelUsageSchema = z.strictObject({
  /** The model that is paid for, as its vendor calls it: the key of a price table. */
  model: z.string(),
  /**
   * `response`: a model spoke. `transcription`: an utterance was written down. `session`: a session was open
   * for so many `seconds`. `backend`, `chat`: a text model thought. `speech`: `characters` were synthesised.
   */
  source: z.enum(['response', 'transcription', 'session', 'backend', 'chat', 'speech']),
  /** Host and port of the server that did it, such as `api.openai.com`. Its adapter knows it. */
  provider: z.string().max(provider_characters_max).default(''),
  /** Tokens read; the cached ones are among them. */
  inputTextTokens: count,
  inputAudioTokens: count,
  cachedTextTokens: count,
  cachedAudioTokens: count,
  /** Tokens written. */
  outputTextTokens: count,
  outputAudioTokens: count,
  seconds: count,
  characters: count,
});
export type ModelUsage = z.infer<typeof modelUsageSchema>;

/** Everything that is not given is 0. */
export function modelUsage(given: z.input<typeof modelUsageSchema>): ModelUsage {
  return modelUsageSchema.parse(given);
}
