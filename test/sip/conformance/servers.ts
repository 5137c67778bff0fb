/** Starts the server under test: embedded in this process, or a real drachtio-server as a child. */
import { spawn } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer, connect, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { startSipServer, type SipServerOptions } from '../../../sip/server/server.ts';
import { RFC_TIMERS, transactionTimeoutMs } from '../../../sip/server/timers.ts';
import { DRACHTIO_BINARY } from './table.ts';

export interface ServerUnderTest {
  /** Port of its UDP contact and of its TCP contact on 127.0.0.1. */
  readonly udpPort: number;
  readonly tcpPort: number;
  readonly admin: { host: string; port: number; secret: string };
  close(): Promise<void>;
}

const SECRET = 'conformance';

export async function startServer(options: Partial<SipServerOptions> = {}): Promise<ServerUnderTest> {
  return DRACHTIO_BINARY === undefined ? startEmbedded(options) : startDrachtio(DRACHTIO_BINARY, options);
}

async function startEmbedded(options: Partial<SipServerOptions>): Promise<ServerUnderTest> {
  const server = await startSipServer({
    contacts: [
      { transport: 'udp', host: '127.0.0.1', port: 0 },
      { transport: 'tcp', host: '127.0.0.1', port: 0 },
    ],
    admin: { host: '127.0.0.1', port: 0, secret: SECRET },
    ...options,
  });
  const [udp, tcp] = server.contacts;
  return {
    udpPort: udp?.port ?? 0,
    tcpPort: tcp?.port ?? 0,
    admin: server.admin,
    close: () => server.close(),
  };
}

/** A port that is free for UDP and TCP right now. */
async function freePort(): Promise<number> {
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

async function startDrachtio(binary: string, options: Partial<SipServerOptions>): Promise<ServerUnderTest> {
  const port = await freePort();
  const adminPort = await freePort();
  const folder = await mkdtemp(join(tmpdir(), 'drachtio-'));
  const template = await readFile(new URL('../../../sip/drachtio.conf.xml', import.meta.url), 'utf8');
  const contacts = ['udp', 'tcp'].map((name) => `<contact>sip:127.0.0.1:${port};transport=${name}</contact>`);
  const written = template
    .replace(
      /<admin\b[^>]*>[^<]*<\/admin>/,
      `<admin port="${adminPort}" secret="${SECRET}">127.0.0.1</admin>`,
    )
    .replace(/<contacts>[\s\S]*?<\/contacts>/, `<contacts>${contacts.join('')}</contacts>`)
    .replace(/<cdrs>[^<]*/, '<cdrs>true');
  const timers = { ...RFC_TIMERS, ...options.timers };
  const timersXml = Object.entries({
    t1: timers.t1Ms,
    t2: timers.t2Ms,
    t4: timers.t4Ms,
    t1x64: transactionTimeoutMs(timers),
  }).map(([name, valueMs]) => `<${name}>${valueMs}</${name}>`);
  const file = join(folder, 'drachtio.conf.xml');
  await writeFile(
    file,
    written.replace(/<timers>[\s\S]*?<\/timers>/, `<timers>${timersXml.join('')}</timers>`),
  );
  const child = spawn(binary, ['-f', file], { cwd: folder, stdio: 'ignore' });
  const exited = once(child, 'exit');
  await Promise.race([
    accepting(adminPort),
    exited.then(() => Promise.reject(new Error(`${binary} did not start: see ${file}`))),
  ]);
  return {
    udpPort: port,
    tcpPort: port,
    admin: { host: '127.0.0.1', port: adminPort, secret: SECRET },
    close: async () => {
      child.kill('SIGKILL');
      await exited;
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** Resolves when something accepts connections there; at most 10 s. */
async function accepting(port: number): Promise<void> {
  const untilMs = performance.now() + 10_000;
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
