/**
 * Seeded mutations of well-formed messages over UDP, TCP and the admin port: nothing crashes, calls still
 * work.
 */
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { parseMessage, requestDefect } from '../../../sip/server/parse.ts';
import { SipRequest } from '../../../sip/server/message.ts';
import { startSipServer, type SipServer } from '../../../sip/server/server.ts';
import { TestApplication, sdp } from '../support/application.ts';
import { RawPeer } from '../support/raw-peer.ts';

const SEED = 20_261_123;
const MESSAGES = 3_000;

/** mulberry32: the same mutations on every machine. */
function generator(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below;
  };
}

const PIECES = [
  ...[
    '\r\n',
    '\r\n\r\n',
    '\n',
    '\0',
    ':',
    ';',
    ',',
    '<',
    '>',
    '"',
    '\\',
    '@',
    '[',
    ']',
    '|',
    '#',
    ' ',
    '\t',
    '%',
    '=',
  ],
  ...[
    'SIP/2.0',
    'Via: ',
    'CSeq: 99999999999999999999 INVITE',
    'Content-Length: -1',
    'Content-Length: 999999999',
  ],
  ...[';tag=', ';branch=z9hG4bK', ';lr', 'sip:', 'sips:', 'tel:', 'INVITE', 'ACK', 'CANCEL', 'BYE', 'PRACK'],
  ...[
    'Max-Forwards: 0',
    'Require: 100rel',
    'Session-Expires: 1',
    'RAck: 1 1 INVITE',
    '\xff\xfe',
    '9'.repeat(400),
  ],
  ...['Route: <sip:127.0.0.1:1;lr>', 'Record-Route: ,,,', 'Contact: *', 'From:', 'To: <', 'a'.repeat(3_000)],
];

function mutate(text: string, random: (below: number) => number): string {
  let mutated = text;
  for (let times = 1 + random(4); times > 0; times -= 1) {
    const at = random(mutated.length + 1);
    const piece = PIECES[random(PIECES.length)] ?? '';
    const kind = random(6);
    if (kind === 0) mutated = mutated.slice(0, at) + piece + mutated.slice(at);
    else if (kind === 1) mutated = mutated.slice(0, at) + mutated.slice(at + 1 + random(20));
    else if (kind === 2)
      mutated = mutated.slice(0, at) + String.fromCharCode(random(256)) + mutated.slice(at + 1);
    else if (kind === 3) mutated = mutated.slice(0, at);
    else if (kind === 4)
      mutated = mutated.slice(0, at) + mutated.slice(at, at + random(60)).repeat(2) + mutated.slice(at);
    else mutated = mutated.replace(/\r\n/, () => `\r\n${piece}\r\n`);
  }
  return mutated;
}

let server: SipServer;
let application: TestApplication;
let peer: RawPeer;

beforeAll(async () => {
  server = await startSipServer({
    contacts: [
      { transport: 'udp', host: '127.0.0.1', port: 0 },
      { transport: 'tcp', host: '127.0.0.1', port: 0 },
    ],
    admin: { host: '127.0.0.1', port: 0, secret: 'fuzz' },
    timers: { t1Ms: 5, t2Ms: 20, t4Ms: 20, ringingMaxMs: 200 },
  });
  application = await TestApplication.connect(server.admin, ['invite', 'options', 'message']);
  application.on('invite', (_request, reply) => reply.send(486));
  application.on('options', (_request, reply) => reply.send(200));
  application.on('message', (_request, reply) => reply.send(202));
  peer = await RawPeer.open();
});

afterAll(async () => {
  application.disconnect();
  await peer.close();
  await server.close();
});

const portOf = (transport: string): number =>
  server.contacts.find((contact) => contact.transport === transport)?.port ?? 0;

/** A call is still refused as it should be, and no bug was met. */
async function stillWorks(): Promise<void> {
  const id = `alive-${Math.random()}`;
  peer.send(portOf('udp'), peer.invite({ user: 'x', port: portOf('udp'), callId: id }));
  await peer.waitFor((message) => message.startsWith('SIP/2.0 486') && message.includes(`Call-ID: ${id}`));
  expect(server.counters()['bugs']).toBeUndefined();
}

function samples(): string[] {
  const parts = { user: 'x', port: portOf('udp') };
  return [
    peer.invite(parts),
    peer.invite({ ...parts, extra: ['Supported: 100rel, timer', 'Session-Expires: 1800;refresher=uac'] }),
    peer.request({ ...parts, method: 'OPTIONS' }),
    peer.request({ ...parts, method: 'MESSAGE', body: 'hello' }),
    peer.request({ ...parts, method: 'CANCEL' }),
    peer.request({ ...parts, method: 'ACK', toTag: 'x' }),
    peer.request({ ...parts, method: 'BYE', toTag: 'x' }),
    [
      ...['SIP/2.0 200 OK', 'Via: SIP/2.0/UDP 127.0.0.1;branch=z9hG4bKx', 'From: <sip:a@b>;tag=1'],
      ...['To: <sip:c@d>;tag=2', 'Call-ID: 1', 'CSeq: 1 INVITE', 'Content-Length: 0', '', ''],
    ].join('\r\n'),
  ];
}

describe('mutated messages', () => {
  it('are read or refused, never thrown at', () => {
    const random = generator(SEED);
    const originals = samples();
    let refused = 0;
    for (let count = 0; count < 2 * MESSAGES; count += 1) {
      const { message, defect } = parseMessage(mutate(originals[count % originals.length] ?? '', random));
      const broken = defect ?? (message instanceof SipRequest ? requestDefect(message) : undefined);
      if (message === undefined || broken !== undefined) refused += 1;
      else expect(parseMessage(message.toString()).message?.toString()).toBe(message.toString());
    }
    expect(refused).toBeGreaterThan(MESSAGES / 4);
  });

  it('over UDP leave the server in order', async () => {
    const random = generator(SEED + 1);
    const originals = samples();
    for (let count = 0; count < MESSAGES; count += 1) {
      peer.send(portOf('udp'), mutate(originals[count % originals.length] ?? '', random));
      // The kernel drops what a burst leaves no room for: every hundredth message is waited for.
      if (count % 100 === 99) await stillWorks();
    }
    expect(server.counters()['malformed.requests']).toBeGreaterThan(100);
  });

  it('over TCP leave the server in order', async () => {
    const random = generator(SEED + 2);
    const originals = samples();
    for (let round = 0; round < 60; round += 1) {
      const socket = connect(portOf('tcp'), '127.0.0.1');
      socket.on('error', () => undefined).resume();
      await once(socket, 'connect');
      const text = Array.from({ length: 30 }, (_, index) =>
        mutate(originals[index % originals.length] ?? '', random),
      );
      await sendAll(socket, text.join(''));
    }
    await stillWorks();
  });

  it('on the admin port leave the server in order', async () => {
    const random = generator(SEED + 3);
    const head = `INVITE sip:x@127.0.0.1:${peer.port} SIP/2.0\r\nFrom: <sip:a@localhost>`;
    const sip = `\r\n${head}\r\nContent-Length: 0\r\n\r\n${sdp(1)}`;
    const commands = [
      'r|route|invite2',
      'r|remove_route|invite2',
      'r|ping',
      `r|sip||${sip}`,
      `r|sip||no-such-dialog${sip}`,
      `r|sip|no-such-transaction|\r\nSIP/2.0 200 OK\r\nCSeq: 1 INVITE\r\n\r\n`,
      'r|proxy|x|remainInDialog|||serial|1s|2s|sip:a@b\r\nINVITE sip:x SIP/2.0\r\n\r\n',
    ];
    for (let round = 0; round < 60; round += 1) {
      const socket = connect(server.admin.port, '127.0.0.1');
      socket.on('error', () => undefined).resume();
      await once(socket, 'connect');
      const payloads = Array.from({ length: 20 }, (_, index) =>
        mutate(commands[index % commands.length] ?? '', random),
      );
      const frames = ['a|authenticate|fuzz|', ...payloads].map((text) => `${text.length}#${text}`);
      // One frame in a stream has a wrong length, so that the rest is read out of step.
      if (round % 3 === 0) frames[random(frames.length)] = `${random(999)}#x`;
      await sendAll(socket, frames.join(''));
    }
    await stillWorks();
  });

  it('leave nothing behind', async () => {
    const openNow = (): number => {
      const { clientTransactions, serverTransactions, dialogs, pendingRequests } = server.census();
      return clientTransactions + serverTransactions + dialogs + pendingRequests;
    };
    await expect.poll(openNow, { timeout: 15_000, interval: 50 }).toBe(0);
    await expect.poll(() => server.census().connections, { timeout: 5_000 }).toBe(0);
  });
});

async function sendAll(socket: Socket, text: string): Promise<void> {
  const closed = once(socket, 'close');
  socket.end(text, 'latin1');
  await closed;
}
