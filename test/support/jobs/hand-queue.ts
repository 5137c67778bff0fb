/**
 * The queues by hand: jobs are kept once per key and run when the test says so, as often as the real queue
 * would, against a real database and the handlers of a configuration. Time stands where the test puts it.
 */
import { Writable } from 'node:stream';
import { createLog } from '../../../src/base/log.ts';
import type { Enqueue } from '../../../src/jobs/enqueue.ts';
import { unwrap, wrap, type Envelope, type NewJob } from '../../../src/jobs/envelope.ts';
import { QUEUES, type QueueName } from '../../../src/jobs/queues.ts';
import { JobLater, JobRefused, type Handler, type Handlers, type WorkTools } from '../../../src/jobs/work.ts';
import type { Store } from '../../../src/store/store.ts';

interface Waiting {
  readonly queue: QueueName;
  readonly envelope: Envelope;
  attempts: number;
  /** Pauses that were asked for, in ms. */
  readonly pauses: number[];
}

export interface Dead {
  readonly queue: QueueName;
  readonly key: string;
  readonly error: unknown;
}

export class HandQueue implements Enqueue {
  readonly tools: WorkTools;
  /** Jobs ever given, by `queue key`. */
  readonly given = new Map<string, Envelope>();
  readonly dead: Dead[] = [];
  /** What handlers wrote to their log. */
  readonly logLines: Record<string, unknown>[] = [];
  readonly waiting: Waiting[] = [];
  /** Called when a job asks for a pause: a test moves its clock on here. */
  onPause: (delayMs: number) => void = () => undefined;
  /** Called before a provider is asked; providers may be asked as fast as it goes unless it throws. */
  onTurn: WorkTools['pace'] = () => Promise.resolve();
  handlers: Handlers = {};

  constructor(store: Store) {
    const pace: WorkTools['pace'] = (turn) => this.onTurn(turn);
    const lines = new Writable({
      write: (chunk: Buffer, _encoding, done) => {
        this.logLines.push(JSON.parse(String(chunk)) as Record<string, unknown>);
        done();
      },
    });
    this.tools = { store, jobs: this, pace, log: createLog({ level: 'info' }, lines) };
  }

  enqueue<Q extends QueueName>(queue: Q, job: NewJob<Q>): Promise<void> {
    const envelope = wrap(queue, job);
    const name = `${queue} ${envelope.tenant} ${envelope.key}`;
    if (this.given.has(name)) return Promise.resolve();
    this.given.set(name, envelope);
    this.waiting.push({ queue, envelope, attempts: 0, pauses: [] });
    return Promise.resolve();
  }

  /** Runs everything that waits, and what that gives, until nothing does. */
  async drain(): Promise<void> {
    for (;;) {
      const job = this.waiting.shift();
      if (job === undefined) return;
      if (this.handlers[job.queue] !== undefined) await this.#finish(job);
    }
  }

  /** Runs one job once more, as after a crash behind its last step. */
  async again(queue: QueueName, key: string): Promise<void> {
    const envelope = [...this.given].find(([name]) => name.startsWith(queue) && name.endsWith(key))?.[1];
    if (envelope === undefined) throw new Error(`no job ${queue} ${key}`);
    await this.#finish({ queue, envelope, attempts: 0, pauses: [] });
  }

  async #finish(job: Waiting): Promise<void> {
    for (;;) {
      job.attempts += 1;
      try {
        await this.#run(job);
        return;
      } catch (error) {
        if (error instanceof JobLater) this.onPause(error.delayMs);
        else if (error instanceof JobRefused || job.attempts >= QUEUES[job.queue].attempts) {
          this.dead.push({ queue: job.queue, key: job.envelope.key, error });
          return;
        }
      }
    }
  }

  #run({ queue, envelope, attempts }: Waiting): Promise<void> {
    const handler = this.handlers[queue] as Handler<QueueName> | undefined;
    if (handler === undefined) throw new Error(`no handler for ${queue}`);
    const signal = AbortSignal.timeout(QUEUES[queue].timeoutMs);
    // Through JSON, as Redis keeps it.
    const opened = unwrap(queue, JSON.parse(JSON.stringify(envelope)));
    return handler({ ...opened, attempt: attempts, signal }, this.tools);
  }
}
