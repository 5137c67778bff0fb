/**
 * What comes while a write is under way goes together into the next one: the more there is to do, the less
 * each costs. One write to a place (a tenant's rows, a queue) at a time, in the order in which they came.
 */
interface Waiting<Entry> {
  readonly entry: Entry;
  readonly done: PromiseWithResolvers<undefined>;
}

export class GatheredWrites<Entry> {
  readonly #entriesMax: number;
  readonly #waiting = new Map<string, Waiting<Entry>[]>();
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
  add(place: string, entry: Entry, write: (entries: readonly Entry[]) => Promise<void>): Promise<void> {
    const done = Promise.withResolvers<undefined>();
    const waiting = this.#waiting.get(place);
    if (waiting !== undefined) waiting.push({ entry, done });
    else {
      this.#waiting.set(place, [{ entry, done }]);
      void this.#run(place, write);
    }
    return done.promise;
  }

  async #run(place: string, write: (entries: readonly Entry[]) => Promise<void>): Promise<void> {
    const waiting = this.#waiting.get(place) ?? [];
    while (waiting.length > 0) {
      const taken = waiting.splice(0, this.#entriesMax);
      const together = await attempt(() => write(taken.map(({ entry }) => entry)));
      if (together === null) for (const { done } of taken) done.resolve(undefined);
      else if (this.#failTogether || taken.length === 1)
        for (const { done } of taken) done.reject(together.error);
      else for (const one of taken) await alone(one, write);
    }
    this.#waiting.delete(place);
  }
}

async function alone<Entry>(
  { entry, done }: Waiting<Entry>,
  write: (entries: readonly Entry[]) => Promise<void>,
): Promise<void> {
  const failure = await attempt(() => write([entry]));
  if (failure === null) done.resolve(undefined);
  else done.reject(failure.error);
}

async function attempt(act: () => Promise<void>): Promise<{ error: unknown } | null> {
  try {
    await act();
    return null;
  } catch (error) {
    return { error };
  }
}
