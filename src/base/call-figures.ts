/** The figures of a call, added up from its timeline: for its record, and for the CDR. */

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

/** What of a timeline is counted, wherever it is read: in the gateway, or from the store. */
export type CountedFact =
  | { readonly type: 'said'; readonly interrupted: boolean; readonly responseMs: number | null }
  | { readonly type: 'failover'; readonly step: string }
  | { readonly type: 'usage'; readonly model: string; readonly costUsd: number | null };

export function addUp(facts: readonly CountedFact[]): CallFigures {
  const responsesMs: number[] = [];
  const unpriced = new Set<string>();
  let [replies, interruptions, modelsLost, costUsd] = [0, 0, 0, 0];
  for (const fact of facts) {
    switch (fact.type) {
      case 'said':
        replies += 1;
        if (fact.interrupted) interruptions += 1;
        if (fact.responseMs !== null) responsesMs.push(fact.responseMs);
        break;
      case 'failover':
        if (fact.step === 'lost') modelsLost += 1;
        break;
      case 'usage':
        if (fact.costUsd === null) unpriced.add(fact.model);
        else costUsd += fact.costUsd;
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
