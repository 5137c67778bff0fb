/** Talks an agent through a list of sentences: one each time it has spoken and fallen silent. */
import type { Ended, PhoneCall } from './call.ts';

export interface Sentence {
  readonly text: string;
  readonly samples: Int16Array;
}

export interface ConversationOptions {
  readonly sentences: readonly Sentence[];
  /** Silence after which it is our turn, in ms. */
  readonly turnSilenceMs?: number;
  /** End of patience for the whole conversation, in ms. */
  readonly timeoutMs: number;
  readonly onSpeak?: (sentence: Sentence, repeated: boolean) => void;
}

export interface ConversationResult {
  readonly outcome: 'ended' | 'timeout';
  readonly ended: Ended | undefined;
  /** Sentences spoken, repetitions included. */
  readonly spoken: number;
}

/** Asked again more often than this, nobody would go on. */
const repetitions_max = 4;

/**
 * Resolves when the call is over or the patience is. When the sentences are used up and the agent asks on,
 * the last one is repeated.
 */
export async function converse(call: PhoneCall, options: ConversationOptions): Promise<ConversationResult> {
  const { sentences, turnSilenceMs = 900, timeoutMs, onSpeak } = options;
  const deadline = performance.now() + timeoutMs;
  let spoken = 0;
  for (;;) {
    const leftMs = deadline - performance.now();
    const { outcome } = await call.agentSilenceFor(turnSilenceMs, { timeoutMs: Math.max(1, leftMs) });
    if (outcome === 'ended') return { outcome, ended: await call.ended, spoken };
    const sentence = sentences[Math.min(spoken, sentences.length - 1)];
    const repeated = spoken >= sentences.length;
    const givesUp = spoken - sentences.length >= repetitions_max;
    if (outcome === 'timeout' || sentence === undefined || givesUp)
      return { outcome: 'timeout', ended: undefined, spoken };
    onSpeak?.(sentence, repeated);
    await Promise.race([call.play(sentence.samples), call.ended]);
    spoken += 1;
  }
}
