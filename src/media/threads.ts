import { systemClock } from '../base/clock.ts';
import type { Clock } from '../base/clock.ts';
import { TrunklineError } from '../base/errors.ts';
import { Events } from '../base/events.ts';
import type { Census } from './control.ts';
import type { Precedence } from '../base/precedence.ts';
import { MediaThreadHandle } from './thread-handle.ts';

export { MediaThreadHandle };

/** A healthy thread answers in a millisecond; a voice's start takes longer. */
const COMMAND_TIMEOUT_MS = 5000;
/** A thread that dies is replaced after a while; one that dies at once again must not spin. */
const RESTART_DELAY_MS = 1000;

export interface MediaThreadsOptions {
  /** Threads, about one per core. */
  readonly count: number;
  /** Local address of the RTP sockets. */
  readonly rtpAddress: string;
  /** Inclusive; shared out among the threads. */
  readonly rtpPortMin: number;
  readonly rtpPortMax: number;
  readonly quarantineMs: number;
  /** Where sound stands on a busy machine; absent: as everything else. */
  readonly precedence?: Precedence;
  readonly logLevel: string;
  /** Handed to the agent's code in each thread; must survive a structured clone. */
  readonly agent: unknown;
  /** The worker's file; tests bring their own. */
  readonly entry?: URL;
  readonly commandTimeoutMs?: number;
  readonly clock?: Clock;
}

export interface MediaThreadsEvents {
  /** A thread ended: the calls on `thread` have no sound. A new thread takes its place. */
  died: { thread: MediaThreadHandle; reason: string };
  /** What the voices of a thread have to tell of what they share; the reader parses it. */
  voices: { thread: string; event: unknown };
  /** A contained failure, for the log. */
  error: { thread: string; where: string; detail: string };
}

/** The media threads of this process. */
export class MediaThreads {
  readonly events = new Events<MediaThreadsEvents>();
  readonly #options: MediaThreadsOptions;
  readonly #clock: Clock;
  readonly #places: (MediaThreadHandle | null)[];
  readonly #restarts = new Set<() => void>();
  readonly #starting = new Set<Promise<void>>();
  /** Failures of threads that are gone. */
  #errorsBefore = 0;
  #closing: Promise<void> | null = null;

  private constructor(options: MediaThreadsOptions) {
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
    this.#places = new Array<MediaThreadHandle | null>(options.count).fill(null);
  }

  /** Rejects with MEDIA_THREAD_DIED when a thread does not come up; then none is left running. */
  static async start(options: MediaThreadsOptions): Promise<MediaThreads> {
    const threads = new MediaThreads(options);
    const started = await Promise.allSettled(threads.#places.map((_, place) => threads.#startOne(place)));
    const failed = started.find((outcome) => outcome.status === 'rejected');
    if (failed !== undefined) {
      await threads.close();
      throw failed.reason;
    }
    return threads;
  }

  /** Threads that take calls. */
  get handles(): readonly MediaThreadHandle[] {
    return this.#places.filter((handle) => handle !== null).filter((handle) => handle.alive);
  }

  /** Failures that threads reported since the start. */
  get errors(): number {
    return this.handles.reduce((sum, handle) => sum + handle.errors, this.#errorsBefore);
  }

  /** The thread with the fewest legs. Throws MEDIA_THREAD_DIED when none is alive. */
  leastLoaded(): MediaThreadHandle {
    const [first, ...others] = this.handles;
    if (first === undefined) throw new TrunklineError('MEDIA_THREAD_DIED', 'no media thread is alive');
    return others.reduce((least, handle) => (handle.load < least.load ? handle : least), first);
  }

  /** What is open, thread by thread. */
  census(): Promise<{ name: string; census: Census }[]> {
    return Promise.all(
      this.handles.map(async (handle) => ({
        name: handle.name,
        census: await handle.request({ type: 'census' }),
      })),
    );
  }

  /** What the voices of each thread have counted; the reader parses it. */
  figures(): Promise<{ name: string; figures: unknown }[]> {
    return Promise.all(
      this.handles.map(async (handle) => ({
        name: handle.name,
        figures: await handle.request({ type: 'voices.figures' }),
      })),
    );
  }

  /** Nothing is got ready for calls any more; calls go on. Never rejects. */
  async drain(): Promise<void> {
    await Promise.allSettled(this.handles.map((handle) => handle.request({ type: 'voices.drain' })));
  }

  /** Ends every thread. Idempotent. */
  close(): Promise<void> {
    this.#closing ??= this.#end();
    return this.#closing;
  }

  async #end(): Promise<void> {
    for (const cancel of this.#restarts) cancel();
    this.#restarts.clear();
    await Promise.all(this.#starting);
    await Promise.all(this.#places.map((handle) => handle?.close() ?? Promise.resolve()));
    this.#places.fill(null);
  }

  async #startOne(place: number): Promise<void> {
    const { count: threads, rtpAddress, quarantineMs, precedence = 'usual', logLevel, agent } = this.#options;
    const ports = this.#portsOf(place);
    const handle = await MediaThreadHandle.start({
      thread: {
        ...{ name: `media-${place}`, place, threads, rtpAddress, ...ports, quarantineMs, precedence },
        ...{ logLevel, agent },
      },
      entry: this.#options.entry ?? new URL('../media-thread.ts', import.meta.url),
      commandTimeoutMs: this.#options.commandTimeoutMs ?? COMMAND_TIMEOUT_MS,
      clock: this.#clock,
    });
    this.#places[place] = handle;
    handle.events.on('voices', ({ event }) => this.events.emit('voices', { thread: handle.name, event }));
    handle.events.on('error', (error) => this.events.emit('error', { thread: handle.name, ...error }));
    handle.events.on('died', ({ reason }) => {
      this.#places[place] = null;
      this.#errorsBefore += handle.errors;
      this.#restartLater(place);
      this.events.emit('died', { thread: handle, reason });
    });
  }

  #restartLater(place: number): void {
    if (this.#closing !== null) return;
    const cancel = this.#clock.after(RESTART_DELAY_MS, () => {
      this.#restarts.delete(cancel);
      const starting = this.#startOne(place).catch((error: unknown) => {
        this.events.emit('error', { thread: `media-${place}`, where: 'restart', detail: String(error) });
        this.#restartLater(place);
      });
      this.#starting.add(starting);
      void starting.finally(() => this.#starting.delete(starting));
    });
    this.#restarts.add(cancel);
  }

  /** Each thread has a range of its own, of whole pairs. */
  #portsOf(place: number): { rtpPortMin: number; rtpPortMax: number } {
    const { rtpPortMin, rtpPortMax, count } = this.#options;
    const first = rtpPortMin + (rtpPortMin % 2);
    const pairs = Math.floor((rtpPortMax - first + 1) / 2);
    const from = Math.floor((pairs * place) / count);
    const to = Math.floor((pairs * (place + 1)) / count);
    return { rtpPortMin: first + from * 2, rtpPortMax: first + to * 2 - 1 };
  }
}
