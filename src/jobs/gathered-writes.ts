/**
 * What comes while a write is under way goes together into the next one: the more there is to do, the less
 * each costs. One write to a place (a tenant's rows, a queue) at a time, in the order in which they came.
 */
interface Waiting<Entry, Result> {
  readonly entry: Entry;
  readonly done: PromiseWithResolvers<Result>;
}

/** What became of each entry, in their order; writes without results may resolve to anything. */
type Write<Entry, Result> = (
  entries: readonly Entry[],
) => Promise<[Result] extends [undefined] ? unknown : readonly Result[]>;

export class GatheredWrites<Entry, Result = undefined> {
  readonly #entriesMax: number;
  readonly #waiting = new Map<string, Waiting<Entry, Result>[]>();
  readonly #failTogether: boolean;

  /**
   * `failTogether`: what makes a write fail has nothing to do with its entries. Otherwise it is done again
   * entry by entry, and none fails for the sake of another.
   */
  constructor(options: { readonly entriesMax: number; readonly failTogether?: boolean }) {
    this.#entriesMax = options.entriesMax;
    this.#failTogether = options.failTogether ?? false;
  }

  /** Resolves when the write that holds the entry is done. */
  add(place: string, entry: Entry, write: Write<Entry, Result>): Promise<Result> {
    const done = Promise.withResolvers<Result>();
    const waiting = this.#waiting.get(place);
    if (waiting !== undefined) waiting.push({ entry, done });
    else {
      this.#waiting.set(place, [{ entry, done }]);
      void this.#run(place, write);
    }
    return done.promise;
  }

  async #run(place: string, write: Write<Entry, Result>): Promise<void> {
    const waiting = this.#waiting.get(place) ?? [];
    while (waiting.length > 0) {
      const taken = waiting.splice(0, this.#entriesMax);
      const failure = await together(taken, write);
      if (failure === null) continue;
      if (this.#failTogether || taken.length === 1) for (const { done } of taken) done.reject(failure.error);
      else
        for (const one of taken) {
          const own = await together([one], write);
          if (own !== null) one.done.reject(own.error);
        }
    }
    this.#waiting.delete(place);
  }
}

/** Writes and tells each what became of it; or tells nobody and returns why it failed. */
async function together<Entry, Result>(
  taken: readonly Waiting<Entry, Result>[],
  write: Write<Entry, Result>,
): Promise<{ error: unknown } | null> {
  try {
    const results: unknown = await write(taken.map(({ entry }) => entry));
    const each = Array.isArray(results) ? (results as readonly Result[]) : [];
    for (const [at, { done }] of taken.entries()) done.resolve(each[at] as Result);
    return null;
  } catch (error) {
    return { error };
  }
}
