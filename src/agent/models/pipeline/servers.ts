/** The servers of one stage, in the operator's order: one after the other is tried until one has answered. */
import type OpenAI from 'openai';
import type { Clock } from '../../../base/clock.ts';
import { Breaker, type BreakerSettings } from './breaker.ts';
import { Cancelled, isAborted, stageError, StageError, type Stage } from './failure.ts';

export interface Server<S> {
  readonly settings: S;
  readonly client: OpenAI;
  /** `host:port`, for the log, for usage and for people. */
  readonly name: string;
  readonly breaker: Breaker;
}

export interface ServersOptions<S> {
  readonly stage: Stage;
  readonly clock: Clock;
  readonly breaker: BreakerSettings;
  readonly servers: readonly { readonly settings: S; readonly client: OpenAI; readonly name: string }[];
  /** A server failed and another may be tried. */
  readonly onFailure?: (failure: StageError) => void;
}

export class Servers<S> {
  readonly stage: Stage;
  readonly #servers: readonly Server<S>[];
  readonly #onFailure: (failure: StageError) => void;

  constructor(options: ServersOptions<S>) {
    this.stage = options.stage;
    this.#onFailure = options.onFailure ?? (() => undefined);
    this.#servers = options.servers.map((server) => ({
      ...server,
      breaker: new Breaker(options.clock, options.breaker),
    }));
  }

  /**
   * The first answer. A single server that failed quickly is asked a second time.
   * @throws StageError of the last server, when all failed; Cancelled when `signal` was aborted
   */
  async use<T>(signal: AbortSignal, attempt: (server: Server<S>) => Promise<T>): Promise<T> {
    const candidates = this.#candidates();
    let last: StageError | null = null;
    // One that is appended meanwhile comes up, too.
    for (const server of candidates) {
      const outcome = await this.#try(server, signal, attempt);
      if ('answer' in outcome) return outcome.answer;
      last = outcome.failure;
      if (candidates.length === 1 && last.quick && last.retryable) candidates.push(server);
    }
    throw last ?? new StageError(this.stage, 'no server is configured', { retryable: false });
  }

  async #try<T>(
    server: Server<S>,
    signal: AbortSignal,
    attempt: (server: Server<S>) => Promise<T>,
  ): Promise<{ answer: T } | { failure: StageError }> {
    if (signal.aborted) throw new Cancelled();
    server.breaker.started();
    try {
      const answer = await attempt(server);
      server.breaker.succeeded();
      return { answer };
    } catch (thrown) {
      if (thrown instanceof Cancelled || isAborted(signal)) {
        server.breaker.cancelled();
        throw new Cancelled();
      }
      const failure = stageError(this.stage, server.name, thrown);
      server.breaker.failed(failure.retryAfterMs);
      this.#onFailure(failure);
      return { failure };
    }
  }

  /** When all are to be avoided, the one whose time is up first: a poor chance is better than none. */
  #candidates(): Server<S>[] {
    const allowed = this.#servers.filter((server) => server.breaker.allows);
    if (allowed.length > 0) return allowed;
    return [...this.#servers].sort((a, b) => a.breaker.allowsAtMs - b.breaker.allowsAtMs).slice(0, 1);
  }
}
