/**
 * Debian's coturn with the configuration that ships (config/coturn), on loopback and free ports.
 * Nothing else of that configuration is changed, so that what is proved is what an operator starts.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { createHash, X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { packageRoot } from '../../src/config.ts';
import { makeCertificate } from './certificate.ts';
import { freeTcpPort } from './baresip.ts';
import { until } from './until.ts';

const host = '127.0.0.1';
/** Above the ports that the kernel gives away, and apart from those of other parts. */
const relay_ports = { min: 61_000, max: 61_999 };
const start_patience_ms = 15_000;

export class Coturn {
  readonly secret = 'shared-by-coturn-and-gateway';
  /** For web.ice.turn_urls: UDP, TCP, TLS. */
  readonly urls: readonly string[];
  /** The SHA-256 of its certificate's public key, base64: for a browser that is to trust just this one. */
  readonly keyDigest: string;
  readonly #child: ChildProcess;
  readonly #folder: string;
  readonly #printed: { text: string };

  private constructor(parts: {
    child: ChildProcess;
    folder: string;
    printed: { text: string };
    urls: string[];
    keyDigest: string;
  }) {
    this.#child = parts.child;
    this.#folder = parts.folder;
    this.#printed = parts.printed;
    this.urls = parts.urls;
    this.keyDigest = parts.keyDigest;
  }

  static async start(): Promise<Coturn> {
    const folder = await mkdtemp(join(tmpdir(), 'trunkline-coturn-'));
    const { keyFile, certFile } = await makeCertificate(folder);
    const [port, tlsPort] = [await freeTcpPort(), await freeTcpPort()];
    const child = spawn(
      'turnserver',
      [
        ...['-c', join(packageRoot, 'config', 'coturn', 'turnserver.conf')],
        ...[`--listening-ip=${host}`, `--relay-ip=${host}`],
        ...[`--listening-port=${port}`, `--tls-listening-port=${tlsPort}`],
        ...[`--min-port=${relay_ports.min}`, `--max-port=${relay_ports.max}`],
        ...[`--cert=${certFile}`, `--pkey=${keyFile}`],
        ...['--static-auth-secret=shared-by-coturn-and-gateway'],
        // The gateway of a test lives on loopback, too.
        ...[`--allowed-peer-ip=${host}`, '--allow-loopback-peers'],
        ...[`--pidfile=${join(folder, 'pid')}`, `--userdb=${join(folder, 'users')}`],
      ],
      { stdio: ['ignore', 'pipe', 'pipe'], cwd: folder },
    );
    const printed = { text: '' };
    for (const stream of [child.stdout, child.stderr])
      stream.on('data', (bytes: Buffer) => (printed.text += String(bytes)));
    const urls = [
      `turn:${host}:${port}?transport=udp`,
      `turn:${host}:${port}?transport=tcp`,
      `turns:${host}:${tlsPort}?transport=tcp`,
    ];
    const { publicKey } = new X509Certificate(await readFile(certFile));
    const key = publicKey.export({ type: 'spki', format: 'der' });
    const keyDigest = createHash('sha256').update(key).digest('base64');
    const coturn = new Coturn({ child, folder, printed, urls, keyDigest });
    try {
      await until('coturn says that it works', () => coturn.log.includes('admin thread'), start_patience_ms);
      for (const listening of [port, tlsPort])
        await once(connect(listening, host).on('connect', hangUp), 'close');
    } catch (error) {
      await coturn.close();
      throw new Error(printed.text.slice(-4000), { cause: error });
    }
    return coturn;
  }

  /** Everything that it has printed so far. */
  get log(): string {
    return this.#printed.text;
  }

  async close(): Promise<void> {
    const exited = this.#child.exitCode === null ? once(this.#child, 'exit') : Promise.resolve();
    this.#child.kill('SIGTERM');
    await exited;
    await rm(this.#folder, { recursive: true, force: true });
  }
}

function hangUp(this: Socket): void {
  this.destroy();
}
