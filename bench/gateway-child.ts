/** The gateway as it runs in earnest, `node src/main.ts`, with a configuration for the bench. */
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { stringify } from 'yaml';
import { startNode, type NodeChild } from './children.ts';
import { childrenRunning } from './process-usage.ts';

export const benchNumber = '+15550100';

const AFTER_CALLS = ['redis-server', 'pglite-process.ts', 'src/worker.ts'];
/** On a machine that has much else to do a database is a while in the making. */
const kept_ms_max = 180_000;

export interface GatewayChild extends Omit<NodeChild, 'words'> {
  readonly sipPort: number;
  readonly operatorUrl: string;
  readonly dataDir: string;
  /** Processes of what follows from calls, which it starts: the private Redis, the database, the worker. */
  readonly afterCalls: readonly number[];
}

/** An agent profile as its file holds it. */
type NamedProfile = Readonly<Record<string, unknown>> & { readonly name: string };

export interface GatewayChildOptions {
  readonly modelUrl: string;
  readonly callsMax: number;
  readonly appendMs: number;
  /** Writes a CPU profile per thread into this folder when the gateway ends. */
  readonly profileFolder?: string;
  /** Longest time until a call is answered whatever its voice does; absent: 10 s. */
  readonly answerAfterMs?: number;
  /** Who answers; absent: the echo. */
  readonly profile?: NamedProfile;
  /** Another program than `src/main.ts` that starts the gateway and answers orders. */
  readonly program?: string;
  /** Further sections of the configuration. */
  readonly sections?: object;
}

export async function startGateway(options: GatewayChildOptions): Promise<GatewayChild> {
  const folder = await mkdtemp(join(tmpdir(), 'trunkline-bench-'));
  const sipPort = await freeUdpPort();
  const operatorPort = await freeTcpPort();
  const profile = options.profile ?? echoProfile;
  const configFile = join(folder, 'trunkline.yaml');
  await mkdir(join(folder, 'agents'));
  await writeFile(join(folder, 'agents', `${profile.name}.yaml`), stringify(profile));
  const ports = { sipPort, operatorPort };
  await writeFile(configFile, stringify(configuration(folder, ports, { ...options, profile })));
  const profiling =
    options.profileFolder === undefined ? [] : ['--cpu-prof', '--cpu-prof-dir', options.profileFolder];
  const child = await startNode({
    args: [...profiling, options.program ?? 'src/main.ts'],
    answers: options.program !== undefined,
    env: { TRUNKLINE_CONFIG: configFile },
    ready: /Trunkline is ready/,
  });
  const operatorUrl = `http://127.0.0.1:${operatorPort}`;
  try {
    await untilKept(operatorUrl);
  } catch (error) {
    await child.stop();
    throw error;
  }
  const afterCalls = AFTER_CALLS.flatMap((word) => childrenRunning(child.pid, word));
  return {
    ...{
      pid: child.pid,
      ask: (order) => child.ask(order),
      sipPort,
      dataDir: folder,
      operatorUrl,
      afterCalls,
    },
    async stop() {
      await child.stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** The first start makes a database, which no call has to pay for. @throws Error when it takes too long */
async function untilKept(operatorUrl: string): Promise<void> {
  const giveUpMs = performance.now() + kept_ms_max;
  for (;;) {
    // Asks the database.
    const { ok } = await fetch(`${operatorUrl}/v1/appointments`);
    if (ok) return;
    if (performance.now() > giveUpMs) throw new Error('the database is not there');
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
}

/**
 * Listens for as long as the schema allows and never speaks up by itself: every word comes from the model.
 */
export const echoProfile = {
  name: 'echo',
  model: { adapter: 'realtime' },
  greeting: 'Hello.',
  not_understood: ['Sorry?'],
  still_there: ['Are you still there?'],
  anything_else: 'Anything else?',
  goodbye: 'Goodbye.',
  tasks: [{ name: 'talk', phrases: ['hello'], done: 'Done.' }],
  turns: { barge_in_ms: 2000, idle_ms: 120_000 },
};

function configuration(
  folder: string,
  { sipPort, operatorPort }: { readonly sipPort: number; readonly operatorPort: number },
  options: GatewayChildOptions & { readonly profile: NamedProfile },
): object {
  return {
    data_dir: folder,
    profiles_dir: join(folder, 'agents'),
    sip: { listen: [{ transport: 'udp', host: '127.0.0.1', port: sipPort }] },
    // Below the ports that the kernel gives away, and apart from the default range.
    media: { rtp_port_min: 26_000, rtp_port_max: 29_999 },
    operator: { port: operatorPort },
    web: { port: 0 },
    calls: {
      max: options.callsMax,
      per_second_max: 1000,
      answer_after_ms: options.answerAfterMs ?? 10_000,
      drain_ms: 1000,
    },
    realtime: { base_url: options.modelUrl, api_key: 'bench', append_ms: options.appendMs },
    trunks: [{ name: 'bench', allow: ['127.0.0.1/32'], codecs: ['pcmu'], calls_max: options.callsMax }],
    numbers: [{ number: benchNumber, profile: options.profile.name }],
    ...options.sections,
  };
}

async function freeUdpPort(): Promise<number> {
  const socket = createSocket('udp4').bind(0, '127.0.0.1');
  await once(socket, 'listening');
  const { port } = socket.address();
  await new Promise<void>((resolve) => socket.close(() => resolve()));
  return port;
}

async function freeTcpPort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  return typeof address === 'object' && address !== null ? address.port : 0;
}
