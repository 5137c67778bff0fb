/** What does the jobs of a queue: one handler each, in work/. */
import type { Log } from '../base/log.ts';
import type { Store } from '../store/store.ts';
import type { Enqueue } from './enqueue.ts';
import type { Opened } from './envelope.ts';
import type { Pace } from './pace.ts';
import type { QueueName } from './queues.ts';

/** What every handler is given beside its job. */
export interface WorkTools {
  readonly store: Store;
  readonly jobs: Enqueue;
  /** Before a provider is asked: waits for nothing, and puts the job off when it is too soon. */
  readonly pace: Pace;
  readonly log: Log;
}

export interface Work<Q extends QueueName> extends Opened<Q> {
  /** From 1. */
  readonly attempt: number;
  /** Aborted when the job has run for as long as it may, or the process stops at once. */
  readonly signal: AbortSignal;
}

/**
 * Does one job; resolves when everything is committed. It may be run again at any time, also after it was
 * done: every side effect carries the job's key.
 * @throws JobRefused when trying again cannot help, JobLater when it is too early; anything else is tried
 * again
 */
export type Handler<Q extends QueueName> = (work: Work<Q>, tools: WorkTools) => Promise<void>;

export type Handlers = { readonly [Q in QueueName]?: Handler<Q> };

/** Trying again cannot help: the job goes to the dead letters at once. */
export class JobRefused extends Error {
  override readonly name = 'JobRefused';
  readonly code: string;

  constructor(code: string, detail: string) {
    super(detail);
    this.code = code;
  }
}

/** Not now, and no fault of the job: it is run again after `delayMs`, and no try is counted. */
export class JobLater extends Error {
  override readonly name = 'JobLater';
  readonly delayMs: number;

  constructor(delayMs: number, why: string) {
    super(why);
    this.delayMs = delayMs;
  }
}
