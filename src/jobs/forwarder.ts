/** From the spool to Redis, in order; with Redis away it waits and tries again, and the spool grows. */
import { systemClock, type Clock } from '../base/clock.ts';
import { messageOf } from '../base/errors.ts';
import type { Log } from '../base/log.ts';
import { wrapChecked, type Envelope } from './envelope.ts';
import { isQueueName, type QueueName } from './queues.ts';
import type { CallEntry } from './payloads/transcripts.ts';
import type { SpoolEntry } from './spool/line.ts';
import type { Spool } from './spool/spool.ts';

/** What takes envelopes for good; JobQueues does. */
export interface Taker {
  add(queue: QueueName, envelopes: readonly Envelope[], delayMs?: number): Promise<void>;
}

const pause_first_ms = 50;
const pause_max_ms = 2000;
const batch_entries_max = 200;
/**
 * Between two rounds, unless a whole batch waits: files, commands and jobs cost by the round. The first after
 * a quiet while goes at once.
 */
const gather_ms = 50;

export interface ForwarderOptions {
  readonly spool: Spool;
  readonly taker: Taker;
  readonly log: Log;
  readonly clock?: Clock;
}

export class Forwarder {
  readonly #options: ForwarderOptions;
  readonly #clock: Clock;
  readonly #ended: Promise<void>;
  #closed = false;
  #wake: (() => void) | undefined;
  #isAway = false;

  constructor(options: ForwarderOptions) {
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
    this.#ended = this.#run();
  }

  /** Redis does not take jobs now. */
  get isAway(): boolean {
    return this.#isAway;
  }

  /** Ends after the spool is closed. Idempotent. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#wake?.();
    await this.#ended;
  }

  async #run(): Promise<void> {
    const { spool, log } = this.#options;
    let pauseMs = pause_first_ms;
    while (!this.#closed) {
      try {
        const entries = await spool.next();
        if (entries === undefined) return;
        await this.#give(entries);
        if (this.#isAway) log.info({ waiting: spool.waiting }, 'Redis takes jobs again');
        this.#isAway = false;
        pauseMs = pause_first_ms;
        if (spool.waiting < batch_entries_max) await this.#pause(gather_ms);
      } catch (error) {
        spool.rewind();
        const waiting = spool.waiting;
        if (!this.#isAway)
          log.warn({ detail: messageOf(error), waiting }, 'Redis takes no jobs: they wait here');
        this.#isAway = true;
        await this.#pause(pauseMs);
        pauseMs = Math.min(pause_max_ms, pauseMs * 2);
      }
    }
  }

  async #give(entries: readonly SpoolEntry[]): Promise<void> {
    const { spool, taker, log } = this.#options;
    const last = entries.at(-1);
    if (last === undefined) return;
    // All at once: Redis forces what comes together to its disk together.
    await Promise.all(
      loads(parcels(spool.gateway, entries)).map(async ({ queue, envelopes, delayMs }) => {
        if (isQueueName(queue)) await taker.add(queue, envelopes, delayMs);
        else log.error({ code: 'JOB_PAYLOAD_INVALID', queue }, 'jobs of an unknown queue are dropped');
      }),
    );
    await spool.taken(last.seq);
  }

  async #pause(ms: number): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<undefined>();
    const cancel = this.#clock.after(ms, () => resolve(undefined));
    this.#wake = () => resolve(undefined);
    if (this.#closed) resolve(undefined);
    await promise;
    cancel();
  }
}

interface Parcel {
  readonly queue: string;
  readonly envelope: Envelope;
  readonly delayMs?: number;
}

interface Load {
  readonly queue: string;
  readonly envelopes: Envelope[];
  readonly delayMs: number | undefined;
}

/** Parcels of one queue and one delay, in their order. */
function loads(made: readonly Parcel[]): Load[] {
  const byKind = new Map<string, Load>();
  for (const { queue, envelope, delayMs } of made) {
    const kind = `${queue} ${delayMs ?? 0}`;
    const load = byKind.get(kind) ?? { queue, envelopes: [], delayMs };
    load.envelopes.push(envelope);
    byKind.set(kind, load);
  }
  return [...byKind.values()];
}

/**
 * Words about calls of one tenant go together, in their order; every job goes alone. Queues do not wait for
 * one another: how words and jobs came to stand between each other tells nothing.
 */
export function parcels(gateway: string, entries: readonly SpoolEntry[]): Parcel[] {
  const words = new Map<string, CallEntry[]>();
  const jobs: Parcel[] = [];
  for (const { seq, content } of entries) {
    if (content.type === 'job') {
      const { queue, envelope, delayMs } = content;
      jobs.push({ queue, envelope, ...(delayMs === undefined ? {} : { delayMs }) });
      continue;
    }
    const { tenant, callId, word, traceparent, run = '' } = content;
    const ofTenant = words.get(tenant) ?? [];
    ofTenant.push({ seq, callId, run, word, ...(traceparent === undefined ? {} : { traceparent }) });
    words.set(tenant, ofTenant);
  }
  const batches = [...words].flatMap(([tenant, ofTenant]) =>
    slices(ofTenant, batch_entries_max).map((batch) => batchOf(gateway, tenant, batch)),
  );
  return [...batches, ...jobs];
}

/** `entries`: all of the tenant from the first of them to the last, so that these two name it. */
function batchOf(gateway: string, tenant: string, entries: CallEntry[]): Parcel {
  const key = `${gateway}/${entries[0]?.seq ?? 0}-${entries.at(-1)?.seq ?? 0}`;
  // Of several calls: it goes on from the first that is traced; what follows from a word, from its own.
  const traceparent = entries.find((one) => one.traceparent !== undefined)?.traceparent;
  const data = { type: 'words', gateway, entries } as const;
  const envelope = wrapChecked('transcripts', { tenant, key, traceparent }, data);
  return { queue: 'transcripts', envelope };
}

function slices<T>(list: readonly T[], size: number): T[][] {
  return Array.from({ length: Math.ceil(list.length / size) }, (_, at) =>
    list.slice(at * size, (at + 1) * size),
  );
}
