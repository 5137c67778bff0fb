/** A real drachtio-server as a child process, configured from the file that ships. */
import { spawn } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { connect, createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { RFC_TIMERS, transactionTimeoutMs, type Timers } from '../../../sip/server/timers.ts';
import type { CertificateFiles } from '../certificate.ts';

const start_patience_ms = 10_000;

export interface DrachtioOptions {
  readonly binary: string;
  /** Of UDP and TCP. */
  readonly port: number;
  readonly adminPort: number;
  readonly secret: string;
  readonly timers: Partial<Timers>;
  readonly tls?: { readonly port: number; readonly certificate: CertificateFiles } | undefined;
}

/** Resolves with a function that kills it, when it takes applications and calls. */
export async function startDrachtio(options: DrachtioOptions): Promise<() => Promise<void>> {
  const { binary, adminPort, port, tls } = options;
  const folder = await mkdtemp(join(tmpdir(), 'drachtio-'));
  const file = join(folder, 'drachtio.conf.xml');
  const shipped = await readFile(new URL('../../../sip/drachtio.conf.xml', import.meta.url), 'utf8');
  await writeFile(file, configure(shipped, options));
  const child = spawn(binary, ['-f', file], {
    cwd: folder,
    stdio: 'ignore',
    // Without it, drachtio-server answers callers over TLS at sips: addresses that many phones do not take.
    env: { ...process.env, DRACHTIO_SUPPORT_BEST_EFFORT_TLS: '1' },
  });
  const exited = once(child, 'exit');
  await Promise.race([
    // It takes applications before it takes calls.
    Promise.all([adminPort, port, ...(tls === undefined ? [] : [tls.port])].map(accepting)),
    exited.then(() => Promise.reject(new Error(`${binary} did not start: see ${file}`))),
  ]);
  return async () => {
    child.kill('SIGKILL');
    await exited;
    await rm(folder, { recursive: true, force: true });
  };
}

/** The shipped file with other ports, secret and timers. */
function configure(shipped: string, options: DrachtioOptions): string {
  const { port, adminPort, secret, tls } = options;
  const contacts = ['udp', 'tcp'].map((name) => `<contact>sip:127.0.0.1:${port};transport=${name}</contact>`);
  if (tls !== undefined) contacts.push(`<contact>sips:127.0.0.1:${tls.port};transport=tls</contact>`);
  const timers = { ...RFC_TIMERS, ...options.timers };
  return shipped
    .replace(
      /<admin\b[^>]*>[^<]*<\/admin>/,
      `<admin port="${adminPort}" secret="${secret}">127.0.0.1</admin>`,
    )
    .replace(
      /<contacts>[\s\S]*?<\/contacts>/,
      `<contacts>${contacts.join('')}</contacts>${tls === undefined ? '' : tlsElement(tls.certificate)}`,
    )
    .replace(/<cdrs>[^<]*/, '<cdrs>true')
    .replace(/<timers>[\s\S]*?<\/timers>/, `<timers>${elements(timersOf(timers))}</timers>`);
}

function timersOf(timers: Timers): Record<string, number> {
  const { t1Ms: t1, t2Ms: t2, t4Ms: t4 } = timers;
  return { t1, t2, t4, t1x64: transactionTimeoutMs(timers) };
}

function tlsElement({ keyFile, certFile }: CertificateFiles): string {
  return `<tls>${elements({ 'key-file': keyFile, 'cert-file': certFile, 'chain-file': certFile })}</tls>`;
}

function elements(values: Record<string, string | number>): string {
  return Object.entries(values)
    .map(([name, value]) => `<${name}>${value}</${name}>`)
    .join('');
}

/** A port that is free for UDP and TCP right now. */
export async function freePort(): Promise<number> {
  const tcp = createServer().listen(0, '127.0.0.1');
  await once(tcp, 'listening');
  const { port } = tcp.address() as AddressInfo;
  const udp = createSocket('udp4');
  try {
    udp.bind(port, '127.0.0.1');
    await once(udp, 'listening');
    return port;
  } catch {
    return await freePort();
  } finally {
    udp.close();
    tcp.close();
  }
}

/** Resolves when something accepts connections there. */
async function accepting(port: number): Promise<void> {
  const untilMs = performance.now() + start_patience_ms;
  for (;;) {
    const socket = connect(port, '127.0.0.1');
    const came = await Promise.race([
      once(socket, 'connect').then(() => true),
      once(socket, 'close').then(() => false),
    ]).catch(() => false);
    socket.destroy();
    if (came) return;
    if (performance.now() > untilMs) throw new Error(`nothing listens on port ${port}`);
  }
}
