/** The figures of a call, added up from its timeline: for its record, and for the CDR. */
import type { TimelineEntry } from './journal.ts';

export interface CallFigures {
  /** Replies that the caller heard something of. */
  readonly replies: number;
  readonly interruptions: number;
  /** End of the caller's speech to the first sound of the answer, in ms; null: no answer was measured. */
  readonly responseP50Ms: number | null;
  readonly responseMaxMs: number | null;
  /** How often a model was lost. */
  readonly modelsLost: number;
  /** What the models cost, in USD, by the price table; a lower bound when some have no price. */
  readonly costUsd: number;
  /** Models without a price that did something. */
  readonly unpriced: readonly string[];
}

export function figuresOf(timeline: readonly TimelineEntry[]): CallFigures {
  const responsesMs: number[] = [];
  const unpriced = new Set<string>();
  let [replies, interruptions, modelsLost, costUsd] = [0, 0, 0, 0];
  for (const entry of timeline) {
    switch (entry.type) {
      case 'said':
        replies += 1;
        if (entry.interrupted) interruptions += 1;
        if (entry.responseMs !== null) responsesMs.push(entry.responseMs);
        break;
      case 'failover':
        if (entry.step === 'lost') modelsLost += 1;
        break;
      case 'usage':
        if (entry.costUsd === null) unpriced.add(entry.model);
        else costUsd += entry.costUsd;
        break;
      default:
        break;
    }
  }
  responsesMs.sort((a, b) => a - b);
  return {
    ...{ replies, interruptions, modelsLost },
    responseP50Ms: responsesMs[(responsesMs.length - 1) >> 1] ?? null,
    responseMaxMs: responsesMs.at(-1) ?? null,
    // A millionth of a dollar is what one text token costs.
    costUsd: Math.round(costUsd * 1e6) / 1e6,
    unpriced: [...unpriced].sort(),
  };
}
