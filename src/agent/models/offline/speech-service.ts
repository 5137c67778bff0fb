/** The inside of a speech process: requests in, answers out, until its parent goes. */
import { setPriority } from 'node:os';
import type { z } from 'zod';
import { messageOf, TrunklineError } from '../../../base/errors.ts';
import { whenParentGoes } from '../../../base/parent.ts';
import type { SpeechAnswer } from './speech-messages.ts';

/**
 * Of Linux's -20 (first) to 19 (last): a word that comes a moment
 * later is a pause, a packet that does is a gap.
 * The media thread that starts this process stands before others, and its child would, too.
 */
const SPEECH_NICENESS = 5;

function answer(message: SpeechAnswer): void {
  // A parent that is gone is noticed by `disconnect`; the failed send itself is no news.
  process.send?.(message, undefined, undefined, () => undefined);
}

function refusal(requestId: number, failure: unknown): SpeechAnswer {
  const known = failure instanceof TrunklineError;
  const code = known ? failure.code : 'SPEECH_UNAVAILABLE';
  return { type: 'refused', requestId, code, detail: known ? failure.detail : messageOf(failure) };
}

/**
 * Says `up`, then hands every request to `handle`. What it
 * returns is the answer to a request with an id, what it
 * throws is told as a refusal; without an id a throw ends the process, and its parent starts another.
 */
export function serveSpeech<Schema extends z.ZodType>(
  schema: Schema,
  handle: (request: z.infer<Schema>) => unknown,
): void {
  setPriority(SPEECH_NICENESS);
  process.on('message', (message) => {
    const request: z.infer<Schema> = schema.parse(message);
    const requestId = idOf(message);
    try {
      const result = handle(request);
      if (requestId !== undefined) answer({ type: 'done', requestId, result });
    } catch (failure) {
      if (requestId === undefined) throw failure;
      answer(refusal(requestId, failure));
    }
  });
  whenParentGoes(() => process.exit(0));
  answer({ type: 'up' });
}

function idOf(message: unknown): number | undefined {
  const named = typeof message === 'object' && message !== null && 'requestId' in message;
  return named && typeof message.requestId === 'number' ? message.requestId : undefined;
}
