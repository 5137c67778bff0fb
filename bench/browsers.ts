/**
 * Section `browsers`: CPU of a browser with an agent, of a browser with a phone, and how many may listen in
 * one mediasoup worker until packets are lost.
 *
 *   npm run bench -- browsers --calls 10 --consumers 100,200 --seconds 3   smaller; prints only
 */
import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { parseArgs } from 'node:util';
import { fileURLToPath } from 'node:url';
import { startNode } from './children.ts';
import { cpuOver } from './cpu-over.ts';
import { MediaParty, dropsOf, noise, type PartyCodec } from './media-party.ts';
import { childrenOf } from './process-usage.ts';
import { figure, table } from './report.ts';
import { roomAnswerSchema, type RoomAnswer, type RoomOrder } from './room-messages.ts';
import type { SectionResult } from './section.ts';

const others_percent_max = 20;
const frame_ms = 20;
const slots = 10;
const settle_ms = 2000;
/** Sockets that the listeners' packets come to. */
const ears = 4;
/** A worker that loses more of what it should send is too full. */
const lost_percent_max = 0.1;
/** Below it somebody of us cannot keep up: the speaker, the worker, or the reader. */
const arrived_percent_min = 98;

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** The process that holds the rooms. */
class Host {
  readonly #child: ChildProcess;
  readonly #gone: Promise<never>;

  private constructor(child: ChildProcess) {
    this.#child = child;
    this.#gone = once(child, 'exit').then(() => {
      throw new Error('the process that holds the rooms is gone');
    });
    this.#gone.catch(() => undefined);
  }

  static async start(modelUrl: string): Promise<Host> {
    const host = new Host(fork(fileURLToPath(new URL('room-host.ts', import.meta.url)), [modelUrl]));
    await host.#answer();
    return host;
  }

  get pids(): { gateway: number[]; mediasoup: number[] } {
    const pid = this.#child.pid ?? 0;
    return { gateway: [pid], mediasoup: childrenOf(pid, 'mediasoup') };
  }

  async ask(order: RoomOrder): Promise<Extract<RoomAnswer, { type: 'opened' }>> {
    const answer = await this.#order(order);
    if (answer.type !== 'opened') throw new Error(`${order.type} was answered with ${answer.type}`);
    return answer;
  }

  async closeRooms(): Promise<void> {
    await this.#order({ type: 'close' });
  }

  async stop(): Promise<void> {
    if (this.#child.exitCode !== null) return;
    const gone = once(this.#child, 'exit');
    this.#child.disconnect();
    await gone;
  }

  #order(order: RoomOrder): Promise<RoomAnswer> {
    const answer = this.#answer();
    this.#child.send(order);
    return answer;
  }

  async #answer(): Promise<RoomAnswer> {
    const [message] = (await Promise.race([once(this.#child, 'message'), this.#gone])) as [unknown];
    return roomAnswerSchema.parse(message);
  }
}

/** All parties, sending in turn so that not all packets leave in one burst. */
class Parties {
  readonly all: MediaParty[] = [];
  readonly #noise = { opus: noise('opus'), pcmu: noise('pcmu') };
  readonly #timer: NodeJS.Timeout;
  readonly #beganMs = performance.now();
  #slotsDone = 0;

  constructor() {
    this.#timer = setInterval(() => this.#run(), 1);
  }

  async open(codec: PartyCodec): Promise<MediaParty> {
    const party = await MediaParty.open(codec, this.#noise[codec]);
    this.all.push(party);
    return party;
  }

  /** Received and missing since the last time. */
  take(): { received: number; missing: number } {
    const sum = { received: 0, missing: 0 };
    for (const { account } of this.all) {
      sum.received += account.received;
      sum.missing += account.missing;
      account.reset();
    }
    return sum;
  }

  closeParties(): void {
    for (const party of this.all.splice(0)) party.close();
  }

  stop(): void {
    clearInterval(this.#timer);
    this.closeParties();
  }

  #run(): void {
    const due = Math.floor((performance.now() - this.#beganMs) / (frame_ms / slots));
    for (; this.#slotsDone < due; this.#slotsDone += 1)
      for (let index = this.#slotsDone % slots; index < this.all.length; index += slots)
        this.all[index]?.tick();
  }
}

interface Load {
  readonly what: string;
  readonly calls: number;
  readonly cpu: Awaited<ReturnType<typeof cpuOver<'gateway' | 'mediasoup' | 'model' | 'parties'>>>;
  readonly idle: { readonly gateway: number; readonly mediasoup: number };
  readonly received: number;
  readonly missing: number;
}

interface Bench {
  readonly host: Host;
  /** The process in the model's place. */
  readonly modelPid: number;
  readonly parties: Parties;
  readonly measureMs: number;
}

async function visits({ host, parties }: Bench, calls: number): Promise<void> {
  for (let index = 0; index < calls; index += 1) {
    const browser = await parties.open('opus');
    const { port, ssrc } = browser;
    browser.sendTo((await host.ask({ type: 'visit', port, ssrc })).rtpPort);
  }
}

async function meetings({ host, parties }: Bench, calls: number): Promise<void> {
  for (let index = 0; index < calls; index += 1) {
    const [browser, caller] = [await parties.open('pcmu'), await parties.open('pcmu')];
    const { port, ssrc } = browser;
    const { rtpPort, legPort } = await host.ask({ type: 'meeting', port, ssrc, callerPort: caller.port });
    browser.sendTo(rtpPort);
    caller.sendTo(legPort ?? 0);
  }
}

async function load(
  bench: Bench,
  options: { what: string; calls: number; open: typeof visits },
): Promise<Load> {
  const { host, modelPid, parties, measureMs } = bench;
  const pids = { ...host.pids, model: [modelPid], parties: [process.pid] };
  const idle = await cpuOver(pids, settle_ms);
  await options.open(bench, options.calls);
  await pause(settle_ms);
  parties.take();
  const cpu = await cpuOver(pids, measureMs);
  const { received, missing } = parties.take();
  await host.closeRooms();
  parties.closeParties();
  return { what: options.what, calls: options.calls, cpu, idle, received, missing };
}

interface Crowd {
  readonly consumers: number;
  readonly mediasoup: number;
  readonly others: number;
  readonly received: number;
  /** Of what the worker should have sent, in per cent. */
  readonly lostPercent: number;
  readonly droppedByReader: number;
  /** Of what should have come in the time at the speaker's pace, in per cent. */
  readonly arrivedPercent: number;
}

/** More and more listeners, until packets are lost or late, or there are as many as were asked for. */
async function crowds({ host, parties, measureMs }: Bench, levels: readonly number[]): Promise<Crowd[]> {
  const speaker = await parties.open('opus');
  const listeners = await Promise.all(Array.from({ length: ears }, () => MediaParty.open('opus', [])));
  const ports = listeners.map(({ port }) => port);
  const found: Crowd[] = [];
  for (const consumers of levels) {
    const order = { type: 'listen', partyPort: speaker.port, ssrc: speaker.ssrc, ports, consumers } as const;
    speaker.sendTo((await host.ask(order)).rtpPort);
    await pause(settle_ms);
    for (const { account } of listeners) account.reset();
    const dropsBefore = dropsOf(ports);
    const cpu = await cpuOver({ ...host.pids, parties: [process.pid] }, measureMs);
    const droppedByReader = dropsOf(ports) - dropsBefore;
    const received = listeners.reduce((sum, { account }) => sum + account.received, 0);
    const missing = listeners.reduce((sum, { account }) => sum + account.missing, 0);
    const lost = Math.max(0, missing - droppedByReader);
    const lostPercent = (100 * lost) / Math.max(1, received + missing);
    const { mediasoup, others } = cpu;
    const arrivedPercent = (100 * received * frame_ms) / (consumers * measureMs);
    found.push({ consumers, mediasoup, others, received, lostPercent, droppedByReader, arrivedPercent });
    const dropped = (100 * droppedByReader) / Math.max(1, received);
    if (Math.max(lostPercent, dropped) > lost_percent_max || arrivedPercent < arrived_percent_min) break;
  }
  for (const listener of listeners) listener.close();
  await host.closeRooms();
  parties.closeParties();
  return found;
}

function loadTable(loads: readonly Load[]): string {
  return table(
    [
      'a call of',
      'at a time',
      'gateway, % of a core per call',
      'mediasoup, % of a core per call',
      'gateway in all, %',
      'mediasoup in all, %',
      'model stand-in, %',
      'parties, %',
      'all else, %',
      'packets received',
      'missing',
    ],
    loads.map(({ what, calls, cpu, idle, received, missing }) => [
      what,
      String(calls),
      figure((cpu.gateway - idle.gateway) / calls, 3),
      figure((cpu.mediasoup - idle.mediasoup) / calls, 3),
      figure(cpu.gateway),
      figure(cpu.mediasoup),
      figure(cpu.model),
      figure(cpu.parties),
      figure(cpu.others),
      String(received),
      String(missing),
    ]),
  );
}

function crowdTable(found: readonly Crowd[]): string {
  return table(
    [
      'consumers',
      'mediasoup worker, % of a core',
      'packets received',
      'of what was due, %',
      'lost by the worker, %',
      'dropped by our own reader',
      'all else, %',
    ],
    found.map((crowd) => [
      String(crowd.consumers),
      figure(crowd.mediasoup),
      String(crowd.received),
      figure(crowd.arrivedPercent),
      figure(crowd.lostPercent, 3),
      String(crowd.droppedByReader),
      figure(crowd.others),
    ]),
  );
}

const notes = [
  'One media thread and one mediasoup worker, built as the gateway builds them, in a process of their own.',
  "The agents are the product's with the Realtime adapter and a stand-in that echoes. Browsers and phones",
  'are RTP sockets of the bench ("parties"), because Chromium would be the bottleneck; they send faint',
  'noise, which costs what speech costs. They come to mediasoup as plain RTP: what DTLS-SRTP adds for a real',
  'browser is not in these figures. What the idle process takes is taken off before the cost per call. A',
  'packet counts as lost by the worker when its sequence number never came and the kernel did not drop it in',
  'front of our own reader. The steps end where packets are lost, or fewer than 98 % of what is due arrive:',
  'then speaker, worker and reader together have used up the two cores.',
].join('\n');

export async function run(args: readonly string[]): Promise<SectionResult> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      calls: { type: 'string', default: '50' },
      consumers: { type: 'string', default: '100,200,400,600,800,1000,1300,1600,2000,2500,3000' },
      seconds: { type: 'string', default: '10' },
    },
  });
  const [calls, measureMs] = [Number(values.calls), Number(values.seconds) * 1000];
  const levels = values.consumers.split(',').map(Number);
  if (![calls, measureMs, ...levels].every((value) => Number.isSafeInteger(value) && value > 0))
    throw new Error('--calls, --consumers and --seconds want whole numbers above zero');
  const model = await startNode({
    args: ['test/support/realtime-server/main.ts', 'draining-echo'],
    ready: /"port":(\d+)/,
  });
  const parties = new Parties();
  const modelPort = /"port":(\d+)/.exec(model.words)?.[1] ?? '';
  const host = await Host.start(`ws://127.0.0.1:${modelPort}/v1`);
  try {
    const bench = { host, modelPid: model.pid, parties, measureMs };
    const loads = [
      await load(bench, { what: 'browser and agent, Opus', calls, open: visits }),
      await load(bench, { what: 'browser and phone, PCMU', calls, open: meetings }),
    ];
    console.log(`${loadTable(loads)}\n`);
    const found = await crowds(bench, levels);
    console.log(`${crowdTable(found)}\n`);
    const busiest = Math.max(...loads.map(({ cpu }) => cpu.others), ...found.map(({ others }) => others));
    const busy = `all else took up to ${figure(busiest)} % of a core; run it on a quiet machine`;
    const part = args.length === 0 ? null : 'not the whole section';
    const markdown = [notes, loadTable(loads), '### Listeners in one worker', crowdTable(found)].join('\n\n');
    return { markdown, notWritten: busiest > others_percent_max ? busy : part };
  } finally {
    parties.stop();
    await host.stop();
    await model.stop();
  }
}
