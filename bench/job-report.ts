/** Section `jobs` as people read it. */
import type { Spread } from './percentiles.ts';
import type { JobTimes } from './queue-watch.ts';
import { figure, table } from './report.ts';

/** CPU as a share of one core, in percent. */
export interface JobCpu {
  readonly gateway: number;
  readonly worker: number;
  readonly redis: number;
  readonly database: number;
  readonly mediasoup: number;
  readonly model: number;
  readonly callers: number;
  /** The receiver of webhooks, which is the bench itself. */
  readonly receiver: number;
  readonly others: number;
}

export interface Phase {
  readonly name: string;
  readonly cpu: JobCpu;
  readonly jitterMs: Spread;
  readonly delayMs: Spread;
  readonly ownLateMs: Spread;
  /** How late the media threads' pacers ran, of the latest thread. */
  readonly pacingLate: { readonly p50Ms: number; readonly p99Ms: number };
  readonly packetsMissing: number;
  readonly packetsReceived: number;
  readonly packetsExpected: number;
  readonly probesLost: number;
}

export interface LoadResult {
  readonly askedPerSecond: number;
  readonly donePerSecond: number;
  /** Jobs that waited when the load ended, and how long they took then. */
  readonly waiting: number;
  readonly drainedMs: number | null;
}

export interface JobBench {
  readonly database: string;
  readonly calls: number;
  /** Calls alone, with jobs, alone again, and so on. */
  readonly phases: readonly Phase[];
  /** One of each phase with jobs. */
  readonly loads: readonly LoadResult[];
  readonly failed: readonly string[];
  readonly times: readonly JobTimes[];
}

export function jobReport(results: readonly JobBench[]): string {
  return [...results.flatMap(partsOf), '### How it is measured', METHOD].join('\n\n');
}

function partsOf(result: JobBench): string[] {
  const { database, calls, failed } = result;
  return [
    `### On ${database}: the sound of ${calls} calls`,
    soundTable(result.phases),
    `### On ${database}: jobs`,
    jobsTable(result.loads),
    timesTable(result.times),
    `### On ${database}: CPU`,
    cpuTable(result.phases),
    ...(failed.length === 0 ? [] : [`What failed: ${failed.slice(0, 5).join('; ')}`]),
  ];
}

function soundTable(phases: readonly Phase[]): string {
  return table(
    [
      'phase',
      ...['jitter p50, ms', 'jitter p99, ms', 'pacing late p50, ms', 'pacing late p99, ms'],
      ...['added delay p50, ms', 'added delay p95, ms', 'probes lost'],
      ...["callers' clock late p99, ms", 'packets of expected, %', 'missing'],
    ],
    phases.map((phase) => [
      phase.name,
      ...[figure(phase.jitterMs.p50, 2), figure(phase.jitterMs.p99, 2)],
      ...[figure(phase.pacingLate.p50Ms), figure(phase.pacingLate.p99Ms)],
      ...[figure(phase.delayMs.p50), figure(phase.delayMs.p95), String(phase.probesLost)],
      figure(phase.ownLateMs.p99, 2),
      figure((100 * phase.packetsReceived) / Math.max(1, phase.packetsExpected)),
      String(phase.packetsMissing),
    ]),
  );
}

function jobsTable(loads: readonly LoadResult[]): string {
  return table(
    ['asked for per second', 'done per second', 'waiting at the end', 'done after another, s'],
    loads.map(({ askedPerSecond, donePerSecond, waiting, drainedMs }) => [
      figure(askedPerSecond, 0),
      figure(donePerSecond, 0),
      String(waiting),
      figure(drainedMs === null ? null : drainedMs / 1000),
    ]),
  );
}

function timesTable(times: readonly JobTimes[]): string {
  const of = ({ p50, p95, p99 }: Spread): string[] => [p50, p95, p99].map((one) => figure(one, 0));
  return table(
    [
      'queue',
      ...['jobs looked at', 'in queue p50, ms', 'p95, ms', 'p99, ms'],
      ...['done after p50, ms', 'p95, ms', 'p99, ms'],
    ],
    times.map(({ queue, done, waitedMs, doneAfterMs }) => [
      ...[queue, String(done), ...of(waitedMs), ...of(doneAfterMs)],
    ]),
  );
}

function cpuTable(phases: readonly Phase[]): string {
  const names = [
    'gateway',
    'worker',
    'redis',
    'database',
    'mediasoup',
    'model',
    'callers',
    'receiver',
  ] as const;
  return table(
    ['phase', ...names.map((name) => `${name}, %`), 'all else, %'],
    phases.map(({ name, cpu }) => [name, ...names.map((one) => figure(cpu[one])), figure(cpu.others)]),
  );
}

const METHOD = `One gateway with everything that it starts by default: its own redis-server, its own job
process and its own database (PGlite); the second time Debian's Postgres in the place of the last. Calls
come and sound as in the first section. Their sound is measured five times in one run: alone, while jobs go
through the queues, alone again, with jobs, and alone. What differs between the times alone is chance.

- **The load** is what calls leave behind, told on the gateway's main thread where doors and agents tell it:
  12 words of each call into the spool, a text message, an audit entry. From there it goes the product's way:
  spool, forwarder, Redis, job process, database. One call makes a \`crm\` job (contact, activity, summary),
  an \`sms\` job (built-in outbox), an \`audit\` job (hash chain) and six \`webhooks\` jobs (three events,
  and each to its receiver over HTTP, signed). Batches of words (\`transcripts\`) are counted among the done.
- **Before all of that** the same load, at less than half its rate, has run for 20 s: processes that run for
  long have compiled themselves, and their first thousand jobs cost at least a third more.
- **In queue** is from the moment a job was asked for until a worker took it up, the way through the spool
  included; **done after** is until it was finished, with its rows committed.
- **Redis** forces writes to the disk as it does by default, unless the section was asked for otherwise.
- **Pacing late** is how long after its due time a media thread's pacer ran, by its own clock, in steps of
  0.1 ms, of the later of the threads; **jitter** is what the callers saw of it, by theirs.
- As shipped, media threads are real-time threads (\`media.precedence\`), and what belongs to jobs runs at a
  niceness of 10; Debian's Postgres is another's server and stands where it stands. The callers, which are
  other machines in truth, are a real-time thread, too: they measure and do not wait.
- Figures of sound and CPU are explained in the first section. Everything shares the machine's cores, the
  callers, the model's stand-in and the receiver included.`;
