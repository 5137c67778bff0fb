/**
 * Whatever dies, at whatever moment: every fact that counted as kept is in the store once, in the end. The
 * gateway here is a process of its own with the real spool, Redis, database and job process; its calls are
 * told to its journal.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { Queue } from 'bullmq';
import { Redis } from 'ioredis';
import { afterEach, describe, expect, it } from 'vitest';
import { stringify } from 'yaml';
import { embeddedUrl, socketFolder } from '../../../src/store/embedded.ts';
import { callEventsOf } from '../../../src/store/tables/call-events.ts';
import { findCall, listCalls } from '../../../src/store/tables/calls.ts';
import { listDeadLetters } from '../../../src/store/tables/dead-letters.ts';
import { toolCallsOf } from '../../../src/store/tables/tool-calls.ts';
import { turnsOf } from '../../../src/store/tables/turns.ts';
import { SeededRandom } from '../../support/random.ts';
import { copyPglite, openStore } from '../../support/store/databases.ts';
import { eventually } from '../../support/until.ts';

const calls_total = 200;
const seed = 20_261_126;
/** Calls that go on with each sign of life of the gateway, and signs of life between two deaths. */
const calls_per_sign = 2;
const signs_between_min = 6;
const signs_between_max = 16;
/** A batch that met several deaths waits long for its next try. */
const patience_ms = 240_000;

const VICTIMS = ['worker', 'redis', 'database', 'gateway'] as const;
type Victim = (typeof VICTIMS)[number];

let folder: string;
let gateway: ChildProcess | undefined;
afterEach(async () => {
  if (gateway?.exitCode === null && gateway.signalCode === null) {
    const gone = once(gateway, 'close');
    gateway.kill('SIGTERM');
    await gone;
  }
  await rm(await socketFolder(join(folder, 'data')), { recursive: true, force: true });
  await rm(folder, { recursive: true, force: true });
});

interface Line {
  readonly kept?: string;
  readonly index?: number;
  readonly closed?: true;
  readonly told?: number;
  readonly waiting?: number;
  readonly children?: Record<Exclude<Victim, 'gateway'>, number | undefined>;
}

/** Starts the gateway, which tells of the calls from `first` on. */
async function* startGateway(configFile: string, first: number): AsyncGenerator<Line> {
  const script = join('test', 'support', 'jobs', 'journal-gateway.ts');
  const args = [script, configFile, String(calls_total - first), String(first)];
  const child = spawn(process.execPath, args, { stdio: ['pipe', 'pipe', 'ignore'] });
  gateway = child;
  // It may be dead by the time that it is told to go on.
  child.stdin.on('error', () => undefined);
  for await (const line of createInterface({ input: child.stdout })) yield JSON.parse(line) as Line;
}

async function configure(): Promise<string> {
  folder = await mkdtemp(join(tmpdir(), 'trunkline-chaos-'));
  const configFile = join(folder, 'trunkline.yaml');
  const config = {
    data_dir: join(folder, 'data'),
    log: { level: 'fatal' },
    // Jobs of a dead process are taken up soon.
    jobs: { lock_ms: 1000, patience_ms: 1000 },
    trunks: [{ name: 'local', allow: ['127.0.0.1/32'] }],
    numbers: [{ number: '+15550100', profile: 'clinic-receptionist' }],
  };
  await copyPglite(config.data_dir);
  await writeFile(configFile, stringify(config));
  return configFile;
}

/** Kills by pid, and only what is ours. */
function kill(pid: number | undefined): boolean {
  if (pid === undefined) return false;
  try {
    return process.kill(pid, 'SIGKILL');
  } catch {
    return false;
  }
}

/** Chooses who dies next, in turn, and when. */
class Deaths {
  readonly counted: Record<Victim, number> = { worker: 0, redis: 0, database: 0, gateway: 0 };
  readonly #random = new SeededRandom(seed);
  #turn = 0;
  #signs = 0;
  #due = signs_between_min;

  /** At a sign of life. true: the gateway died of it. */
  visit(children: NonNullable<Line['children']>): boolean {
    this.#signs += 1;
    const victim = VICTIMS[this.#turn % VICTIMS.length] ?? 'worker';
    const pid = victim === 'gateway' ? gateway?.pid : children[victim];
    if (this.#signs < this.#due || !kill(pid)) return false;
    this.counted[victim] += 1;
    this.#turn += 1;
    this.#due = this.#signs + signs_between_min + this.#random.below(signs_between_max - signs_between_min);
    return victim === 'gateway';
  }
}

/** `call/index` of every fact that counted as kept, and `call/closed`. */
async function tellCallsWhileThingsDie(configFile: string, deaths: Deaths): Promise<Set<string>> {
  const kept = new Set<string>();
  for (let first = 0; ;) {
    let [isOver, died] = [false, false];
    for await (const line of startGateway(configFile, first)) {
      if (line.kept !== undefined) {
        kept.add(`${line.kept}/${line.closed === true ? 'closed' : String(line.index)}`);
        first = Number(line.kept.slice('call_'.length)) + 1;
      }
      isOver ||= line.told !== undefined;
      if (isOver && line.waiting === 0) return kept;
      if (line.children === undefined || died) continue;
      died = !isOver && deaths.visit(line.children);
      gateway?.stdin?.write('\n'.repeat(calls_per_sign));
    }
    expect(died, 'the gateway ended by itself').toBe(true);
  }
}

/** What is in the store by now. */
async function inStore(url: string): Promise<Set<string>> {
  const store = openStore(url);
  const found = new Set<string>();
  for (const tenant of ['acme', 'default'])
    await store.tenant(tenant, async (unit) => {
      let cursor: string | undefined;
      do {
        const page = await listCalls(unit, { limit: 100, cursor });
        for (const { call_id: callId, ending } of page.rows) {
          if (ending === 'caller-hung-up') found.add(`${callId}/closed`);
          const turns = await turnsOf(unit, callId);
          const others = [...(await toolCallsOf(unit, callId)), ...(await callEventsOf(unit, callId))];
          for (const { seq } of [...turns, ...others]) found.add(`${callId}/${seq}`);
        }
        cursor = page.next ?? undefined;
      } while (cursor !== undefined);
    });
  await store.close();
  return found;
}

/** Waits until no batch is on its way any more: who is missing in the store then is lost. */
async function allWritten(): Promise<void> {
  const redis = new Redis(join(await socketFolder(join(folder, 'data')), 'redis.sock'));
  const queue = new Queue('transcripts', { connection: redis, prefix: 'trunkline' });
  const left = (): Promise<Record<string, number>> =>
    queue.getJobCounts('active', 'delayed', 'failed', 'waiting');
  await eventually(
    'no batch on its way',
    left,
    (counts) => Object.values(counts).every((one) => one === 0),
    patience_ms,
  );
  await queue.close();
  redis.disconnect();
}

describe('two hundred calls while everything dies', () => {
  it('leave every kept fact in the store, once', { timeout: 400_000 }, async () => {
    const configFile = await configure();
    const deaths = new Deaths();
    const kept = await tellCallsWhileThingsDie(configFile, deaths);
    for (const victim of VICTIMS) expect(deaths.counted[victim], victim).toBeGreaterThanOrEqual(1);
    expect(kept.size).toBeGreaterThan(calls_total * 6);
    const url = embeddedUrl(await socketFolder(join(folder, 'data')));
    await allWritten();
    const found = await eventually(
      'the database',
      () => inStore(url),
      () => true,
    );
    expect([...kept].filter((one) => !found.has(one))).toEqual([]);
    const store = openStore(url);
    const details = await store.tenant('default', async (unit) => ({
      call: await findCall(unit, 'call_1'),
      turns: (await turnsOf(unit, 'call_1')).map((one) => `${one.who}: ${one.text}`),
      tools: await toolCallsOf(unit, 'call_1'),
      letters: (await listDeadLetters(unit, { limit: 10 })).rows,
    }));
    await store.close();
    expect(details.call).toMatchObject({ from_number: '+1555000001', profile: 'desk', source: 'phone' });
    expect(details.turns).toEqual([
      ...['agent: Hello, this is call 1.', 'caller: I am caller 1.', 'agent: Goodbye, caller 1.'],
    ]);
    expect(details.tools).toMatchObject([{ name: 'book_appointment', arguments: { n: 1 }, ok: true }]);
    expect(details.letters).toEqual([]);
  });
});
