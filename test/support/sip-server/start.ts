/** Starts the SIP server under test: embedded in this process, or a real drachtio-server as a child. */
import { startSipServer, type Census, type SipServerOptions } from '../../../sip/server/server.ts';
import type { Timers } from '../../../sip/server/timers.ts';
import { freePort, startDrachtio, type DrachtioOptions } from './drachtio.ts';
import { DRACHTIO_BINARY } from './table.ts';

export interface TestSipServerOptions {
  /** Of UDP and TCP; any free one by default. */
  readonly port?: number;
  readonly adminPort?: number;
  readonly timers?: Partial<Timers>;
  /** Default: UDP and TCP. drachtio-server opens both in any case. */
  readonly transports?: readonly ('udp' | 'tcp')[];
}

export interface TestSipServer {
  /** Ports of its contacts on 127.0.0.1; 0: it has none. */
  readonly udpPort: number;
  readonly tcpPort: number;
  readonly admin: { readonly host: string; readonly port: number; readonly secret: string };
  /** What is open in it; undefined: a drachtio-server, which tells nobody. */
  census(): Census | undefined;
  /** Ends it as a crash does: nobody is told. */
  close(): Promise<void>;
}

const host = '127.0.0.1';
const secret = 'open sesame';

export async function startTestSipServer(options: TestSipServerOptions = {}): Promise<TestSipServer> {
  return DRACHTIO_BINARY === undefined ? startEmbedded(options) : startReal(DRACHTIO_BINARY, options);
}

async function startEmbedded(options: TestSipServerOptions): Promise<TestSipServer> {
  const { port = 0, adminPort = 0, timers, transports = ['udp', 'tcp'] } = options;
  const settings: SipServerOptions = {
    contacts: transports.map((transport) => ({ transport, host, port })),
    admin: { host, port: adminPort, secret },
    ...(timers === undefined ? {} : { timers }),
  };
  const server = await startSipServer(settings);
  const portOf = (name: string): number =>
    server.contacts.find((contact) => contact.transport === name)?.port ?? 0;
  return {
    udpPort: portOf('udp'),
    tcpPort: portOf('tcp'),
    admin: server.admin,
    census: () => server.census(),
    close: () => server.close(),
  };
}

/** The server beside a whole gateway: a drachtio-server, or none, because the gateway brings its own. */
export async function startBesideGateway(
  options: Pick<DrachtioOptions, 'port' | 'tls'>,
): Promise<TestSipServer | undefined> {
  return DRACHTIO_BINARY === undefined ? undefined : startReal(DRACHTIO_BINARY, options);
}

async function startReal(
  binary: string,
  options: TestSipServerOptions & Pick<DrachtioOptions, 'tls'>,
): Promise<TestSipServer> {
  const { port = await freePort(), adminPort = await freePort(), timers = {}, tls } = options;
  const close = await startDrachtio({ binary, port, adminPort, secret, timers, tls });
  const admin = { host, port: adminPort, secret };
  return { udpPort: port, tcpPort: port, admin, census: () => undefined, close };
}
