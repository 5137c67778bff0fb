/** Several applications on one server: turns, authority, and what becomes of calls when one goes. */
import { once } from 'node:events';
import { connect } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { startSipServer, type SipServer } from '../../../sip/server/server.ts';
import { TestApplication, next, sdp, type SipDialog, type SipRequestLike } from '../support/application.ts';
import { RawPeer, firstLine, header, tagIn } from '../support/raw-peer.ts';

let server: SipServer;
let first: TestApplication;
let peer: RawPeer;
let port: number;

beforeEach(async () => {
  server = await startSipServer({
    contacts: [{ transport: 'udp', host: '127.0.0.1', port: 0 }],
    admin: { host: '127.0.0.1', port: 0, secret: 'right' },
    timers: { t1Ms: 20, t2Ms: 80, t4Ms: 80 },
  });
  port = server.contacts[0]?.port ?? 0;
  first = await TestApplication.connect(server.admin, ['invite', 'options']);
  peer = await RawPeer.open();
});

afterEach(async () => {
  expect(server.counters()['bugs']).toBeUndefined();
  first.disconnect();
  await server.close();
  await peer.close();
});

const final = (message: string): boolean => /^SIP\/2\.0 [2-6]/.test(message);

async function ask(method: string): Promise<string> {
  peer.received.length = 0;
  peer.send(port, peer.request({ user: 'x', port, method }));
  return firstLine(await peer.waitFor(final));
}

/** A call that `first` has answered and the peer acknowledged. */
async function established(): Promise<{ dialog: SipDialog; toTag: string; callId: string }> {
  const callId = `kept-${peer.port}`;
  const answered = new Promise<SipDialog>((resolve, reject) => {
    first.on('invite', (request, reply) => {
      first.answer(request, reply, sdp(4000)).then(resolve, reject);
    });
  });
  peer.send(port, peer.invite({ user: 'x', port, callId }));
  const toTag = tagIn(header(await peer.waitFor(final), 'To'));
  const dialog = await answered;
  const acknowledged = next(dialog, 'ack');
  peer.send(port, peer.request({ user: 'x', port, callId, toTag, method: 'ACK' }));
  await acknowledged;
  return { dialog, toTag, callId };
}

async function leave(application: TestApplication): Promise<void> {
  const before = server.census().applications;
  application.disconnect();
  await expect.poll(() => server.census().applications, { timeout: 5_000, interval: 5 }).toBe(before - 1);
}

describe('requests', () => {
  it('go to the applications that want the verb, in turn', async () => {
    const second = await TestApplication.connect(server.admin, ['options', 'message']);
    const turns: string[] = [];
    for (const [name, application] of [
      ['first', first],
      ['second', second],
    ] as const) {
      for (const verb of ['options', 'message']) {
        application.on(verb, (_request, reply) => {
          turns.push(name);
          reply.send(200);
        });
      }
    }
    for (let count = 0; count < 4; count += 1) await ask('OPTIONS');
    await ask('MESSAGE');
    await ask('MESSAGE');
    expect(turns.slice(0, 4).sort()).toEqual(['first', 'first', 'second', 'second']);
    expect(turns.slice(4)).toEqual(['second', 'second']);
    second.disconnect();
  });

  it('that nobody wants get 405 with Allow while calls are taken, and 503 when they are not', async () => {
    expect(await ask('PUBLISH')).toBe('SIP/2.0 405 Method Not Allowed');
    const refused = peer.received.find(final) ?? '';
    expect(header(refused, 'Allow').split(', ').sort()).toEqual(['INVITE', 'OPTIONS']);
    await leave(first);
    expect(await ask('OPTIONS')).toBe('SIP/2.0 503 Service Unavailable');
    peer.received.length = 0;
    peer.send(port, peer.invite({ user: 'x', port }));
    expect(header(await peer.waitFor(final), 'Retry-After')).toBe('10');
  });

  it('are not answered by an application that did not get them', async () => {
    const asked = new Promise<SipRequestLike & { stackTxnId: string }>((resolve) => {
      first.on('invite', (request) => resolve(request as SipRequestLike & { stackTxnId: string }));
    });
    peer.send(port, peer.invite({ user: 'x', port }));
    const { stackTxnId } = await asked;
    const stranger = await Stranger.open(server.admin.port);
    await stranger.ask('a|authenticate|right|', /a\|OK/);
    const hijack = `b|sip|${stackTxnId}|\r\nSIP/2.0 200 OK\r\nContent-Length: 0\r\n\r\n`;
    expect(await stranger.ask(hijack, /b\|NOK/)).toContain('unknown transaction');
    stranger.close();
    expect(peer.count(/^SIP\/2\.0 200/)).toBe(0);
  });
});

describe('an application that goes', () => {
  it('leaves 503 behind for the calls it has not answered', async () => {
    const asked = new Promise<void>((resolve) => {
      first.on('invite', (_request, reply) => {
        reply.send(180);
        resolve();
      });
    });
    peer.send(port, peer.invite({ user: 'x', port }));
    await asked;
    await peer.waitFor((message) => message.startsWith('SIP/2.0 180'));
    await leave(first);
    expect(firstLine(await peer.waitFor(final))).toBe('SIP/2.0 503 Service Unavailable');
    await expect.poll(() => server.census().dialogs, { timeout: 5_000 }).toBe(0);
  });

  it('stops what it has made ring, and a late answer is acknowledged and ended', async () => {
    const uri = `sip:raw@127.0.0.1:${peer.port}`;
    void first.call(uri, { localSdp: sdp(1) }).catch(() => undefined);
    const invite = await peer.waitFor((message) => message.startsWith('INVITE'));
    peer.send(port, peer.response(invite, '180 Ringing'));
    await expect.poll(() => server.counters()['sent.udp'], { timeout: 5_000 }).toBeGreaterThan(0);
    await leave(first);
    await peer.waitFor((message) => message.startsWith('CANCEL'));
    peer.send(port, peer.response(invite, '200 OK', [`Contact: <${uri}>`], 'rawto', sdp(2)));
    await peer.waitFor((message) => message.startsWith('ACK'));
    const bye = await peer.waitFor((message) => message.startsWith('BYE'));
    peer.send(port, peer.response(bye, '200 OK'));
    await expect.poll(() => server.census().dialogs, { timeout: 5_000 }).toBe(0);
  });

  it('leaves its calls standing; the next one inherits them', async () => {
    const { toTag, callId } = await established();
    await leave(first);
    const inCall = { user: 'x', port, callId, toTag };
    peer.received.length = 0;
    peer.send(port, peer.request({ ...inCall, method: 'INFO', sequence: 2 }));
    expect(firstLine(await peer.waitFor(final))).toMatch(/ 503 /);
    const heir = await TestApplication.connect(server.admin, ['invite', 'info']);
    heir.on('info', (_request, reply) => reply.send(200));
    peer.received.length = 0;
    peer.send(port, peer.request({ ...inCall, method: 'INFO', sequence: 3 }));
    expect(firstLine(await peer.waitFor(final))).toMatch(/ 200 /);
    await leave(heir);
    peer.received.length = 0;
    peer.send(port, peer.request({ ...inCall, method: 'BYE', sequence: 4 }));
    expect(firstLine(await peer.waitFor(final))).toMatch(/ 200 /);
    expect(server.census().dialogs).toBe(0);
  });
});

describe('call records', () => {
  it('are told for attempt, start and stop', async () => {
    const told: string[] = [];
    const done = new Promise<void>((resolve) => {
      for (const kind of ['attempt', 'start', 'stop']) {
        first.srf.on(`cdr:${kind}`, (source: string, _time: string, detail: unknown) => {
          told.push([kind, source, typeof detail === 'string' ? detail : ''].join(' ').trim());
          if (kind === 'stop') resolve();
        });
      }
    });
    await first.roundTrip();
    const { toTag, callId } = await established();
    peer.send(port, peer.request({ user: 'x', port, callId, toTag, method: 'BYE', sequence: 2 }));
    await done;
    expect(told).toEqual(['attempt network', 'start application uas', 'stop network normal-release']);
  });
});

/** A bare socket on the admin port. */
class Stranger {
  #text = '';
  readonly #socket;

  static async open(adminPort: number): Promise<Stranger> {
    const socket = connect(adminPort, '127.0.0.1');
    await once(socket, 'connect');
    return new Stranger(socket);
  }

  constructor(socket: ReturnType<typeof connect>) {
    this.#socket = socket;
    socket.on('error', () => undefined);
    socket.setEncoding('latin1').on('data', (chunk: string) => {
      this.#text += chunk;
    });
  }

  async ask(payload: string, pattern: RegExp): Promise<string> {
    this.#socket.write(`${Buffer.byteLength(payload)}#${payload}`);
    while (!pattern.test(this.#text))
      await once(this.#socket, 'data', { signal: AbortSignal.timeout(5_000) });
    return this.#text;
  }

  close(): void {
    this.#socket.destroy();
  }
}

describe('the admin port', () => {
  it.each(['r0|route|invite', 'r0|ping', 'r0|sip||x\r\nBYE sip:x SIP/2.0\r\n\r\n', 'r0|proxy|x'])(
    'takes nothing from a stranger: %j',
    async (payload) => {
      const stranger = await Stranger.open(server.admin.port);
      expect(await stranger.ask(payload, /r0\|/)).toContain('response|r0|NO|not authenticated');
    },
  );

  it('refuses what it does not know, and ends the connection', async () => {
    const stranger = await Stranger.open(server.admin.port);
    await stranger.ask('r0|authenticate|right|', /r0\|OK/);
    await stranger.ask('r1|dance', /r1\|NO\|Unknown message type/);
    await expect.poll(() => server.census().applications, { timeout: 5_000 }).toBe(1);
    expect(server.counters()['admin.wrongSecret']).toBeUndefined();
  });

  it('counts wrong secrets', async () => {
    const stranger = await Stranger.open(server.admin.port);
    await stranger.ask('r0|authenticate|wrong|', /r0\|NO\|incorrect secret/);
    expect(server.counters()['admin.wrongSecret']).toBe(1);
  });
});
