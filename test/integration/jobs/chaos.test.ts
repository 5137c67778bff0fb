/**
 * Whatever dies, at whatever moment: every fact that counted as kept is in the store once, in the end, and no
 * call stays open. The gateway here is a process of its own with the real spool, Redis, database and job
 * process; its calls are told to its journal.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterEach, describe, expect, it } from 'vitest';
import { stringify } from 'yaml';
import type { RedisAddress } from '../../../src/jobs/redis.ts';
import { embeddedUrl, socketFolder } from '../../../src/store/embedded.ts';
import { findCall } from '../../../src/store/tables/calls.ts';
import { toolCallsOf } from '../../../src/store/tables/tool-calls.ts';
import { turnsOf } from '../../../src/store/tables/turns.ts';
import { factsInStore } from '../../support/jobs/kept-facts.ts';
import { startTwilio, type TwilioStandIn } from '../../support/jobs/providers/twilio.ts';
import { queueReport, untilJobsAreDone } from '../../support/jobs/queue-report.ts';
import { SeededRandom } from '../../support/random.ts';
import {
  copyPglite,
  DATABASES,
  openStore,
  startDatabase,
  type DatabaseKind,
  type TestDatabase,
} from '../../support/store/databases.ts';

const calls_of: Record<DatabaseKind, number> = { PGlite: 200, Postgres: 100 };
const seed = 20_261_126;
/** Calls that go on with each sign of life of the gateway. */
const calls_per_sign = 2;
/** Of each victim: what a machine needs to start again is most of the test's time. */
const deaths_each = 3;
const facts_of_a_call = 10;
/** Jobs that do not get fewer for so long are stuck: far more than any lock or pause between tries here. */
const stuck_ms = 60_000;
const ACCOUNT = { accountSid: 'AC0', authToken: 'token' };

const VICTIMS = ['worker', 'redis', 'database', 'gateway'] as const;
type Victim = (typeof VICTIMS)[number];

let folder: string;
let gateway: ChildProcess | undefined;
let twilio: TwilioStandIn;
/** Debian's; the embedded one is a child of the gateway. */
let server: TestDatabase | undefined;
let serverIsBack: Promise<void> = Promise.resolve();
afterEach(async () => {
  if (gateway?.exitCode === null && gateway.signalCode === null) {
    const gone = once(gateway, 'close');
    gateway.kill('SIGTERM');
    await gone;
  }
  await serverIsBack;
  await server?.close();
  server = undefined;
  await twilio.close();
  await rm(await socketFolder(join(folder, 'data')), { recursive: true, force: true });
  await rm(folder, { recursive: true, force: true });
});

interface Line {
  readonly kept?: string;
  readonly index?: number;
  readonly act?: string;
  readonly closed?: true;
  readonly told?: number;
  readonly waiting?: number;
  readonly children?: Record<Exclude<Victim, 'gateway'>, number | undefined>;
}

/** Starts the gateway, which tells of `calls` calls from `first` on. */
async function* startGateway(configFile: string, calls: number, first: number): AsyncGenerator<Line> {
  const script = join('test', 'support', 'jobs', 'journal-gateway.ts');
  const args = [script, configFile, String(calls), String(first)];
  const child = spawn(process.execPath, args, { stdio: ['pipe', 'pipe', 'ignore'] });
  gateway = child;
  // It may be dead by the time that it is told to go on.
  child.stdin.on('error', () => undefined);
  for await (const line of createInterface({ input: child.stdout })) yield JSON.parse(line) as Line;
}

async function configure(kind: DatabaseKind): Promise<string> {
  folder = await mkdtemp(join(tmpdir(), 'trunkline-chaos-'));
  twilio = await startTwilio(ACCOUNT);
  const configFile = join(folder, 'trunkline.yaml');
  const account = { account_sid: ACCOUNT.accountSid, auth_token: ACCOUNT.authToken, base_url: twilio.url };
  const config = {
    data_dir: join(folder, 'data'),
    log: { level: 'fatal' },
    // Jobs of a dead process are taken up soon.
    jobs: { lock_ms: 1000, patience_ms: 1000 },
    trunks: [{ name: 'local', allow: ['127.0.0.1/32'] }],
    numbers: [{ number: '+15550100', profile: 'clinic-receptionist' }],
    // The other tenant has the outbox that is built in.
    sms: { tenants: [{ tenant: 'acme', from: '+15550100', time_zone: 'UTC', twilio: account }] },
  };
  if (kind === 'Postgres') server = await startDatabase(kind);
  else await copyPglite(config.data_dir);
  const database = server === undefined ? {} : { database: { url: server.url } };
  await writeFile(configFile, stringify({ ...config, ...database }));
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

/** Every process of it, as in a crash; whoever keeps such servers starts it again. */
function killServer(one: TestDatabase): boolean {
  if (one.process.exitCode !== null || one.process.signalCode !== null) return false;
  serverIsBack = one.kill().then(() => one.restart());
  return true;
}

/** Chooses who dies next, in turn, and after how many facts: at any point of a call. */
class Deaths {
  readonly counted: Record<Victim, number> = { worker: 0, redis: 0, database: 0, gateway: 0 };
  readonly #random = new SeededRandom(seed);
  readonly #factsBetween: number;
  #turn = 0;
  #facts = 0;
  #due: number;

  constructor(calls: number) {
    this.#factsBetween = Math.floor((calls * facts_of_a_call) / (VICTIMS.length * deaths_each + 4));
    this.#due = this.#factsBetween;
  }

  /** At a fact that counts as kept. true: the gateway died of it. */
  visit(children: NonNullable<Line['children']>): boolean {
    this.#facts += 1;
    const victim = VICTIMS[this.#turn % VICTIMS.length] ?? 'worker';
    if (this.counted[victim] === deaths_each || this.#facts < this.#due) return false;
    if (!this.#strike(victim, children)) return false;
    this.counted[victim] += 1;
    this.#turn += 1;
    this.#due = this.#facts + Math.floor(this.#factsBetween / 2) + this.#random.below(this.#factsBetween);
    return victim === 'gateway';
  }

  #strike(victim: Victim, children: NonNullable<Line['children']>): boolean {
    if (victim === 'database' && server !== undefined) return killServer(server);
    return kill(victim === 'gateway' ? gateway?.pid : children[victim]);
  }
}

/** `call/index` of every fact that counted as kept, `call/closed`, and `call/` what was done for a caller. */
async function tellCallsWhileThingsDie(
  configFile: string,
  calls: number,
  deaths: Deaths,
): Promise<Set<string>> {
  const kept = new Set<string>();
  for (let first = 0; ;) {
    let [isOver, died] = [false, false];
    let children: Line['children'];
    for await (const line of startGateway(configFile, calls - first, first)) {
      if (line.kept !== undefined) {
        kept.add(`${line.kept}/${line.act ?? (line.closed === true ? 'closed' : String(line.index))}`);
        first = Number(line.kept.slice('call_'.length)) + 1;
        if (children !== undefined && !died) died = deaths.visit(children);
      }
      isOver ||= line.told !== undefined;
      if (isOver && line.waiting === 0) return kept;
      if (line.children === undefined || died) continue;
      ({ children } = line);
      gateway?.stdin?.write('\n'.repeat(calls_per_sign));
    }
    expect(died, 'the gateway ended by itself').toBe(true);
  }
}

/** Facts that were promised and are not there once, and facts that must not be there. */
async function wrongFacts(url: string, kept: ReadonlySet<string>): Promise<string[]> {
  const found = await factsInStore(url);
  const refused = [...kept].filter((one) => one.endsWith('/refused'));
  // The gateway has one call at a time here.
  const died = [...found.keys()].filter((one) => one.endsWith('/gateway-died'));
  const ended = [...found.keys()].flatMap((one) => /^(.*)\/(closed|gateway-died)$/.exec(one)?.[1] ?? []);
  const texts = Map.groupBy(twilio.messages, (one) => one.body);
  return [
    ...[...kept].filter((one) => !one.endsWith('/refused') && found.get(one) !== 1),
    // Whoever died between a COMMIT and its answer may have booked, but not twice.
    ...[...found].filter(([, times]) => times !== 1).map(([one, times]) => `${times} of ${one}`),
    ...[...found.keys()].filter((one) => one.startsWith('dead letter') || one.endsWith('/open')),
    ...died.filter((one) => kept.has(one.replace('/gateway-died', '/closed'))),
    ...(died.length > deaths_each ? died : []),
    ...ended.filter((one) => found.get(`${one}/followed`) !== 1).map((one) => `nothing followed: ${one}`),
    ...refused.filter((one) => found.has(one.replace('/refused', '/appointments'))),
    ...[...texts].filter(([, sent]) => sent.length !== 1).map(([body]) => `sent twice: ${body}`),
    ...[...kept].filter((one) => isTwilios(one) && !texts.has(textOf(one))).map((one) => `not sent: ${one}`),
  ];
}

function isTwilios(fact: string): boolean {
  const [, n = ''] = /^call_(\d+)\/sms$/.exec(fact) ?? [];
  return n !== '' && Number(n) % 3 === 0;
}

function textOf(fact: string): string {
  return `The text of call ${fact.slice('call_'.length, fact.indexOf('/'))}`;
}

describe.each(DATABASES)('calls on %s while everything dies', (kind) => {
  it('leave every kept fact in the store, once', { timeout: 400_000 }, async () => {
    const configFile = await configure(kind);
    const calls = calls_of[kind];
    const deaths = new Deaths(calls);
    const kept = await tellCallsWhileThingsDie(configFile, calls, deaths);
    await serverIsBack;
    for (const victim of VICTIMS) expect(deaths.counted[victim], victim).toBe(deaths_each);
    const kinds = (pattern: RegExp): number => [...kept].filter((one) => pattern.test(one)).length;
    expect(kinds(/\/(\d|closed)$/)).toBeGreaterThan(calls * 6);
    expect(kinds(/\/(contact|sms)$/)).toBeGreaterThan(calls * 1.8);
    expect(kinds(/\/booked /)).toBeGreaterThan(calls / 2);
    const sockets = await socketFolder(join(folder, 'data'));
    const redis: RedisAddress = { url: join(sockets, 'redis.sock'), prefix: 'trunkline' };
    await untilJobsAreDone(redis, stuck_ms);
    const url = server?.url ?? embeddedUrl(sockets);
    const wrong = await wrongFacts(url, kept);
    expect(wrong, wrong.length === 0 ? '' : await queueReport(redis)).toEqual([]);
    const store = openStore(url);
    const details = await store.tenant('default', async (unit) => ({
      call: await findCall(unit, 'call_1'),
      turns: (await turnsOf(unit, 'call_1')).map((one) => `${one.who}: ${one.text}`),
      tools: await toolCallsOf(unit, 'call_1'),
    }));
    await store.close();
    expect(details.call).toMatchObject({ from_number: '+1555000001', profile: 'desk', source: 'phone' });
    expect(details.turns).toEqual([
      ...['agent: Hello, this is call 1.', 'caller: I am caller 1.', 'agent: Goodbye, caller 1.'],
    ]);
    expect(details.tools).toMatchObject([{ name: 'book_appointment', arguments: { n: 1 }, ok: true }]);
  });
});
