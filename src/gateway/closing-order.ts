/** Who is closed after whom; docs/CLOSING.md says why. */
import type { Log } from '../base/log.ts';

/** Closes parts in the reverse order of their making, each once, whatever the others do. */
export class ClosingOrder {
  readonly #closers: { name: string; close: () => Promise<void> }[] = [];
  readonly #log: Log;
  #closing: Promise<void> | undefined;

  constructor(log: Log) {
    this.#log = log;
  }

  add<T extends { close(): Promise<void> }>(name: string, part: T): T {
    this.#closers.unshift({ name, close: () => part.close() });
    return part;
  }

  close(): Promise<void> {
    this.#closing ??= this.#run();
    return this.#closing;
  }

  async #run(): Promise<void> {
    for (const { name, close } of this.#closers) {
      try {
        await close();
      } catch (error) {
        this.#log.error({ err: error, part: name }, 'a part did not close well');
      }
    }
  }
}
