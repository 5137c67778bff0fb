/** One request's patience: it is aborted when nothing came in time, or when its owner wants it no more. */
import type { Clock } from '../../../base/clock.ts';
import { Cancelled, StageError, type Stage } from './failure.ts';

export class Patience {
  readonly #clock: Clock;
  readonly #owner: AbortSignal;
  readonly #abort = new AbortController();
  readonly #onOwner = (): void => this.#abort.abort();
  #cancelTimer: () => void = () => undefined;
  #expired: string | null = null;

  constructor(clock: Clock, owner: AbortSignal) {
    this.#clock = clock;
    this.#owner = owner;
    if (owner.aborted) this.#abort.abort();
    else owner.addEventListener('abort', this.#onOwner, { once: true });
  }

  /** For the request. */
  get signal(): AbortSignal {
    return this.#abort.signal;
  }

  /** Waits for `what` from now on, in place of what it waited for before. */
  expect(what: string, withinMs: number): void {
    this.#cancelTimer();
    this.#cancelTimer = this.#clock.after(withinMs, () => {
      this.#expired = `${what} did not come within ${withinMs} ms`;
      this.#abort.abort();
    });
  }

  /** What the request threw, or, where patience was the reason, that. @throws always */
  rethrow(stage: Stage, where: string, thrown: unknown): never {
    if (this.#owner.aborted) throw new Cancelled();
    if (this.#expired !== null)
      throw new StageError(stage, `${where}: ${this.#expired}`, { retryable: true }, { cause: thrown });
    throw thrown;
  }

  /** Always to be called: it lets the owner go. */
  done(): void {
    this.#cancelTimer();
    this.#owner.removeEventListener('abort', this.#onOwner);
  }
}
