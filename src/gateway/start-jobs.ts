/**
 * What happens after calls, and beside them: the spool, and the processes that take it from there. Nothing
 * here is waited for at the start: until Redis and the database are there, the spool holds what calls leave
 * behind.
 */
import { join } from 'node:path';
import { KeptProcess, type KeptProcessOptions } from '../base/kept-process.ts';
import type { Log } from '../base/log.ts';
import { packageRoot, type Settings } from '../config.ts';

import { addressesOf } from '../jobs/addresses.ts';
import type { Enqueue } from '../jobs/enqueue.ts';
import { Forwarder } from '../jobs/forwarder.ts';
import { JobQueues } from '../jobs/job-queues.ts';
import { Spool } from '../jobs/spool/spool.ts';
import { SpooledEnqueue } from '../jobs/spooled-enqueue.ts';
import type { Journal } from '../room/journal.ts';
import { embeddedRedis } from '../store/embedded-redis.ts';
import { socketFolder } from '../store/embedded.ts';
import { Store } from '../store/store.ts';
import type { ClosingOrder } from './closing-order.ts';
import { keepCalls } from './keep-calls.ts';
import { KeptRun } from './keep-run.ts';

export interface Jobs {
  readonly enqueue: Enqueue;
  readonly queues: JobQueues;
  /** Connects when it is asked; STORE_UNAVAILABLE while the database is on its way. */
  readonly store: Store;
  readonly spool: Spool;
  /** Whose calls this gateway may have. */
  readonly tenants: readonly string[];
  /** The span of an open call; empty when none is. */
  readonly traceparentOf: (callId: string) => string;
  /** What operators should know: work that waits because something is away. No call is refused for it. */
  warnings(): string[];
  /** Process ids of the children, by name; undefined while one is not running. */
  children(): Record<string, number | undefined>;
}

/** Undefined when `jobs.keep` is false. */
export async function startJobs(parts: {
  settings: Settings;
  journal: Journal;
  log: Log;
  order: ClosingOrder;
  /** The span of an open call: jobs that follow from it go on from there. */
  traceparentOf?: (callId: string) => string;
}): Promise<Jobs | undefined> {
  const { settings, journal, log, order, traceparentOf = () => '' } = parts;
  const { config, dataDir } = settings;
  if (!config.jobs.keep) return undefined;
  const children = await startChildren(settings, log, order);
  const addresses = await addressesOf(settings);
  const store = order.add('database connections', Store.open({ ...addresses.database, log }));
  const queues = order.add('queues', new JobQueues(addresses.redis, log));
  const { spool: limits } = config.jobs;
  const spool = await Spool.open({
    ...{ folder: join(dataDir, 'spool'), fsync: limits.fsync, fsyncIntervalMs: limits.fsync_interval_ms },
    ...{ segmentBytes: limits.segment_bytes, bytesMax: limits.bytes_max, log },
  });
  const { trunks, numbers, web } = config;
  const mine = [...trunks, ...numbers, ...web.widget_keys, ...web.tenant_keys].map((one) => one.tenant);
  const tenants = [...new Set(mine)];
  const run = await KeptRun.begin({ spool, store, folder: join(dataDir, 'spool'), tenants, log });
  const forwarder = new Forwarder({ spool, taker: queues, log });
  order.add('spool', { close: () => spool.close().then(() => forwarder.close()) });
  order.add('run of this gateway', run);
  const stopKeeping = keepCalls({ journal, sink: spool, run: () => run.name, log, traceparentOf });
  order.add('records of calls', {
    close: () => {
      stopKeeping();
      return Promise.resolve();
    },
  });
  return {
    ...{ enqueue: new SpooledEnqueue(spool), queues, store, spool, tenants, traceparentOf },
    warnings: () => [
      ...(forwarder.isAway ? [`Redis takes no jobs: ${spool.waiting} wait in the spool`] : []),
      ...(spool.refused > 0 ? [`the spool was full: ${spool.refused} entries are lost`] : []),
    ],
    children: () => Object.fromEntries([...children].map(([name, child]) => [name, child.pid])),
  };
}

async function startChildren(
  { config, dataDir, environment }: Settings,
  log: Log,
  order: ClosingOrder,
): Promise<Map<string, KeptProcess>> {
  const children = new Map<string, KeptProcess>();
  const keep = (name: string, options: KeptProcessOptions): void => {
    const { patience_ms: patienceMs, niceness } = config.jobs;
    const child = new KeptProcess({ patienceMs: patienceMs + 5000, niceness, ...options });
    child.events.on('ended', (how) =>
      log.error({ child: name, ...how }, 'a process ended, and is started again'),
    );
    children.set(name, order.add(name, child));
  };
  if (config.redis.url === '') {
    const server = await embeddedRedis({ dataDir, ...config.redis });
    keep('redis', { program: server.program, args: server.args, prepare: () => server.prepare() });
  }
  if (config.database.url === '') {
    // Made here, so that clients that are faster than the server find the folder.
    await socketFolder(dataDir);
    const script = join(packageRoot, 'src', 'store', 'pglite-process.ts');
    keep('database', { program: process.execPath, args: [script, dataDir], ipc: true });
  }
  if (config.jobs.worker === 'child') {
    const script = join(packageRoot, 'src', 'worker.ts');
    const args = [script, environment.configFile];
    // Its log is lines of JSON like ours: they go where ours go.
    keep('worker', { program: process.execPath, args, ipc: true, onLine: (line) => relay(log, line) });
  }
  return children;
}

function relay(log: Log, line: string): void {
  try {
    const { level, msg, time: _time, ...rest } = JSON.parse(line) as Record<string, unknown>;
    const at = Number(level);
    const say = at >= 50 ? 'error' : at >= 40 ? 'warn' : at >= 30 ? 'info' : 'debug';
    log[say]({ process: 'worker', ...rest }, typeof msg === 'string' ? msg : '');
  } catch {
    log.info({ process: 'worker' }, line);
  }
}
