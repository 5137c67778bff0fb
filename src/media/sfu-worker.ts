/**
 * One mediasoup worker process and its WebRtcServer, started again when it dies.
 * Back-off doubles from `respawn_first_ms` to `respawn_ms_max`, and is forgotten after `respawn_calm_ms`
 * of life.
 */
import { createWorker, type types } from 'mediasoup';
import type { Clock } from '../base/clock.ts';
import { TrunklineError, messageOf } from '../base/errors.ts';
import { Events } from '../base/events.ts';
import type { Log } from '../base/log.ts';
import { putFirst, type Precedence } from '../base/precedence.ts';
import { ROUTER_CODECS } from './sfu-codecs.ts';
import { SfuRouter, type PortRange } from './sfu-router.ts';

export const respawn_first_ms = 50;
export const respawn_ms_max = 10_000;
export const respawn_calm_ms = 60_000;
/** A worker that does not end by itself within this time is killed. */
const close_patience_ms = 2000;

export interface SfuWorkerOptions {
  readonly name: string;
  /** Path of the mediasoup-worker program; undefined: the one that the package brought. */
  readonly workerBinary: string | undefined;
  readonly listenAddress: string;
  /** What browsers are told instead of `listenAddress`; empty: the same. */
  readonly announcedAddress: string;
  /** One UDP and one TCP port for all browsers of this worker; 0: any free port. */
  readonly webRtcPort: number;
  readonly loopbackPorts: PortRange;
  readonly precedence: Precedence;
  readonly clock: Clock;
  readonly log: Log;
}

/** What is open in a worker, as its own observers tell it. */
export interface SfuCounts {
  routers: number;
  transports: number;
  producers: number;
  consumers: number;
}

interface Running {
  readonly process: types.Worker;
  readonly webRtcServer: types.WebRtcServer;
  readonly sinceMs: number;
}

export class SfuWorker {
  readonly events = new Events<{ up: null }>();
  readonly counts: SfuCounts = { routers: 0, transports: 0, producers: 0, consumers: 0 };
  readonly #options: SfuWorkerOptions;
  #running: Running | undefined;
  #routersOpening = 0;
  #respawnMs = respawn_first_ms;
  #cancelRespawn: (() => void) | undefined;
  #starting: Promise<void> = Promise.resolve();
  #closed = false;

  private constructor(options: SfuWorkerOptions) {
    this.#options = options;
  }

  /** @throws TrunklineError WORKER_BINARY_MISSING when the program does not run or the port is taken */
  static async start(options: SfuWorkerOptions): Promise<SfuWorker> {
    const worker = new SfuWorker(options);
    try {
      await worker.#spawn();
    } catch (error) {
      throw new TrunklineError('WORKER_BINARY_MISSING', messageOf(error), { cause: error });
    }
    return worker;
  }

  /** Process id, or undefined between death and respawn. */
  get pid(): number | undefined {
    return this.up ? this.#running?.process.pid : undefined;
  }

  get up(): boolean {
    return this.#running !== undefined && !this.#running.process.closed;
  }

  /** Routers that are open or about to be. */
  get routers(): number {
    return this.counts.routers + this.#routersOpening;
  }

  async createRouter(): Promise<SfuRouter> {
    const running = this.#running;
    if (running === undefined || !this.up) throw new Error(`${this.#options.name} is not running`);
    this.#routersOpening += 1;
    try {
      const router = await running.process.createRouter({ mediaCodecs: ROUTER_CODECS });
      const { loopbackPorts } = this.#options;
      return new SfuRouter({ router, webRtcServer: running.webRtcServer, loopbackPorts });
    } finally {
      this.#routersOpening -= 1;
    }
  }

  /** Ends the process and waits until it is gone. Idempotent. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#cancelRespawn?.();
    await this.#starting.catch(() => undefined);
    const worker = this.#running?.process;
    this.#running = undefined;
    if (worker !== undefined && !worker.closed) await this.#end(worker);
    this.events.removeAll();
  }

  async #spawn(): Promise<void> {
    const { listenAddress: ip, announcedAddress, webRtcPort: port, log, name, precedence } = this.#options;
    const worker = await launch(this.#options.workerBinary);
    worker.observer.on('newrouter', (router) => countRouter(router, this.counts));
    worker.once('died', (error) => this.#died(error));
    try {
      const where = { ip, port, ...(announcedAddress === '' ? {} : { announcedAddress }) };
      const webRtcServer = await worker.createWebRtcServer({
        listenInfos: [
          { protocol: 'udp', ...where },
          { protocol: 'tcp', ...where },
        ],
      });
      this.#running = { process: worker, webRtcServer, sinceMs: this.#options.clock.nowMs() };
    } catch (error) {
      worker.removeAllListeners('died');
      worker.close();
      throw error;
    }
    const placed = putFirst(precedence, worker.pid);
    log.debug({ worker: name, pid: worker.pid, ...placed }, 'mediasoup worker runs');
  }

  #died(error: Error): void {
    const { clock, log, name } = this.#options;
    const livedMs = clock.nowMs() - (this.#running?.sinceMs ?? clock.nowMs());
    this.#running = undefined;
    log.error({ worker: name, livedMs: Math.round(livedMs), detail: error.message }, 'mediasoup worker died');
    if (livedMs >= respawn_calm_ms) this.#respawnMs = respawn_first_ms;
    this.#respawnLater();
  }

  #respawnLater(): void {
    if (this.#closed) return;
    const delayMs = this.#respawnMs;
    this.#respawnMs = Math.min(respawn_ms_max, delayMs * 2);
    this.#cancelRespawn = this.#options.clock.after(delayMs, () => {
      this.#starting = this.#respawn();
    });
  }

  async #respawn(): Promise<void> {
    const { log, name } = this.#options;
    try {
      await this.#spawn();
    } catch (error) {
      log.error({ worker: name, detail: messageOf(error) }, 'mediasoup worker cannot be started again');
      this.#respawnLater();
      return;
    }
    if (!this.#closed) this.events.emit('up', null);
  }

  async #end(worker: types.Worker): Promise<void> {
    const gone = new Promise<void>((resolve) => worker.once('subprocessclose', resolve));
    const cancel = this.#options.clock.after(close_patience_ms, () => kill(worker.pid));
    worker.close();
    await gone;
    cancel();
  }
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It ended in this very moment.
  }
}

/**
 * mediasoup closes its workers by itself on SIGINT and SIGTERM (Worker.ts, onSignal). Calls must outlive
 * those signals until the gateway has drained, so these listeners are taken back.
 */
async function launch(workerBinary: string | undefined): Promise<types.Worker> {
  const signals = ['SIGINT', 'SIGTERM'] as const;
  const before = signals.map((signal) => new Set(process.listeners(signal)));
  const started = createWorker({
    logLevel: 'warn',
    ...(workerBinary === undefined ? {} : { workerBin: workerBinary }),
  });
  signals.forEach((signal, index) => {
    for (const listener of process.listeners(signal))
      if (before[index]?.has(listener) !== true) process.removeListener(signal, listener);
  });
  return started;
}

/**
 * A request that was under way when its parent closed still makes its object (mediasoup Transport.ts,
 * produce), of whose closing nobody is told: it is gone with its parent, and is not counted.
 */
function countRouter(router: types.Router, counts: SfuCounts): void {
  count(router, counts, 'routers');
  router.observer.on('newtransport', (transport) => {
    if (router.closed) return;
    count(transport, counts, 'transports');
    transport.observer.on('newproducer', (producer) => {
      if (!transport.closed) count(producer, counts, 'producers');
    });
    transport.observer.on('newconsumer', (consumer) => {
      if (!transport.closed) count(consumer, counts, 'consumers');
    });
  });
}

interface Closable {
  readonly observer: { once(event: 'close', listener: () => void): unknown };
}

function count(one: Closable, counts: SfuCounts, kind: keyof SfuCounts): void {
  counts[kind] += 1;
  one.observer.once('close', () => (counts[kind] -= 1));
}
