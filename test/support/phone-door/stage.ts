/** A phone door with everything real around it, but for the agent: a tone that does what the test says. */
import { Writable } from 'node:stream';
import { pino } from 'pino';
import { LiveCalls } from '../../../src/room/live-calls.ts';
import type { Clock } from '../../../src/base/clock.ts';
import { Events } from '../../../src/base/events.ts';
import { newId } from '../../../src/base/ids.ts';
import type { Census } from '../../../src/media/control.ts';
import type { Sfu } from '../../../src/media/sfu.ts';
import { MediaThreads } from '../../../src/media/threads.ts';
import { PhoneDoor, type PhoneDoorOptions } from '../../../src/phone/door.ts';
import type { NumberConfig, TrunkConfig } from '../../../src/phone/settings.ts';
import type {
  AgentParticipant,
  AgentParticipantEvents,
  OpenAgent,
  OpenAgentOptions,
} from '../../../src/room/agent-door.ts';
import { Journal } from '../../../src/room/journal.ts';
import { Rooms } from '../../../src/room/rooms.ts';
import { silentLog, startSfu } from '../sfu.ts';
import { startTestSipServer, type TestSipServer, type TestSipServerOptions } from '../sip-server/start.ts';
import { until } from '../until.ts';
import { SipCaller } from './caller.ts';

export const agent_tone_hz = 700;

/** The agent of one call: its voice is real, its mind is the test. */
export class StubAgent implements AgentParticipant {
  readonly portId = newId('voice');
  readonly events = new Events<AgentParticipantEvents>();
  readonly options: OpenAgentOptions;
  readonly digits: string[] = [];
  /** As if a tool of its waited for a secret. */
  takesSecret = false;
  /** What it was told beyond greetings and keys: "hold", "resume NOTICE", "say TEXT". */
  readonly told: string[] = [];
  greetings = 0;
  closed = false;
  readonly #opened: Promise<unknown>;
  readonly #ready: Promise<void>;

  constructor(options: OpenAgentOptions, ready: Promise<void>) {
    this.options = options;
    this.#opened = options.thread.request({
      type: 'voice.open',
      voiceId: this.portId,
      codec: options.codec,
      spec: { frequencyHz: agent_tone_hz },
    });
    this.#ready = ready;
    ready.catch(() => undefined);
  }

  async ready(): Promise<void> {
    await this.#opened;
    await this.#ready;
  }

  greet(): void {
    this.greetings += 1;
  }

  digit(digit: string): boolean {
    this.digits.push(digit);
    return this.takesSecret;
  }

  say(text: string): void {
    this.told.push(`say ${text}`);
  }

  hold(): void {
    this.told.push('hold');
  }

  resume(notice = ''): void {
    this.told.push(`resume ${notice}`);
  }

  async close(): Promise<void> {
    this.closed = true;
    await this.#opened.catch(() => undefined);
    await this.options.thread.request({ type: 'voice.close', voiceId: this.portId }).catch(() => undefined);
  }
}

export const LOCAL_TRUNK: TrunkConfig = {
  name: 'local',
  tenant: 'default',
  allow: ['127.0.0.1/32'],
  codecs: ['pcmu', 'pcma'],
  calls_max: 100,
  refer_to: 'sip:{number}@{host}',
  media: { learn_source: true, learn_window_ms: 5000, relatch_after_silence: true, rtp_timeout_ms: 0 },
};
export const CLINIC: NumberConfig = { number: '+15550100', tenant: 'default', profile: 'clinic' };

export interface StageOptions {
  readonly trunks?: readonly TrunkConfig[];
  readonly numbers?: readonly NumberConfig[];
  readonly calls?: Partial<PhoneDoorOptions['calls']>;
  readonly tenantGate?: PhoneDoorOptions['tenantGate'];
  readonly timers?: TestSipServerOptions['timers'];
  readonly clock?: Clock;
}

export const NOTHING_OPEN = {
  legs: 0,
  links: 0,
  voices: 0,
  players: 0,
  patches: 0,
  sockets: 0,
  portsUsed: 0,
  dialogs: 0,
  pendingRequests: 0,
  rooms: 0,
};

export type LogEntry = Record<string, unknown> & { readonly msg: string };

/** Workers and threads that serve many doors, one after another. */
export class PhoneGround {
  readonly sfu: Sfu;
  readonly threads: MediaThreads;
  readonly rooms: Rooms;

  private constructor(sfu: Sfu, threads: MediaThreads) {
    this.sfu = sfu;
    this.threads = threads;
    this.rooms = new Rooms({ sfu, log: silentLog });
  }

  static async open(rtpPortMin: number, ports = 200): Promise<PhoneGround> {
    const threads = MediaThreads.start({
      count: 1,
      rtpAddress: '127.0.0.1',
      rtpPortMin,
      rtpPortMax: rtpPortMin + ports - 1,
      quarantineMs: 0,
      logLevel: 'silent',
      agent: {},
      entry: new URL('../tone-voice.ts', import.meta.url),
    });
    return new PhoneGround(await startSfu({ workers: 1 }), await threads);
  }

  async census(): Promise<Census> {
    const [first] = await this.threads.census();
    if (first === undefined) throw new Error('no media thread');
    return first.census;
  }

  async close(): Promise<void> {
    await this.rooms.close();
    await Promise.all([this.sfu.close(), this.threads.close()]);
  }
}

export class PhoneStage {
  readonly door: PhoneDoor;
  readonly server: TestSipServer;
  readonly ground: PhoneGround;
  readonly journal: Journal;
  readonly agents: StubAgent[];
  readonly log: LogEntry[];
  readonly #callers: SipCaller[] = [];

  private constructor(
    parts: Omit<PhoneStage, 'newCaller' | 'sipPort' | 'cdrs' | 'agent' | 'close' | 'lastCdr' | 'leftovers'>,
  ) {
    this.door = parts.door;
    this.server = parts.server;
    this.ground = parts.ground;
    this.journal = parts.journal;
    this.agents = parts.agents;
    this.log = parts.log;
  }

  /** `ready`: when the agent of the n-th call has its first word; default: at once. */
  static async open(
    ground: PhoneGround,
    options: StageOptions = {},
    ready: (call: number) => Promise<void> = () => Promise.resolve(),
  ): Promise<PhoneStage> {
    const { trunks = [LOCAL_TRUNK], numbers = [CLINIC], calls, timers, clock } = options;
    const server = await startTestSipServer(timers === undefined ? {} : { timers });
    const agents: StubAgent[] = [];
    const log: LogEntry[] = [];
    const journal = new Journal();
    const openAgent: OpenAgent = (agentOptions) => {
      const agent = new StubAgent(agentOptions, ready(agents.length));
      agents.push(agent);
      return agent;
    };
    const door = await PhoneDoor.start({
      server: server.admin,
      trunks,
      numbers,
      calls: { max: 50, per_second_max: 100, answer_after_ms: 3000, duration_max_ms: 3_600_000, ...calls },
      tenantGate: options.tenantGate,
      sessionExpiresS: 1800,
      mediaAddress: '127.0.0.1',
      threads: ground.threads,
      rooms: ground.rooms,
      openAgent,
      deskSide: { calls: new LiveCalls(), desk: { isHandedOver: () => false } },
      journal,
      log: recordingLog(log),
      ...(clock === undefined ? {} : { clock }),
    });
    return new PhoneStage({ door, server, ground, journal, agents, log });
  }

  get sipPort(): number {
    return this.server.udpPort;
  }

  async newCaller(address?: string): Promise<SipCaller> {
    const caller = await SipCaller.open(this.sipPort, address);
    this.#callers.push(caller);
    return caller;
  }

  /** The agent of the latest call. */
  get agent(): StubAgent {
    const agent = this.agents.at(-1);
    if (agent === undefined) throw new Error('no call has an agent yet');
    return agent;
  }

  get cdrs(): Record<string, unknown>[] {
    return this.log.flatMap((entry) =>
      entry['cdr'] === undefined ? [] : [entry['cdr'] as Record<string, unknown>],
    );
  }

  /** The CDR that comes next, or came last, when all calls are over. */
  async lastCdr(): Promise<Record<string, unknown>> {
    await until('all calls are over', () => this.door.calls === 0);
    const cdr = this.cdrs.at(-1);
    if (cdr === undefined) throw new Error('no CDR was written');
    return cdr;
  }

  /** What is open now that no call is: all zero, or something was forgotten. */
  async leftovers(): Promise<Record<string, number>> {
    await until('all calls are over', () => this.door.calls === 0);
    const { legs, links, voices, players, patches, sockets, portsUsed } = await this.ground.census();
    // A drachtio-server does not tell what it has open.
    const { dialogs, pendingRequests } = this.server.census() ?? { dialogs: 0, pendingRequests: 0 };
    const rooms = this.ground.rooms.size;
    return { legs, links, voices, players, patches, sockets, portsUsed, dialogs, pendingRequests, rooms };
  }

  async close(): Promise<void> {
    await this.door.close();
    await this.server.close();
    await Promise.all(this.#callers.map((caller) => caller.close()));
  }
}

function recordingLog(entries: LogEntry[]): PhoneDoorOptions['log'] {
  const sink = new Writable({
    write(chunk: Buffer, _encoding, done) {
      entries.push(JSON.parse(chunk.toString()) as LogEntry);
      done();
    },
  });
  return pino({ level: 'debug', base: null }, sink);
}
