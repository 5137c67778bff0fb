/** Turns the wires that a room wants into patch and unpatch commands, one after another. */
import { messageOf } from '../base/errors.ts';
import type { Log } from '../base/log.ts';
import { SerialQueue } from '../base/serial-queue.ts';
import type { MediaThreadHandle } from '../media/thread-handle.ts';
import type { Wire } from './hears.ts';

/** As much of a media thread as a room needs: a way to command it. */
export type ThreadCommands = Pick<MediaThreadHandle, 'request'>;

export class Wiring {
  readonly #thread: ThreadCommands;
  readonly #log: Log;
  readonly #queue = new SerialQueue();
  #wanted = new Map<string, Wire>();
  readonly #present = new Map<string, Wire>();

  constructor(thread: ThreadCommands, log: Log) {
    this.#thread = thread;
    this.#log = log;
  }

  /** Wires that exist now, as far as the thread has confirmed. */
  get present(): readonly Wire[] {
    return [...this.#present.values()];
  }

  /**
   * Makes `wires` the wires that exist. Cuts come before new wires; a wire that fails does not keep the
   * others from being made, and is tried again by the next call.
   * @throws what the thread said of the first new wire that could not be made
   */
  set(wires: readonly Wire[]): Promise<void> {
    this.#wanted = new Map(wires.map((wire) => [keyOf(wire), wire]));
    return this.#queue.run(() => this.#reconcile());
  }

  async #reconcile(): Promise<void> {
    for (const [key, wire] of this.#present) {
      if (this.#wanted.has(key)) continue;
      this.#present.delete(key);
      await this.#cut(wire);
    }
    const failures: unknown[] = [];
    for (const [key, wire] of this.#wanted) {
      if (this.#present.has(key)) continue;
      try {
        await this.#thread.request({ type: 'patch', ...wire });
        this.#present.set(key, wire);
      } catch (error) {
        this.#log.warn({ ...wire, detail: messageOf(error) }, 'wire not made');
        failures.push(error);
      }
    }
    if (failures.length > 0) throw failures[0];
  }

  /** Only a dead thread refuses a cut, and with it the wire is gone too. */
  async #cut(wire: Wire): Promise<void> {
    try {
      await this.#thread.request({ type: 'unpatch', ...wire });
    } catch (error) {
      this.#log.debug({ ...wire, detail: messageOf(error) }, 'wire was gone');
    }
  }
}

function keyOf(wire: Wire): string {
  return JSON.stringify([wire.from, wire.to]);
}
