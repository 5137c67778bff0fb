/**
 * Runs asynchronous tasks one after another, in the order they were given. A task that fails
 * rejects its own promise only; the next one runs all the same.
 */
export const tasks_waiting_max = 1000;

export class SerialQueue {
  #tail: Promise<unknown> = Promise.resolve();
  #unfinished = 0;

  /** Tasks that wait or run. */
  get size(): number {
    return this.#unfinished;
  }

  /** @throws Error (rejects) when `tasks_waiting_max` tasks wait: whoever feeds the queue is broken. */
  run<T>(task: () => Promise<T>): Promise<T> {
    if (this.#unfinished >= tasks_waiting_max)
      return Promise.reject(new Error(`the queue is full: ${tasks_waiting_max} tasks wait`));
    this.#unfinished += 1;
    const result = this.#tail.then(task);
    this.#tail = result.then(this.#finished, this.#finished);
    return result;
  }

  /** Resolves once everything given so far has run. */
  async idle(): Promise<void> {
    await this.#tail;
  }

  readonly #finished = (): void => {
    this.#unfinished -= 1;
  };
}
