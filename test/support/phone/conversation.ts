/** Talks with an agent: a sentence of the script each time it has spoken and fallen silent. */
import type { Ended, PhoneCall } from './call.ts';
import type { Script } from './scripts.ts';

export interface ConversationOptions {
  readonly script: Script;
  /** What the agent said since it was asked last: the phone's own hearing, or the gateway's word. */
  readonly agentSaid: () => string;
  readonly speak: (text: string) => Promise<Int16Array>;
  /** Silence after which it is our turn, in ms. */
  readonly turnSilenceMs?: number;
  /** End of patience for the whole conversation, in ms. */
  readonly timeoutMs: number;
  readonly onSpeak?: (text: string) => void;
}

export interface ConversationResult {
  readonly outcome: 'ended' | 'timeout';
  readonly ended: Ended | undefined;
  /** Sentences spoken, repetitions included. */
  readonly spoken: number;
}

/** Longer conversations lead nowhere. */
const sentences_max = 30;

/** Resolves when the call is over or the patience is. */
export async function converse(call: PhoneCall, options: ConversationOptions): Promise<ConversationResult> {
  const { script, agentSaid, speak, turnSilenceMs = 900, timeoutMs, onSpeak } = options;
  const deadline = performance.now() + timeoutMs;
  for (let spoken = 0; ; spoken += 1) {
    const leftMs = Math.max(1, deadline - performance.now());
    const { outcome } = await call.agentSilenceFor(turnSilenceMs, { timeoutMs: leftMs });
    if (outcome === 'ended') return { outcome, ended: await call.ended, spoken };
    if (outcome === 'timeout' || spoken === sentences_max)
      return { outcome: 'timeout', ended: undefined, spoken };
    const text = script.answer(agentSaid());
    if (text === '') {
      call.ear.listenAnew();
      continue;
    }
    const samples = await speak(text);
    if (call.over) continue;
    onSpeak?.(text);
    await Promise.race([call.play(samples), call.ended]);
  }
}
