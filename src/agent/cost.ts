/** What a model's work costs, by the configured price table. */
import type { ModelUsage } from './usage.ts';

/** USD; see config/trunkline.yaml, section `prices`. */
export interface ModelPrice {
  readonly text_in: number;
  readonly text_cached: number;
  readonly text_out: number;
  readonly audio_in: number;
  readonly audio_cached: number;
  readonly audio_out: number;
  readonly per_minute: number;
  readonly per_million_characters: number;
}

export type PriceTable = Readonly<Record<string, ModelPrice>>;

const MILLION = 1_000_000;
const SECONDS_PER_MINUTE = 60;

/**
 * USD of one report of usage: cached tokens are among those read, and have a price of their own. null: the
 * model has no price, so the call's sum is a lower bound.
 */
export function costOf(usage: ModelUsage, prices: PriceTable): number | null {
  const price = prices[usage.model];
  if (price === undefined) return null;
  const freshText = Math.max(0, usage.inputTextTokens - usage.cachedTextTokens);
  const freshAudio = Math.max(0, usage.inputAudioTokens - usage.cachedAudioTokens);
  const perMillion =
    freshText * price.text_in +
    usage.cachedTextTokens * price.text_cached +
    usage.outputTextTokens * price.text_out +
    freshAudio * price.audio_in +
    usage.cachedAudioTokens * price.audio_cached +
    usage.outputAudioTokens * price.audio_out +
    usage.characters * price.per_million_characters;
  return perMillion / MILLION + (usage.seconds / SECONDS_PER_MINUTE) * price.per_minute;
}
