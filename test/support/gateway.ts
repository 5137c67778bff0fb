/**
 * A whole gateway for a test: the real SIP server, media threads, mediasoup workers and offline agent, on
 * free ports, with a data folder and a log of its own.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import { pino } from 'pino';
import type { z } from 'zod';
import { agentProfileSchema, type AgentProfile } from '../../src/agent/profile.ts';
import { configSchema } from '../../src/config-schema.ts';
import { loadSettings, readEnvironment, type Settings } from '../../src/config.ts';
import { startGateway, type Gateway, type GatewayCensus } from '../../src/gateway.ts';
import type { Cdr } from '../../src/phone/cdr.ts';
import { makeCertificate, type CertificateFiles } from './certificate.ts';
import { askCalls, type CallRecord } from './operator.ts';
import { freePort } from './sip-server/drachtio.ts';
import { startBesideGateway, type TestSipServer } from './sip-server/start.ts';
import { until } from './until.ts';

type ConfigInput = z.input<typeof configSchema>;
type TrunkInput = ConfigInput['trunks'][number];

export interface TestGatewayOptions {
  readonly trunks: TrunkInput[];
  readonly numbers: ConfigInput['numbers'];
  readonly profiles: readonly AgentProfile[];
  /** Listens on TLS, too. */
  readonly tls?: boolean;
  readonly calls?: ConfigInput['calls'];
  readonly threads?: number;
  readonly tools?: ConfigInput['tools'];
  /** Nothing is kept unless it is asked for. */
  readonly jobs?: ConfigInput['jobs'];
  /** The browser door; its port is any free one unless it is given. */
  readonly web?: ConfigInput['web'];
  /** Where speech-to-speech models are. */
  readonly models?: Pick<ConfigInput, 'realtime' | 'live'>;
  readonly desk?: ConfigInput['desk'];
  /** Where browsers reach the mediasoup worker. */
  readonly sfuAddress?: string;
  /** Where profiles with the adapter `realtime` find their model. */
  readonly realtime?: ConfigInput['realtime'];
  readonly pipeline?: ConfigInput['pipeline'];
  readonly limits?: ConfigInput['limits'];
}

const rtp_ports_per_process = 800;

export class TestGateway {
  readonly gateway: Gateway;
  /** `host:port`, the same for UDP and TCP. */
  readonly target: string;
  readonly tlsPort: number;
  readonly #log: TestLog;
  readonly #place: Place;

  private constructor(parts: {
    gateway: Gateway;
    target: string;
    tlsPort: number;
    log: TestLog;
    place: Place;
  }) {
    this.gateway = parts.gateway;
    this.target = parts.target;
    this.tlsPort = parts.tlsPort;
    this.#log = parts.log;
    this.#place = parts.place;
  }

  static async start(options: TestGatewayOptions): Promise<TestGateway> {
    const folder = await mkdtemp(join(tmpdir(), 'trunkline-gateway-'));
    const [port, tlsPort] = [await freePort(), await freePort()];
    const tls =
      options.tls === true ? { port: tlsPort, certificate: await makeCertificate(folder) } : undefined;
    const drachtio = await startBesideGateway({ port, tls });
    const place = { folder, port, tls, drachtio };
    const log = new TestLog();
    const settings = settingsOf(options, place);
    const gateway = await startGateway(settings, pino({ level: 'debug', base: null }, log));
    return new TestGateway({ gateway, target: `127.0.0.1:${port}`, tlsPort, log, place });
  }

  get operatorUrl(): string {
    return this.gateway.operatorUrl;
  }

  /** Lines of the log at level `warn` and above. */
  get complaints(): LogLine[] {
    return this.#log.lines.filter((line) => line.level >= 40);
  }

  get logLines(): readonly LogLine[] {
    return this.#log.lines;
  }

  /** The CDR of a call, once it has been written. */
  async cdr(sipCallId: string, patienceMs = 10_000): Promise<Cdr> {
    let found: Cdr | undefined;
    await until(
      `the CDR of ${sipCallId}`,
      () => {
        found = this.cdrs.find((cdr) => cdr.sipCallId === sipCallId);
        return found !== undefined;
      },
      patienceMs,
    );
    return found as unknown as Cdr;
  }

  get cdrs(): Cdr[] {
    return this.#log.lines.flatMap((line) => (line.cdr === undefined ? [] : [line.cdr]));
  }

  /** The operator's view of all recent calls, newest first. */
  async calls(): Promise<CallRecord[]> {
    return askCalls(this.operatorUrl);
  }

  /** The operator's view of a call, once `condition` holds. */
  async record(
    sipCallId: string,
    what: string,
    condition: (record: CallRecord) => boolean,
    patienceMs = 10_000,
  ): Promise<CallRecord> {
    let latest: CallRecord | undefined;
    let asking = false;
    const ask = async (): Promise<void> => {
      asking = true;
      [latest] = await askCalls(this.operatorUrl, sipCallId);
      asking = false;
    };
    await until(
      `${what} (call ${sipCallId})`,
      () => {
        if (!asking) void ask();
        return latest !== undefined && condition(latest);
      },
      patienceMs,
    );
    return latest as unknown as CallRecord;
  }

  /**
   * What is still open of calls that are over; empty when nothing is. Waits for what takes its time to close.
   * SIP transactions are left out: they linger for 32 s by intent (RFC 3261 §17).
   */
  async leftOpen(patienceMs = 10_000): Promise<string[]> {
    let open: string[] = ['not asked yet'];
    let asking = false;
    const ask = async (): Promise<void> => {
      asking = true;
      open = openParts(await this.gateway.census());
      asking = false;
    };
    const asked = (): boolean => {
      if (!asking) void ask();
      return open.length === 0;
    };
    await until('nothing is open', asked, patienceMs).catch(() => undefined);
    return open;
  }

  async close(): Promise<void> {
    await this.gateway.close();
    await this.#place.drachtio?.close();
    await rm(this.#place.folder, { recursive: true, force: true });
  }
}

/** Parts that calls open, and that must all be gone with them. */
const callParts = ['legs', 'links', 'voices', 'players', 'patches', 'sockets', 'portsUsed'] as const;

function openParts(census: GatewayCensus): string[] {
  const { calls, rooms, web, threads, sip } = census;
  const counts: [string, number][] = [
    ['calls', calls],
    ['rooms', rooms],
    ['visits', web.visits],
    ['guests', web.guests],
    ['browser transports', web.transports],
    ...threads.flatMap((thread) => callParts.map((part): [string, number] => [part, thread.census[part]])),
    ['dialogs', sip?.dialogs ?? 0],
    ['pending requests', sip?.pendingRequests ?? 0],
  ];
  return counts.filter(([, count]) => count !== 0).map(([part, count]) => `${count} ${part}`);
}

interface LogLine {
  readonly level: number;
  readonly msg?: string;
  readonly tool?: string;
  readonly cdr?: Cdr;
}

class TestLog extends Writable {
  readonly lines: LogLine[] = [];

  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    for (const line of chunk.toString().split('\n'))
      if (line !== '') this.lines.push(JSON.parse(line) as LogLine);
    done();
  }
}

interface Place {
  readonly folder: string;
  readonly port: number;
  readonly tls: { readonly port: number; readonly certificate: CertificateFiles } | undefined;
  /** Undefined: the gateway has a SIP server of its own. */
  readonly drachtio: TestSipServer | undefined;
}

function settingsOf(options: TestGatewayOptions, { folder, port, tls, drachtio }: Place): Settings {
  const host = '127.0.0.1';
  // Test files run beside each other: every process takes its RTP ports from a range of its own.
  const rtpPortMin = 10_000 + (process.pid % 25) * rtp_ports_per_process;
  const config = configSchema.parse({
    data_dir: folder,
    sip: {
      listen: [
        { transport: 'udp', host, port },
        { transport: 'tcp', host, port },
        ...(tls === undefined ? [] : [{ transport: 'tls', host, port: tls.port } as const]),
      ],
      ...(tls && { tls: { key_file: tls.certificate.keyFile, cert_file: tls.certificate.certFile } }),
      ...(drachtio && { drachtio: drachtio.admin }),
    },
    media: {
      rtp_port_min: rtpPortMin,
      rtp_port_max: rtpPortMin + rtp_ports_per_process - 1,
      quarantine_ms: 200,
      threads: options.threads ?? 1,
    },
    sfu: { workers: 1, listen_address: options.sfuAddress ?? host },
    operator: { port: 0 },
    // Redis, database and job process have tests of their own: hundreds of gateways need not start them each.
    jobs: { keep: false, ...options.jobs },
    web: { port: 0, ...options.web },
    ...options.models,
    desk: options.desk ?? {},
    ...(options.calls === undefined ? {} : { calls: options.calls }),
    ...(options.tools === undefined ? {} : { tools: options.tools }),
    ...(options.realtime === undefined ? {} : { realtime: options.realtime }),
    ...(options.limits === undefined ? {} : { limits: options.limits }),
    ...(options.pipeline === undefined ? {} : { pipeline: options.pipeline }),
    trunks: options.trunks,
    numbers: options.numbers,
  } satisfies ConfigInput);
  const profiles = new Map(options.profiles.map((profile) => [profile.name, profile]));
  return { config, profiles, dataDir: folder, environment: readEnvironment() };
}

/** The profile that ships in config/agents, but open every day: tests run on Saturdays, too. */
export function shippedProfile(name: string): AgentProfile {
  const profile = loadSettings(readEnvironment({})).profiles.get(name);
  if (profile === undefined) throw new Error(`config/agents has no ${name}`);
  const days = ['monday', 'tuesday', 'wednesday', 'thursday', 'friday', 'saturday', 'sunday'];
  const hours = Object.fromEntries(days.map((day) => [day, ['08:00-18:00']]));
  return agentProfileSchema.parse({
    ...profile,
    appointments: { ...profile.appointments, hours, holidays: [] },
  });
}

/** An agent that costs little: a short greeting, and then it waits `idleMs` before it says goodbye. */
export function briefProfile(name: string, idleMs: number): AgentProfile {
  return agentProfileSchema.parse({
    name,
    model: { voice: 'kal16' },
    greeting: 'Hello.',
    not_understood: ['Sorry?'],
    still_there: ['Are you there?'],
    anything_else: 'Anything else?',
    goodbye: 'Goodbye.',
    tasks: [{ name: 'goodbye', phrases: ['goodbye'], done: 'Goodbye.', ends_call: true }],
    turns: { idle_ms: idleMs },
  });
}
