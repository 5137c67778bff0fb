/** Runs a SIPp scenario: a real, independent SIP user agent that does exactly what its XML says. */
import { spawn, type ChildProcess } from 'node:child_process';
import dgram from 'node:dgram';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { newId } from '../../src/base/ids.ts';

const scenarios = fileURLToPath(new URL('../../sip/scenarios/', import.meta.url));

export interface SippOptions {
  /** File name in sip/scenarios without `.xml`. */
  readonly scenario: string;
  /** `host:port` of the gateway. */
  readonly target: string;
  /** The number that is dialed. */
  readonly number?: string;
  /** Source address of the signalling. */
  readonly from?: string;
  readonly transport?: 'udp' | 'tcp';
  readonly calls?: number;
  /** New calls per second. */
  readonly rate?: number;
  /** Calls at a time. */
  readonly limit?: number;
  /** Takes a repeated message as a new one instead of sorting it out: a scenario can wait for it. */
  readonly seesRepeats?: boolean;
  /** `[name]` in the scenario becomes the value. */
  readonly keys?: Readonly<Record<string, string | number>>;
  /** Length of `<pause/>` without a length of its own, in ms. */
  readonly pauseMs?: number;
  /** End of patience for the whole run, in seconds. */
  readonly timeoutS?: number;
  /** Port that the SDP names; any free one when nothing is said. */
  readonly rtpPort?: number;
}

export interface SippResult {
  readonly successful: number;
  readonly failed: number;
  readonly retransmissions: number;
  /** What the scenario wrote by `<log message="…"/>`. */
  readonly log: string;
}

export interface SippRun {
  /** Call-ID of call 1; later calls count up in its first part. */
  readonly callId: string;
  /** Where the scenario listens for SIP. */
  readonly port: number;
  /** Resolves with the statistics when all calls did as told; rejects with SIPp's error log otherwise. */
  readonly done: Promise<SippResult>;
  /** Ends a scenario's wait for a MESSAGE: the test is done with the call in hand. */
  release(): void;
  /** Stops a run that is not wanted any more. Idempotent. */
  stop(): Promise<void>;
}

/** Exit codes of sipp (its manual, "Exit codes"). */
const all_calls_successful = 0;

export async function runSipp(options: SippOptions): Promise<SippResult> {
  const run = await startSipp(options);
  return run.done;
}

export async function startSipp(options: SippOptions): Promise<SippRun> {
  const folder = await mkdtemp(join(tmpdir(), 'trunkline-sipp-'));
  const address = options.from ?? '127.0.0.1';
  const port = await freeUdpPort(address);
  const callId = `1-${newId('sipp')}@${address}`;
  const rtpPort = options.rtpPort ?? (await freeUdpPort('127.0.0.1'));
  const child = spawn('sipp', argumentsOf(options, { folder, address, port, callId, rtpPort }), {
    cwd: folder,
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let complaint = '';
  child.stderr.on('data', (bytes: Buffer) => (complaint = `${complaint}${String(bytes)}`.slice(-4000)));
  const exited = exitOf(child);
  const done = exited.then(async (code) => {
    try {
      if (code !== all_calls_successful)
        throw new Error(
          `sipp ${options.scenario} failed (exit ${code}):\n${complaint}${await traces(folder)}`,
        );
      return await statistics(folder);
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  });
  done.catch(() => undefined);
  return {
    callId,
    port,
    done,
    release: () => sendMessage({ callId, address, port }),
    stop: async () => {
      if (child.exitCode === null) child.kill('SIGKILL');
      await exited;
    },
  };
}

interface Placement {
  readonly folder: string;
  readonly address: string;
  readonly port: number;
  readonly callId: string;
  readonly rtpPort: number;
}

function argumentsOf(options: SippOptions, place: Placement): string[] {
  const { transport = 'udp', calls = 1, rate = 10, limit = 100, timeoutS = 20 } = options;
  const keys = { rtp_port: place.rtpPort, ...options.keys };
  return [
    ...['-sf', join(scenarios, `${options.scenario}.xml`), '-s', options.number ?? '+15550100'],
    ...['-i', place.address, '-p', String(place.port), '-mi', '127.0.0.1'],
    ...['-t', transport === 'tcp' ? 't1' : 'u1'],
    // %u counts the calls, so that each has an identity that the test can foretell.
    ...['-cid_str', place.callId.replace(/^1-/, '%u-')],
    ...['-m', String(calls), '-r', String(rate), '-l', String(limit)],
    ...['-d', String(options.pauseMs ?? 500)],
    ...['-timeout', String(timeoutS), '-timeout_error', '-recv_timeout', String(timeoutS * 1000)],
    ...['-nostdin', '-default_behaviors', 'all,-bye'],
    ...['-trace_stat', '-stf', join(place.folder, 'statistics.csv'), '-fd', '1'],
    ...['-trace_logs', '-log_file', join(place.folder, 'scenario.log')],
    ...['-trace_err', '-error_file', join(place.folder, 'errors.log')],
    ...(calls === 1 ? ['-trace_msg', '-message_file', join(place.folder, 'messages.log')] : []),
    ...(options.seesRepeats === true ? ['-nr'] : []),
    ...Object.entries(keys).flatMap(([name, value]) => ['-key', name, String(value)]),
    options.target,
  ];
}

async function exitOf(child: ChildProcess): Promise<number | null> {
  const failed = once(child, 'error').then(([error]) => {
    throw new Error(`sipp cannot be started: ${String(error)}`);
  });
  const [code] = (await Promise.race([once(child, 'close'), failed])) as [number | null];
  return code;
}

async function traces(folder: string): Promise<string> {
  const read = (name: string): Promise<string> => readFile(join(folder, name), 'utf8').catch(() => '');
  const [errors, messages] = await Promise.all([read('errors.log'), read('messages.log')]);
  return `${errors.slice(-4000)}\n${messages.slice(-12_000)}`;
}

/** The last line of the statistics file holds the totals; its columns are named in the first. */
async function statistics(folder: string): Promise<SippResult> {
  const lines = (await readFile(join(folder, 'statistics.csv'), 'utf8')).trim().split('\n');
  const names = (lines[0] ?? '').split(';');
  const values = (lines.at(-1) ?? '').split(';');
  const total = (name: string): number => Number(values[names.indexOf(name)]);
  return {
    successful: total('SuccessfulCall(C)'),
    failed: total('FailedCall(C)'),
    retransmissions: total('Retransmissions(C)'),
    log: await readFile(join(folder, 'scenario.log'), 'utf8').catch(() => ''),
  };
}

function sendMessage({ callId, address, port }: Pick<Placement, 'callId' | 'address' | 'port'>): void {
  const socket = dgram.createSocket('udp4');
  const request = [
    `MESSAGE sip:scenario@${address}:${port} SIP/2.0`,
    'Via: SIP/2.0/UDP 127.0.0.1:9;branch=z9hG4bKrelease',
    'From: <sip:test@127.0.0.1>;tag=test',
    `To: <sip:scenario@${address}>`,
    `Call-ID: ${callId}`,
    'CSeq: 1 MESSAGE',
    'Max-Forwards: 70',
    'Content-Length: 0',
    '',
    '',
  ].join('\r\n');
  socket.send(request, port, address, () => socket.close());
}

/** A port that was free a moment ago: SIPp cannot be told to choose and tell. */
export async function freeUdpPort(address: string): Promise<number> {
  const socket = dgram.createSocket('udp4');
  socket.bind(0, address);
  await once(socket, 'listening');
  const { port } = socket.address();
  socket.close();
  await once(socket, 'close');
  return port;
}
