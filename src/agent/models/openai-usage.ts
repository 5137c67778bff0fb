/** What several of OpenAI's protocols report alike of their work. */
import { z } from 'zod';
import { modelUsage, type ModelUsage } from '../usage.ts';

/** A vendor may add fields, or leave some out; a count that is none is worth nothing. */
export const count = z.number().min(0).catch(0).default(0);

/** Tokens by kind. */
export const textAndAudio = z
  .object({ text_tokens: count, audio_tokens: count })
  .catch({ text_tokens: 0, audio_tokens: 0 })
  .prefault({});

const transcriptionUsageSchema = z.object({
  seconds: count,
  output_tokens: count,
  input_token_details: textAndAudio,
});

/** `usage` of a finished transcript: seconds of sound, or tokens. */
export function transcriptionUsage(model: string, given: object): ModelUsage {
  const { seconds, output_tokens, input_token_details: read } = transcriptionUsageSchema.parse(given);
  return modelUsage({
    model,
    source: 'transcription',
    seconds,
    inputTextTokens: read.text_tokens,
    inputAudioTokens: read.audio_tokens,
    outputTextTokens: output_tokens,
  });
}
