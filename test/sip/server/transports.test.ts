/** TCP and TLS: framing, reuse, reconnection, limits; and what leaves over which way. */
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';

import { TrunklineError } from '../../../src/base/errors.ts';
import { LIMITS } from '../../../sip/server/limits.ts';
import { startSipServer, type SipServer } from '../../../sip/server/server.ts';
import { makeCertificate } from '../../support/certificate.ts';
import { TestApplication, next, sdp, type SipDialog } from '../support/application.ts';
import { RawPeer, header } from '../support/raw-peer.ts';

const TIMERS = { t1Ms: 20, t2Ms: 80, t4Ms: 80 };

let near: SipServer;
let far: SipServer;
let a: TestApplication;
let b: TestApplication;

beforeAll(async () => {
  const folder = await mkdtemp(join(tmpdir(), 'sip-tls-'));
  const { keyFile, certFile } = await makeCertificate(folder);
  const [key, cert] = await Promise.all([readFile(keyFile), readFile(certFile)]);
  await rm(folder, { recursive: true });
  const start = (trusts: boolean): Promise<SipServer> =>
    startSipServer({
      contacts: (['udp', 'tcp', 'tls'] as const).map((transport) => ({
        transport,
        host: '127.0.0.1',
        port: 0,
        tls: { key, cert, ...(trusts ? { ca: cert } : {}) },
      })),
      admin: { host: '127.0.0.1', port: 0, secret: 's' },
      timers: TIMERS,
    });
  near = await start(true);
  far = await start(false);
  a = await TestApplication.connect(near.admin, ['invite', 'options', 'message']);
  b = await TestApplication.connect(far.admin, ['invite', 'options', 'message']);
});

afterAll(async () => {
  a.disconnect();
  b.disconnect();
  await near.close();
  await far.close();
});

beforeEach(() => {
  a.handlers.clear();
  b.handlers.clear();
  for (const application of [a, b]) application.on('options', (_request, reply) => reply.send(200));
});

afterEach(() => {
  expect([near.counters()['bugs'], far.counters()['bugs']]).toEqual([undefined, undefined]);
});

const portOf = (server: SipServer, transport: string): number =>
  server.contacts.find((contact) => contact.transport === transport)?.port ?? 0;

/** A TCP socket that speaks SIP by hand. */
class RawStream {
  text = '';
  readonly socket: Socket;

  static async open(port: number): Promise<RawStream> {
    const socket = connect(port, '127.0.0.1');
    await once(socket, 'connect');
    return new RawStream(socket);
  }

  constructor(socket: Socket) {
    this.socket = socket;
    socket.on('error', () => undefined);
    socket.setEncoding('latin1').on('data', (chunk: string) => {
      this.text += chunk;
    });
  }

  async waitFor(pattern: RegExp): Promise<void> {
    while (!pattern.test(this.text)) await once(this.socket, 'data', { signal: AbortSignal.timeout(5_000) });
  }
}

function options(id: string, body = ''): string {
  const rows = [
    ...[
      'OPTIONS sip:x@127.0.0.1 SIP/2.0',
      `Via: SIP/2.0/TCP 127.0.0.1:9;branch=z9hG4bK${id}`,
      'Max-Forwards: 70',
    ],
    ...['From: <sip:a@b>;tag=1', 'To: <sip:x@127.0.0.1>', `Call-ID: ${id}`, 'CSeq: 1 OPTIONS'],
    `Content-Length: ${body.length}`,
  ];
  return `${rows.join('\r\n')}\r\n\r\n${body}`;
}

describe('streams', () => {
  it('carry several messages in one piece and one message in many', async () => {
    const stream = await RawStream.open(portOf(near, 'tcp'));
    stream.socket.write(options('one') + options('two', 'body'));
    await stream.waitFor(/Call-ID: two/);
    for (const byte of Buffer.from(options('three'))) stream.socket.write(Buffer.from([byte]));
    await stream.waitFor(/Call-ID: three/);
    expect(stream.text.match(/SIP\/2\.0 200/g)).toHaveLength(3);
    stream.socket.destroy();
  });

  it('answer a keep-alive (RFC 5626)', async () => {
    const stream = await RawStream.open(portOf(near, 'tcp'));
    stream.socket.write('\r\n\r\n');
    await stream.waitFor(/^\r\n$/);
    stream.socket.destroy();
  });

  it('are closed with 513 when a message is too long, with 400 when its length is none', async () => {
    for (const [length, status] of [
      [String(LIMITS.messageBytesMax), 513],
      ['many', 400],
    ] as const) {
      const stream = await RawStream.open(portOf(near, 'tcp'));
      const closed = once(stream.socket, 'close');
      stream.socket.write(options('long').replace('Content-Length: 0', `Content-Length: ${length}`));
      await closed;
      expect(stream.text).toContain(`SIP/2.0 ${status}`);
    }
  });

  it('carry long messages both ways', async () => {
    const body = 'ü'.repeat(30_000);
    const received = new Promise<string>((resolve) => {
      b.on('message', (request, reply) => {
        resolve(request.body);
        reply.send(200, { headers: { 'Content-Type': 'text/plain' }, body });
      });
    });
    const uri = `sip:x@127.0.0.1:${portOf(far, 'tcp')};transport=tcp`;
    const response = await a.request({
      uri,
      method: 'MESSAGE',
      headers: { 'Content-Type': 'text/plain' },
      body,
    });
    expect([await received, response.body]).toEqual([body, body]);
  });

  it('carry long messages over UDP too', async () => {
    const body = 'y'.repeat(30_000);
    b.on('message', (request, reply) => reply.send(request.body === body ? 200 : 400));
    const uri = `sip:x@127.0.0.1:${portOf(far, 'udp')}`;
    const headers = { 'Content-Type': 'text/plain' };
    expect((await a.request({ uri, method: 'MESSAGE', headers, body })).status).toBe(200);
  });

  it('serve a whole call over one connection, either way', async () => {
    const before = far.counters()['connections.accepted'] ?? 0;
    const answered = new Promise<SipDialog>((resolve, reject) => {
      b.on('invite', (request, reply) => {
        b.answer(request, reply, sdp(5000)).then(resolve, reject);
      });
    });
    const uri = `sip:x@127.0.0.1:${portOf(far, 'tls')};transport=tls`;
    const dialog = await a.call(uri, { localSdp: sdp(4000) });
    const theirs = await answered;
    expect((await dialog.request({ method: 'INFO' })).status).toBe(200);
    const ended = next(dialog, 'destroy');
    await theirs.destroy();
    await ended;
    expect((far.counters()['connections.accepted'] ?? 0) - before).toBe(1);
    expect(far.counters()['connections.opened']).toBeUndefined();
  });

  it('are not made to a TLS peer whose certificate nobody vouches for', async () => {
    const uri = `sip:x@127.0.0.1:${portOf(near, 'tls')};transport=tls`;
    expect((await b.request({ uri, method: 'OPTIONS' })).status).toBe(503);
  });
});

describe('a carrier over TCP', () => {
  let carrier: Server;
  let port: number;
  let connections: RawStream[];

  beforeEach(async () => {
    connections = [];
    carrier = createServer((socket) => connections.push(new RawStream(socket))).listen(0, '127.0.0.1');
    await once(carrier, 'listening');
    port = (carrier.address() as AddressInfo).port;
  });

  afterEach(async () => {
    const closed = once(carrier, 'close');
    carrier.close();
    for (const connection of connections) connection.socket.destroy();
    await closed;
  });

  /** Answers the last request of a connection with 200. */
  async function answer(connection: RawStream, id: RegExp): Promise<void> {
    await connection.waitFor(id);
    const request = connection.text.slice(connection.text.lastIndexOf('OPTIONS sip:'));
    const rows = request.split('\r\n').filter((row) => /^(Via|From|To|Call-ID|CSeq):/.test(row));
    connection.socket.write(`SIP/2.0 200 OK\r\n${rows.join('\r\n')}\r\nContent-Length: 0\r\n\r\n`);
  }

  async function connection(index: number): Promise<RawStream> {
    while (connections[index] === undefined)
      await once(carrier, 'connection', { signal: AbortSignal.timeout(5_000) });
    return connections[index];
  }

  function ask(callId: string): Promise<{ status: number }> {
    const uri = `sip:x@127.0.0.1:${port};transport=tcp`;
    return a.request({ uri, method: 'OPTIONS', headers: { 'Call-ID': callId } });
  }

  it('keeps its connection from one request to the next', async () => {
    for (const id of ['first', 'second']) {
      const response = ask(id);
      await answer(await connection(0), new RegExp(`Call-ID: ${id}`));
      expect((await response).status).toBe(200);
    }
    expect(connections).toHaveLength(1);
  });

  it('is connected to again after it closed an idle connection', async () => {
    const first = ask('idle');
    await answer(await connection(0), /Call-ID: idle/);
    await first;
    const before = near.census().connections;
    connections[0]?.socket.end();
    await expect.poll(() => near.census().connections, { timeout: 5_000, interval: 5 }).toBe(before - 1);
    const second = ask('again');
    await answer(await connection(1), /Call-ID: again/);
    expect((await second).status).toBe(200);
  });

  it('is tried once more when it closes while we write', async () => {
    const first = ask('race');
    await answer(await connection(0), /Call-ID: race/);
    await first;
    // The request goes out on a connection that the carrier resets at that moment.
    connections[0]?.socket.once('data', () => connections[0]?.socket.resetAndDestroy());
    const second = ask('retried');
    await answer(await connection(1), /Call-ID: retried/);
    expect((await second).status).toBe(200);
  });

  it('that closes for good is a 503', async () => {
    carrier.on('connection', (socket: Socket) => socket.destroy());
    expect((await ask('refused')).status).toBe(503);
  });
});

describe('over UDP', () => {
  it('answers go where rport says, or to the port of the Via', async () => {
    const peer = await RawPeer.open();
    const other = await RawPeer.open();
    const port = portOf(near, 'udp');
    const elsewhere = peer
      .request({ user: 'x', port, method: 'OPTIONS' })
      .replace(`127.0.0.1:${peer.port};branch`, `127.0.0.1:${other.port};branch`);
    peer.send(port, elsewhere);
    await other.waitFor((message) => message.startsWith('SIP/2.0 200'));
    peer.send(
      port,
      elsewhere
        .replace(';branch=', ';rport;branch=')
        .replace('CSeq: 1', 'CSeq: 2')
        .replace('z9hG4bK', 'z9hG4bKr'),
    );
    const here = await peer.waitFor((message) => message.startsWith('SIP/2.0 200'));
    expect(header(here, 'Via')).toContain(`rport=${peer.port}`);
    await peer.close();
    await other.close();
  });
});

describe('starting', () => {
  it.each(['udp', 'tcp'] as const)(
    'fails with SIP_PORT_IN_USE when the %s port is taken',
    async (transport) => {
      const taken = { transport, host: '127.0.0.1', port: portOf(near, transport) };
      const second = startSipServer({
        contacts: [taken],
        admin: { host: '127.0.0.1', port: 0, secret: 's' },
      });
      await expect(second).rejects.toSatisfy(
        (error) => error instanceof TrunklineError && error.code === 'SIP_PORT_IN_USE',
      );
    },
  );

  it('fails the same way when the admin port is taken, and leaves nothing listening', async () => {
    const contact = { transport: 'tcp', host: '127.0.0.1', port: 0 } as const;
    const second = startSipServer({ contacts: [contact], admin: { ...near.admin, secret: 's' } });
    await expect(second).rejects.toMatchObject({ code: 'SIP_PORT_IN_USE' });
  });
});
