/** A gateway as people start it: `src/main.ts` in a process of its own, with a configuration file. */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parse, stringify } from 'yaml';
import { z } from 'zod';
import { packageRoot } from '../../src/config.ts';
import { freePort } from './sip-server/drachtio.ts';
import { startBesideGateway } from './sip-server/start.ts';

/** A start with a cold cache of language models, on a busy machine. */
const start_patience_ms = 60_000;

export interface GatewayProcess {
  /** `host:port` for UDP and TCP. */
  readonly target: string;
  readonly operatorUrl: string;
  /** Of the browser door: the widget, the console, the API. */
  readonly webUrl: string;
  readonly dataDir: string;
  readonly configFile: string;
  /** Of the process that runs now, or ran last. */
  readonly pid: number;
  /** Everything written to standard output so far: one JSON line per log entry. */
  readonly log: () => string;
  /** The CDRs among it, of its job process, too. */
  readonly cdrs: () => z.infer<typeof cdrLine>['cdr'][];
  /** SIGKILL; resolves when it is gone. Its children notice by themselves. */
  kill(): Promise<void>;
  /** After `kill`: a new process with the same configuration and data folder, once it is ready. */
  startAgain(): Promise<void>;
  /** SIGTERM; resolves with the exit code. Idempotent. */
  stop(): Promise<number | null>;
}

/**
 * Starts it with the shipped configuration, on free ports. Resolves when it says that it is ready.
 * `sections`: whole sections of the configuration in the place of the shipped ones, once the web door's
 * address is known.
 */
export async function startGatewayProcess(
  sections: (webUrl: string) => object = () => ({}),
): Promise<GatewayProcess> {
  const folder = await mkdtemp(join(tmpdir(), 'trunkline-main-'));
  const configFile = join(folder, 'trunkline.yaml');
  const [port, operatorPort, webPort] = [await freePort(), await freePort(), await freePort()];
  const drachtio = await startBesideGateway({ port, tls: undefined });
  const shipped = parse(await readFile(join(packageRoot, 'config', 'trunkline.yaml'), 'utf8')) as object;
  const rtpPortMin = 10_000 + (process.pid % 25) * 800;
  await writeFile(
    configFile,
    stringify({
      ...shipped,
      data_dir: folder,
      sip: {
        listen: ['udp', 'tcp'].map((transport) => ({ transport, host: '127.0.0.1', port })),
        ...(drachtio && { drachtio: drachtio.admin }),
      },
      media: { rtp_port_min: rtpPortMin, rtp_port_max: rtpPortMin + 799, threads: 1 },
      sfu: { workers: 1 },
      operator: { host: '127.0.0.1', port: operatorPort },
      web: { port: webPort },
      ...sections(`http://127.0.0.1:${webPort}`),
    }),
  );
  const printed = { log: '' };
  let life = spawnGateway(configFile, printed);
  const stop = async (): Promise<number | null> => {
    if (life.child.exitCode === null) life.child.kill('SIGTERM');
    const [code] = await life.exited;
    await drachtio?.close();
    await rm(folder, { recursive: true, force: true });
    return code;
  };
  const isReady = async (): Promise<void> => {
    try {
      await ready(life, printed);
    } catch (error) {
      await stop();
      throw error;
    }
  };
  await isReady();
  return {
    target: `127.0.0.1:${port}`,
    operatorUrl: `http://127.0.0.1:${operatorPort}`,
    webUrl: `http://127.0.0.1:${webPort}`,
    dataDir: folder,
    configFile,
    get pid() {
      return life.child.pid ?? 0;
    },
    log: () => printed.log,
    cdrs: () => cdrsIn(printed.log),
    kill: async () => {
      life.child.kill('SIGKILL');
      await life.exited;
    },
    startAgain: () => {
      life = spawnGateway(configFile, printed);
      return isReady();
    },
    stop,
  };
}

const cdrLine = z.object({
  cdr: z.looseObject({ callId: z.string(), sipCallId: z.string().default(''), ending: z.string() }),
});

function cdrsIn(log: string): z.infer<typeof cdrLine>['cdr'][] {
  // The last line may be half written.
  const whole = log.slice(0, log.lastIndexOf('\n') + 1);
  const lines = whole.split('\n').filter((line) => line.includes('"cdr"'));
  return lines.map((line) => cdrLine.parse(JSON.parse(line)).cdr);
}

/** One process of a gateway; what it prints is added to `printed`. */
interface Life {
  readonly child: ChildProcess;
  readonly exited: Promise<[number | null]>;
  /** What it wrote to standard error. */
  words: string;
}

function spawnGateway(configFile: string, printed: { log: string }): Life {
  const child = spawn(process.execPath, ['src/main.ts'], {
    cwd: packageRoot,
    env: { ...process.env, TRUNKLINE_CONFIG: configFile },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const life: Life = { child, exited: once(child, 'exit') as Promise<[number | null]>, words: '' };
  child.stdout.on('data', (bytes: Buffer) => (printed.log += String(bytes)));
  child.stderr.on('data', (bytes: Buffer) => (life.words += String(bytes)));
  return life;
}

async function ready(life: Life, printed: { readonly log: string }): Promise<void> {
  const patience = AbortSignal.timeout(start_patience_ms);
  const { child } = life;
  while (!life.words.includes('Trunkline is ready')) {
    if (child.exitCode !== null || patience.aborted)
      throw new Error(`the gateway did not start:\n${life.words}\n${printed.log.slice(-4000)}`);
    await Promise.race([
      child.stderr === null ? undefined : once(child.stderr, 'data'),
      once(child, 'exit'),
      once(patience, 'abort'),
    ]);
  }
}
