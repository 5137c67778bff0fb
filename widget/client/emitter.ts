/** A typed emitter for the browser: events report what happened, nobody asks a question with one. */
export class Emitter<M extends object> {
  readonly #listeners = new Map<keyof M, Set<(payload: never) => void>>();

  /** Returns what takes the listener away again. */
  on<K extends keyof M>(name: K, listener: (payload: M[K]) => void): () => void {
    const listeners = this.#listeners.get(name) ?? new Set();
    this.#listeners.set(name, listeners.add(listener));
    return () => void listeners.delete(listener);
  }

  emit<K extends keyof M>(name: K, payload: M[K]): void {
    const listeners = this.#listeners.get(name) as Set<(payload: M[K]) => void> | undefined;
    for (const listener of [...(listeners ?? [])]) listener(payload);
  }

  removeAll(): void {
    this.#listeners.clear();
  }
}
