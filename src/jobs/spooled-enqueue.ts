/** Jobs of the gateway go through its spool: they are safe whether Redis is there or not. */
import type { Enqueue } from './enqueue.ts';
import { wrap, type NewJob } from './envelope.ts';
import type { QueueName } from './queues.ts';
import type { Spool } from './spool/spool.ts';

export class SpooledEnqueue implements Enqueue {
  readonly #spool: Spool;

  constructor(spool: Spool) {
    this.#spool = spool;
  }

  async enqueue<Q extends QueueName>(queue: Q, job: NewJob<Q>): Promise<void> {
    const { delayMs } = job;
    await this.#spool.keep({
      ...{ type: 'job', queue, envelope: wrap(queue, job) },
      ...(delayMs === undefined ? {} : { delayMs }),
    });
  }
}
