/** A gateway as people start it: `src/main.ts` in a process of its own, with a configuration file. */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parse, stringify } from 'yaml';
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
  /** Everything written to standard output so far: one JSON line per log entry. */
  readonly log: () => string;
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
  const child = spawn(process.execPath, ['src/main.ts'], {
    cwd: packageRoot,
    env: { ...process.env, TRUNKLINE_CONFIG: configFile },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const printed = { log: '', words: '' };
  child.stdout.on('data', (bytes: Buffer) => (printed.log += String(bytes)));
  child.stderr.on('data', (bytes: Buffer) => (printed.words += String(bytes)));
  const exited = once(child, 'exit') as Promise<[number | null]>;
  const stop = async (): Promise<number | null> => {
    if (child.exitCode === null) child.kill('SIGTERM');
    const [code] = await exited;
    await drachtio?.close();
    await rm(folder, { recursive: true, force: true });
    return code;
  };
  try {
    await ready(child, printed);
  } catch (error) {
    await stop();
    throw error;
  }
  return {
    target: `127.0.0.1:${port}`,
    operatorUrl: `http://127.0.0.1:${operatorPort}`,
    webUrl: `http://127.0.0.1:${webPort}`,
    dataDir: folder,
    configFile,
    log: () => printed.log,
    stop,
  };
}

async function ready(child: ChildProcess, printed: { log: string; words: string }): Promise<void> {
  const patience = AbortSignal.timeout(start_patience_ms);
  while (!printed.words.includes('Trunkline is ready')) {
    if (child.exitCode !== null || patience.aborted)
      throw new Error(`the gateway did not start:\n${printed.words}\n${printed.log.slice(-4000)}`);
    await Promise.race([
      child.stderr === null ? undefined : once(child.stderr, 'data'),
      once(child, 'exit'),
      once(patience, 'abort'),
    ]);
  }
}
