/**
 * Section `jobs`: 500 jobs per second through the queues, and what the sound of 50 calls has to bear for it,
 * on either database. Takes about seven minutes.
 *
 *   npm run bench -- jobs --jobs 200 --calls 10 --seconds 5   smaller; prints only
 *   npm run bench -- jobs --fsync everysec                    the embedded Redis in another way; prints only
 *   npm run bench -- jobs --database Postgres                 on one of them; prints only
 */
import { createServer, type Server } from 'node:http';
import { once } from 'node:events';
import { parseArgs } from 'node:util';
import { pino } from 'pino';
import { DATABASES, startDatabase, type DatabaseKind } from '../test/support/store/databases.ts';
import { addressesOf } from '../src/jobs/addresses.ts';
import { JobQueues } from '../src/jobs/job-queues.ts';
import { startCallers, startNode, type CallersChild } from './children.ts';
import { cpuOver, type ProcessGroup } from './cpu-over.ts';
import { benchNumber, startGateway, type GatewayChild } from './gateway-child.ts';
import { benchTenant, jobs_per_call } from './job-load.ts';
import { jobAnswerSchema, type JobAnswer, type JobOrder } from './job-messages.ts';
import { jobReport, type JobBench, type LoadResult, type Phase } from './job-report.ts';
import { spreadOf } from './percentiles.ts';
import { childrenOf, childrenRunning } from './process-usage.ts';
import { jobsDone, jobTimes, outcomesOf, waitingIn, type DoneJobs } from './queue-watch.ts';
import { figure } from './report.ts';
import type { SectionResult } from './section.ts';

const others_percent_max = 20;
const calls_per_second = 25;
const probe_every_ms = 1000;
const settle_ms = 3000;
/** How often the load comes, with calls alone before, between and after: how those differ is chance. */
const turns = 2;
/** What runs for months has compiled itself: the first jobs of a process cost a third more. */
const [warm_up_calls_per_second, warm_up_ms] = [25, 20_000];
/** After the load, for what still waits. */
const drain_ms_max = 120_000;

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

interface Options {
  readonly jobsPerSecond: number;
  readonly calls: number;
  readonly measureMs: number;
  readonly fsync?: string;
  readonly database: DatabaseKind;
}

export async function run(args: readonly string[]): Promise<SectionResult> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      jobs: { type: 'string', default: '500' },
      calls: { type: 'string', default: '50' },
      seconds: { type: 'string', default: '15' },
      fsync: { type: 'string' },
      database: { type: 'string' },
    },
  });
  const [jobsPerSecond, calls] = [Number(values.jobs), Number(values.calls)];
  const measureMs = Number(values.seconds) * 1000;
  if (![jobsPerSecond, calls, measureMs].every((value) => Number.isSafeInteger(value) && value > 0))
    throw new Error('--jobs, --calls and --seconds want whole numbers above zero');
  const { fsync } = values;
  const databases = DATABASES.filter((kind) => (values.database ?? kind) === kind);
  if (databases.length === 0) throw new Error(`--database wants ${DATABASES.join(' or ')}`);
  const results: JobBench[] = [];
  for (const database of databases) {
    console.log(`on ${database} …`);
    results.push(await measureAll({ jobsPerSecond, calls, measureMs, database, ...(fsync && { fsync }) }));
  }
  const markdown = jobReport(results);
  console.log(`\n${markdown}\n`);
  return { markdown, notWritten: reasonAgainst(results, args.length === 0) };
}

function reasonAgainst(results: readonly JobBench[], whole: boolean): string | null {
  const failed = results.flatMap((result) => result.failed);
  const busiest = Math.max(...results.flatMap(({ phases }) => phases).map(({ cpu }) => cpu.others));
  if (busiest > others_percent_max)
    return `all else took up to ${figure(busiest)} % of a core; run it on a quiet machine`;
  if (failed.length > 0) return `something failed: ${failed[0] ?? ''}`;
  return whole ? null : 'not the whole section';
}

async function measureAll(options: Options): Promise<JobBench> {
  const stops: (() => Promise<unknown>)[] = [];
  try {
    const model = await startNode({
      args: ['test/support/realtime-server/main.ts', 'draining-echo'],
      ready: /"port":(\d+)/,
    });
    stops.push(() => model.stop());
    const receiver = await Receiver.open();
    stops.push(() => receiver.close());
    const server = options.database === 'Postgres' ? await startDatabase('Postgres') : undefined;
    if (server !== undefined) stops.push(() => server.close());
    const modelPort = /"port":(\d+)/.exec(model.words)?.[1] ?? '';
    const gateway = await startGateway({
      ...{ modelUrl: `ws://127.0.0.1:${modelPort}/v1`, callsMax: options.calls, appendMs: 20 },
      ...{ program: 'bench/job-gateway.ts', sections: sections(receiver.url, options.fsync, server?.url) },
    });
    stops.push(() => gateway.stop());
    const queues = await queuesOf(gateway);
    stops.push(() => queues.close());
    const callers = startCallers({
      ...{ sipPort: gateway.sipPort, number: benchNumber },
      ...{ callsPerSecond: calls_per_second, probeEveryMs: probe_every_ms },
    });
    stops.push(() => callers.stop());
    const pids = {
      ...{ gateway: [gateway.pid], worker: childrenRunning(gateway.pid, 'src/worker.ts') },
      redis: childrenRunning(gateway.pid, 'redis-server'),
      database:
        server === undefined
          ? childrenRunning(gateway.pid, 'pglite-process.ts')
          : { tree: server.process.pid ?? 0 },
      mediasoup: childrenOf(gateway.pid, 'mediasoup'),
      ...{ model: [model.pid], callers: [callers.pid], receiver: [process.pid] },
    };
    return await new Run(options, { gateway, queues, callers, pids, receiver }).all();
  } finally {
    for (const stop of stops.reverse()) await stop();
  }
}

function sections(receiverUrl: string, fsync: string | undefined, databaseUrl: string | undefined): object {
  const endpoint = { name: 'bench', url: receiverUrl, secret: `whsec_${'ab'.repeat(16)}` };
  return {
    ...(fsync === undefined ? {} : { redis: { fsync } }),
    ...(databaseUrl === undefined ? {} : { database: { url: databaseUrl } }),
    webhooks: {
      ...{ allow_http: true, allowed_networks: ['127.0.0.0/8'] },
      tenants: [{ tenant: benchTenant, endpoints: [endpoint] }],
    },
  };
}

/** The tenant's own server: takes every event and says so. */
class Receiver {
  readonly url: string;
  readonly #server: Server;

  static async open(): Promise<Receiver> {
    const server = createServer((request, response) => {
      request.resume();
      request.once('end', () => response.writeHead(204).end());
    });
    await once(server.listen(0, '127.0.0.1'), 'listening');
    const address = server.address();
    return new Receiver(server, typeof address === 'object' && address !== null ? address.port : 0);
  }

  private constructor(server: Server, port: number) {
    this.#server = server;
    this.url = `http://127.0.0.1:${port}/hook`;
  }

  async close(): Promise<void> {
    const closed = once(this.#server, 'close');
    this.#server.close();
    this.#server.closeAllConnections();
    await closed;
  }
}

/** As the gateway's own processes reach them. */
async function queuesOf({ dataDir }: GatewayChild): Promise<JobQueues> {
  const none = { redis: { url: '', prefix: 'trunkline' }, database: { url: '' } };
  const limits = { connections_max: 1, timeout_ms: 1000 };
  const config = { ...none, database: { ...none.database, ...limits } };
  const { redis } = await addressesOf({ dataDir, config });
  return new JobQueues(redis, pino({ level: 'silent' }));
}

interface Parts {
  readonly gateway: GatewayChild;
  readonly queues: JobQueues;
  readonly callers: CallersChild;
  readonly pids: Readonly<Record<Exclude<keyof Phase['cpu'], 'others'>, ProcessGroup>>;
}

/** What came of the load, once. */
interface Loaded {
  readonly phase: Phase;
  readonly load: LoadResult;
  readonly done: DoneJobs;
  readonly failed: readonly string[];
}

class Run {
  readonly #options: Options;
  readonly #parts: Parts & { readonly receiver: Receiver };

  constructor(options: Options, parts: Parts & { readonly receiver: Receiver }) {
    this.#options = options;
    this.#parts = parts;
  }

  async all(): Promise<JobBench> {
    const { callers } = this.#parts;
    console.log('warming up …');
    await this.#load(warm_up_calls_per_second);
    await pause(warm_up_ms);
    await this.#load(0);
    await this.#drained();
    const up = await callers.ask({ type: 'call', calls: this.#options.calls }, 'up');
    await pause(settle_ms);
    const alone = [await this.#phase('calls alone')];
    const loaded: Loaded[] = [];
    for (let turn = 0; turn < turns; turn += 1) {
      loaded.push(await this.#withJobs());
      alone.push(await this.#phase('calls alone again'));
    }
    return {
      ...{ database: this.#options.database, calls: up.calls },
      phases: alone.flatMap((phase, at) => [phase, ...loaded.slice(at, at + 1).map((one) => one.phase)]),
      loads: loaded.map(({ load }) => load),
      failed: [...up.failed, ...loaded.flatMap(({ failed }) => failed)],
      times: jobTimes(loaded.map(({ done }) => done)),
    };
  }

  /** The load runs and is measured, then what still waits is done. */
  async #withJobs(): Promise<Loaded> {
    const { queues } = this.#parts;
    await this.#load(this.#options.jobsPerSecond / jobs_per_call);
    await pause(settle_ms);
    const [fromMs, outcomesBefore] = [Date.now(), await outcomesOf(queues)];
    const toldBefore = (await this.#ask({ type: 'report' })).calls;
    const phase = await this.#phase('with jobs');
    const [toMs, outcomesAfter] = [Date.now(), await outcomesOf(queues)];
    const told = await this.#load(0);
    const waiting = await waitingIn(queues);
    const drainedMs = await this.#drained();
    const done = await jobsDone(queues, fromMs, toMs);
    await pause(settle_ms);
    const seconds = (toMs - fromMs) / 1000;
    return {
      ...{ phase, done },
      load: {
        askedPerSecond: ((told.calls - toldBefore) * jobs_per_call) / seconds,
        donePerSecond: (outcomesAfter.done - outcomesBefore.done) / seconds,
        ...{ waiting, drainedMs },
      },
      failed: [
        ...told.failed,
        ...given(outcomesAfter.failed - outcomesBefore.failed, 'jobs failed'),
        ...(drainedMs === null ? ['the queues did not get empty'] : []),
      ],
    };
  }

  async #phase(name: string): Promise<Phase> {
    const { callers, pids } = this.#parts;
    console.log(`${name} …`);
    callers.tell({ type: 'reset' });
    await this.#ask({ type: 'report' });
    const cpu = await cpuOver(pids, this.#options.measureMs);
    const { pacingLate } = await this.#ask({ type: 'report' });
    const { measurements } = await callers.ask({ type: 'report' }, 'measured');
    const { jitterMs, delayMs, ownLateMs, packetsMissing, packetsReceived, probesLost } = measurements;
    const spreads = {
      jitterMs: spreadOf(jitterMs),
      delayMs: spreadOf(delayMs),
      ownLateMs: spreadOf(ownLateMs),
      pacingLate,
    };
    const packetsExpected = Math.round((this.#options.calls * this.#options.measureMs) / 20);
    return { name, cpu, ...spreads, packetsMissing, packetsReceived, packetsExpected, probesLost };
  }

  #load(callsPerSecond: number): Promise<JobAnswer> {
    return this.#ask({ type: 'load', callsPerSecond });
  }

  async #ask(order: JobOrder): Promise<JobAnswer> {
    return jobAnswerSchema.parse(await this.#parts.gateway.ask(order));
  }

  /** Waits until nothing waits, and returns how long that took, in ms; null: longer than anybody waits. */
  async #drained(): Promise<number | null> {
    const beganMs = performance.now();
    // Twice: between two jobs of a chain there may be nothing for a moment.
    for (let empty = 0; empty < 2; empty = (await waitingIn(this.#parts.queues)) === 0 ? empty + 1 : 0) {
      if (performance.now() - beganMs > drain_ms_max) return null;
      await pause(100);
    }
    return performance.now() - beganMs;
  }
}

function given(count: number, what: string): string[] {
  return count === 0 ? [] : [`${count} ${what}`];
}
