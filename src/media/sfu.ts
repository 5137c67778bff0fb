/** mediasoup as the gateway sees it: a set of workers that make routers. */
import { setLogEventListeners } from 'mediasoup';
import { systemClock, type Clock } from '../base/clock.ts';
import { TrunklineError } from '../base/errors.ts';
import type { Log } from '../base/log.ts';
import type { Precedence } from '../base/precedence.ts';
import type { PortRange, SfuRouter } from './sfu-router.ts';
import { SfuWorker, type SfuCounts } from './sfu-worker.ts';

/** Above the default range of the phone's RTP ports, so that the two do not meet on 127.0.0.1. */
const LOOPBACK_PORTS: PortRange = { min: 40_000, max: 59_999 };

export interface SfuOptions {
  /** Number of worker processes, one per core; 1 to 64. */
  readonly workers: number;
  /** Path of the mediasoup-worker program; undefined: the one that the package brought. */
  readonly workerBinary: string | undefined;
  readonly listenAddress: string;
  /** What browsers are told instead of `listenAddress`; empty: the same. */
  readonly announcedAddress: string;
  /** First worker's UDP and TCP port for browsers, the next worker has the next; 0: any free ports. */
  readonly webRtcPort: number;
  /** Where the loopback transports of phone legs listen (127.0.0.1, UDP). */
  readonly loopbackPorts?: PortRange;
  /** Where the workers stand on a busy machine; absent: as everything else. */
  readonly precedence?: Precedence;
  readonly log: Log;
  readonly clock?: Clock;
}

export interface SfuCensus extends SfuCounts {
  /** Workers that run now. */
  workers: number;
}

export class Sfu {
  readonly #workers: readonly SfuWorker[];
  readonly #closed = new AbortController();

  private constructor(workers: readonly SfuWorker[]) {
    this.#workers = workers;
  }

  /** @throws TrunklineError WORKER_BINARY_MISSING when a worker does not start; none is left running then */
  static async start(options: SfuOptions): Promise<Sfu> {
    const { log } = options;
    setLogEventListeners({
      onwarn: (source, detail) => log.warn({ source, detail }, 'mediasoup'),
      onerror: (source, detail, error) =>
        log.error({ source, detail, ...(error === undefined ? {} : { error: error.message }) }, 'mediasoup'),
    });
    const starts = Array.from({ length: options.workers }, (_, index) =>
      SfuWorker.start({
        name: `sfu-${index}`,
        workerBinary: options.workerBinary,
        listenAddress: options.listenAddress,
        announcedAddress: options.announcedAddress,
        webRtcPort: options.webRtcPort === 0 ? 0 : options.webRtcPort + index,
        loopbackPorts: options.loopbackPorts ?? LOOPBACK_PORTS,
        precedence: options.precedence ?? 'usual',
        clock: options.clock ?? systemClock,
        log,
      }),
    );
    const outcomes = await Promise.allSettled(starts);
    const running = outcomes.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []));
    const failed = outcomes.find((one) => one.status === 'rejected');
    if (failed === undefined) return new Sfu(running);
    await Promise.all(running.map((worker) => worker.close()));
    throw failed.reason;
  }

  /**
   * A router on the worker with the fewest routers, then the fewest consumers. Waits while no worker runs.
   * @throws TrunklineError SFU_CLOSED, or the signal's reason
   */
  async createRouter(signal?: AbortSignal): Promise<SfuRouter> {
    for (;;) {
      signal?.throwIfAborted();
      if (this.#closed.signal.aborted) throw new TrunklineError('SFU_CLOSED', 'a router was asked for');
      const worker = this.#leastLoaded();
      if (worker === undefined) {
        await this.#anyUp(signal);
        continue;
      }
      try {
        return await worker.createRouter();
      } catch (error) {
        // A worker that died meanwhile is no longer among those to choose from.
        if (worker.up) throw error;
      }
    }
  }

  /** What is open, for operators and for tests that want nothing left. */
  census(): SfuCensus {
    const census: SfuCensus = { workers: 0, routers: 0, transports: 0, producers: 0, consumers: 0 };
    for (const { up, counts } of this.#workers) {
      if (up) census.workers += 1;
      census.routers += counts.routers;
      census.transports += counts.transports;
      census.producers += counts.producers;
      census.consumers += counts.consumers;
    }
    return census;
  }

  /** Process ids of the workers that run now. */
  get pids(): readonly number[] {
    return this.#workers.flatMap(({ pid }) => (pid === undefined ? [] : [pid]));
  }

  /** Ends all workers; resolves when their processes are gone. Idempotent. */
  async close(): Promise<void> {
    this.#closed.abort();
    await Promise.all(this.#workers.map((worker) => worker.close()));
  }

  #leastLoaded(): SfuWorker | undefined {
    let best: SfuWorker | undefined;
    for (const worker of this.#workers)
      if (worker.up && (best === undefined || isLighter(worker, best))) best = worker;
    return best;
  }

  /** Resolves when a worker is up, or one of the two signals fires. */
  async #anyUp(signal: AbortSignal | undefined): Promise<void> {
    const over = AbortSignal.any(
      signal === undefined ? [this.#closed.signal] : [this.#closed.signal, signal],
    );
    const takeBack: (() => void)[] = [];
    await new Promise<void>((resolve) => {
      for (const worker of this.#workers) takeBack.push(worker.events.once('up', () => resolve()));
      const stop = (): void => resolve();
      over.addEventListener('abort', stop, { once: true });
      takeBack.push(() => over.removeEventListener('abort', stop));
    });
    for (const undo of takeBack) undo();
  }
}

function isLighter(one: SfuWorker, other: SfuWorker): boolean {
  if (one.routers !== other.routers) return one.routers < other.routers;
  return one.counts.consumers < other.counts.consumers;
}
