/** Lost, late, repeated and broken messages: a raw UDP peer against the server under test. */
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';

import {
  TestApplication,
  next,
  sdp,
  type Reply,
  type SipDialog,
  type SipRequestLike,
} from '../support/application.ts';
import { RawPeer, firstLine, header, tagIn } from '../support/raw-peer.ts';
import { startTestSipServer, type TestSipServer } from '../../support/sip-server/start.ts';
import { PATIENCE_MS, TEST_TIMERS, quirks } from '../../support/sip-server/table.ts';

const OK_INVITE = (message: string): boolean =>
  message.startsWith('SIP/2.0 200') && header(message, 'CSeq').endsWith('INVITE');

vi.setConfig({ testTimeout: 2 * PATIENCE_MS });

let server: TestSipServer;
let application: TestApplication;
let peer: RawPeer;

beforeAll(async () => {
  server = await startTestSipServer({ timers: TEST_TIMERS });
  application = await TestApplication.connect(server.admin, ['invite', 'options']);
});

afterAll(async () => {
  application.disconnect();
  await server.close();
});

beforeEach(async () => {
  application.handlers.clear();
  peer = await RawPeer.open(PATIENCE_MS);
});

afterEach(() => peer.close());

const send = (text: string): void => peer.send(server.udpPort, text);

function answerNextCall(): Promise<SipDialog> {
  return new Promise((resolve, reject) => {
    application.on('invite', (request, reply) => {
      application.answer(request, reply, sdp(4000)).then(resolve, reject);
    });
  });
}

describe('INVITE from the network', () => {
  it('is answered 100 at once and its repetitions reach the application once', async () => {
    let calls = 0;
    const arrived = new Promise<Reply>((resolve) => {
      application.on('invite', (_request, reply) => {
        calls += 1;
        resolve(reply);
      });
    });
    const invite = peer.invite({ user: 'x', port: server.udpPort });
    send(invite);
    await peer.waitFor((message) => message.startsWith('SIP/2.0 100'));
    const reply = await arrived;
    send(invite);
    if (quirks.repeatsTrying) await peer.until(() => peer.count(/^SIP\/2\.0 100/) === 2);
    reply.send(486);
    await peer.waitFor((message) => message.startsWith('SIP/2.0 486'));
    expect(calls).toBe(1);
  });

  it('that is never acknowledged has its 200 repeated and ends with a BYE that says why', async () => {
    const dialog = answerNextCall();
    send(peer.invite({ user: 'x', port: server.udpPort }));
    const ended = once(await dialog, 'destroy') as Promise<[SipRequestLike, string]>;
    const bye = await peer.waitFor((message) => message.startsWith('BYE'));
    expect(peer.received.filter(OK_INVITE).length).toBeGreaterThan(4);
    expect(header(bye, 'Reason')).toMatch(/cause=200\s*;\s*text="ACK timeout"/);
    send(peer.response(bye, '200 OK'));
    const [message, reason] = await ended;
    expect([message.method, reason]).toEqual(['BYE', 'ACK timeout']);
  });

  it('that is acknowledged late is kept, and the 200 is not repeated any more', async () => {
    const answered = answerNextCall();
    const invite = peer.invite({ user: 'x', port: server.udpPort, callId: `late-${peer.port}` });
    send(invite);
    await peer.until(() => peer.received.filter(OK_INVITE).length >= 3);
    const toTag = tagIn(header(peer.received.find(OK_INVITE) ?? '', 'To'));
    const inCall = { user: 'x', port: server.udpPort, callId: `late-${peer.port}`, toTag };
    const dialog = await answered;
    const acknowledged = next(dialog, 'ack');
    send(peer.request({ ...inCall, method: 'ACK' }));
    await acknowledged;
    const repeated = peer.received.filter(OK_INVITE).length;
    const ended = next(dialog, 'destroy');
    send(peer.request({ ...inCall, method: 'BYE', sequence: 2 }));
    await ended;
    expect(peer.received.filter(OK_INVITE).length).toBe(repeated);
  });

  it('that was cancelled gets 200 and 487, and the late answer is turned away', async () => {
    const cancelled = new Promise<Reply>((resolve) => {
      application.on('invite', (request, reply) => {
        request.on('cancel', () => resolve(reply));
        reply.send(180);
      });
    });
    const call = { user: 'x', port: server.udpPort, callId: `cancel-${peer.port}`, branch: peer.newBranch() };
    send(peer.invite(call));
    const ringing = await peer.waitFor((message) => message.startsWith('SIP/2.0 180'));
    send(peer.request({ ...call, method: 'CANCEL' }));
    const final = await peer.waitFor((message) => message.startsWith('SIP/2.0 487'));
    expect(header(final, 'To')).toBe(header(ringing, 'To'));
    await peer.waitFor(
      (message) => message.startsWith('SIP/2.0 200') && header(message, 'CSeq').endsWith('CANCEL'),
    );
    const reply = await cancelled;
    const late = new Promise<unknown>((resolve) =>
      reply.send(200, { body: sdp(1) }, (error) => resolve(error)),
    );
    expect(String(await late)).toContain('Response not sent due to unknown transaction');
    // 487 is repeated until the ACK, which belongs to the INVITE's transaction.
    await peer.until(() => peer.count(/^SIP\/2\.0 487/) >= 2);
    send(peer.request({ ...call, method: 'ACK', toTag: tagIn(header(final, 'To')) }));
  });

  it('with no hop left, and with an unknown Require, meets what the table says', async () => {
    application.on('invite', (_request, reply) => reply.send(404));
    send(peer.invite({ user: 'x', port: server.udpPort, maxForwards: 0 }));
    const hops = await peer.waitFor((message) => /^SIP\/2\.0 [3-6]/.test(message));
    expect(firstLine(hops)).toContain(String(quirks.noHopsStatus));
    send(
      peer.invite({
        user: 'x',
        port: server.udpPort,
        extra: ['Require: unknown-ext'],
        callId: `rq-${peer.port}`,
      }),
    );
    const required = await peer.waitFor(
      (message) => /^SIP\/2\.0 [3-6]/.test(message) && header(message, 'Call-ID') === `rq-${peer.port}`,
    );
    // Extensions are the application's business.
    expect(firstLine(required)).toContain('404');
  });
});

describe('requests in unknown dialogs', () => {
  it.each([
    ['BYE', 481],
    ['INFO', quirks.strayInfoStatus],
    ['INVITE', 481],
  ])('%s gets %d', async (method, expected) => {
    send(peer.request({ user: 'x', port: server.udpPort, method, toTag: 'nobody', sequence: 9 }));
    const refused = await peer.waitFor((message) => /^SIP\/2\.0 [3-6]/.test(message));
    expect(firstLine(refused)).toContain(` ${expected} `);
  });
});

describe('requests of the application', () => {
  it('end with a failure of our own making when nobody listens there', async () => {
    const { port } = peer;
    await peer.close();
    peer = await RawPeer.open(PATIENCE_MS);
    const response = await application.request({ uri: `sip:x@127.0.0.1:${port}`, method: 'OPTIONS' });
    expect(quirks.deadPortStatuses).toContain(response.status);
    const tcp = application.call(`sip:x@127.0.0.1:${port};transport=tcp`, { localSdp: sdp(1) });
    await expect(tcp).rejects.toMatchObject({ status: 503 });
  });

  it('are repeated with growing distance and given up with 408', async () => {
    const times: number[] = [];
    const call = application.call(`sip:x@127.0.0.1:${peer.port}`, { localSdp: sdp(1) });
    const over = call.then(
      () => 0,
      (error: unknown) => (error as { status: number }).status,
    );
    const seen = peer.until(() => {
      if (peer.received.length > times.length) times.push(performance.now());
      return times.length >= 6;
    });
    await seen;
    expect((times[5] ?? 0) - (times[4] ?? 0)).toBeGreaterThan((times[2] ?? 0) - (times[1] ?? 0));
    expect(await over).toBe(408);
  });

  it('have their ACK repeated when the 200 is', async () => {
    const call = application.call(`sip:x@127.0.0.1:${peer.port}`, { localSdp: sdp(1) });
    const invite = await peer.waitFor((message) => message.startsWith('INVITE'));
    const contact = [`Contact: <sip:raw@127.0.0.1:${peer.port}>`];
    const ok = peer.response(invite, '200 OK', contact, 'rawto', sdp(5000));
    send(ok);
    await peer.waitFor((message) => message.startsWith('ACK'));
    send(ok);
    await peer.until(() => peer.count(/^ACK/) === 2);
    const [first, second] = peer.received.filter((message) => message.startsWith('ACK'));
    expect(second).toBe(first);
    const dialog = await call;
    const destroyed = dialog.destroy();
    const bye = await peer.waitFor((message) => message.startsWith('BYE'));
    send(peer.response(bye, '200 OK'));
    await destroyed;
  });
});

describe('the admin port', () => {
  let socket: Socket;
  let text: string;

  beforeEach(async () => {
    text = '';
    socket = connect(server.admin.port, '127.0.0.1');
    socket.on('error', () => undefined);
    socket.setEncoding('latin1').on('data', (chunk: string) => {
      text += chunk;
    });
    await once(socket, 'connect');
  });

  afterEach(() => {
    socket.destroy();
  });

  const frame = (payload: string): string => `${Buffer.byteLength(payload)}#${payload}`;

  async function ask(payload: string, pattern: RegExp): Promise<string> {
    socket.write(frame(payload));
    while (!pattern.test(text)) await once(socket, 'data', { signal: AbortSignal.timeout(5_000) });
    return text;
  }

  it('gives contacts and version for the right secret, and answers a ping', async () => {
    await ask(
      `r0|authenticate|${server.admin.secret}|`,
      /response\|r0\|OK\|\S*udp\/127\.0\.0\.1:\d+\S*\|v\d+\.\d+\.\d+/,
    );
    await ask('r1|ping', /response\|r1\|OK\|pong/);
  });

  it('turns a wrong secret away', async () => {
    const closed = once(socket, 'close');
    await ask('r0|authenticate|wrong|', /response\|r0\|NO\|incorrect secret/);
    await closed;
  });

  it('treats a stranger as the table says', async () => {
    await ask('r0|route|message', new RegExp(`response\\|r0\\|${quirks.routeBeforeAuthentication}`));
  });

  it('takes a frame in any pieces and counts bytes', async () => {
    for (const byte of Buffer.from(frame(`r0|authenticate|${server.admin.secret}|ünï`))) {
      socket.write(Buffer.from([byte]));
    }
    await ask('r1|ping', /response\|r0\|OK\|[\s\S]*response\|r1\|OK\|pong/);
  });

  it('says what cannot be done', async () => {
    await ask(`r0|authenticate|${server.admin.secret}|`, /response\|r0\|OK/);
    const end = '\r\nContent-Length: 0\r\n\r\n';
    await ask(
      `r1|sip||no-such-dialog\r\nINFO sip:placeholder SIP/2.0${end}`,
      /r1\|NOK\|.*unable to find dialog/,
    );
    await ask(`r2|sip|nope|\r\nSIP/2.0 200 OK\r\nCSeq: 1 INVITE${end}`, /r2\|NOK\|.*unknown transaction/);
    await ask(
      `r3|sip|nope|\r\nCANCEL sip:x@127.0.0.1 SIP/2.0${end}`,
      /r3\|NOK\|unable to cancel unknown transaction id: nope/,
    );
    await ask(
      `r4|sip||\r\nOPTIONS sip:x@127.0.0.1:5999;transport=tls SIP/2.0${end}`,
      /r4\|NOK\|requested protocol\/transport not available/,
    );
    await ask(
      `r5|sip||no-such-dialog\r\nACK sip:placeholder SIP/2.0${end}`,
      /r5\|NOK\|Server error: ACK for non-success/,
    );
  });
});
