/**
 * What comes while a unit of work is under way goes together into the next one: the more there is to do, the
 * less each costs. One unit of a tenant at a time, in the order in which they came.
 */
interface Waiting<Entry> {
  readonly entry: Entry;
  readonly done: PromiseWithResolvers<undefined>;
}

export class GatheredWrites<Entry> {
  readonly #entriesMax: number;
  readonly #byTenant = new Map<string, Waiting<Entry>[]>();

  constructor(options: { readonly entriesMax: number }) {
    this.#entriesMax = options.entriesMax;
  }

  /**
   * Resolves when the unit that holds the entry is done. A unit that fails is done again entry by entry: none
   * fails for the sake of another.
   */
  add(tenant: string, entry: Entry, write: (entries: readonly Entry[]) => Promise<void>): Promise<void> {
    const done = Promise.withResolvers<undefined>();
    const waiting = this.#byTenant.get(tenant);
    if (waiting !== undefined) waiting.push({ entry, done });
    else {
      this.#byTenant.set(tenant, [{ entry, done }]);
      void this.#run(tenant, write);
    }
    return done.promise;
  }

  async #run(tenant: string, write: (entries: readonly Entry[]) => Promise<void>): Promise<void> {
    const waiting = this.#byTenant.get(tenant) ?? [];
    while (waiting.length > 0) {
      const taken = waiting.splice(0, this.#entriesMax);
      const together = await attempt(() => write(taken.map(({ entry }) => entry)));
      if (together === null) for (const { done } of taken) done.resolve(undefined);
      else if (taken.length === 1) taken[0]?.done.reject(together.error);
      else for (const one of taken) await alone(one, write);
    }
    this.#byTenant.delete(tenant);
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
