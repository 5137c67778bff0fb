import { createServer, type Server, type Socket } from 'node:net';
import { once } from 'node:events';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { signalling_grace_ms } from '../../../src/phone/inbound-call.ts';
import type { SipRequest } from '../../../src/phone/sip-request.ts';
import { SipFront } from '../../../src/phone/srf.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { SipCaller } from '../../support/phone-door/caller.ts';
import { NOTHING_OPEN, PhoneGround, PhoneStage } from '../../support/phone-door/stage.ts';
import { RtpEndpoint } from '../../support/phone/rtp-endpoint.ts';
import { writeOffer } from '../../support/phone/sdp.ts';
import { silentLog } from '../../support/sfu.ts';
import {
  startTestSipServer,
  type TestSipServer,
  type TestSipServerOptions,
} from '../../support/sip-server/start.ts';
import { until } from '../../support/until.ts';

const closers: (() => unknown)[] = [];

afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

async function startServer(options: TestSipServerOptions = {}): Promise<TestSipServer> {
  const server = await startTestSipServer(options);
  closers.push(() => server.close());
  return server;
}

async function connect(server: TestSipServer): Promise<SipFront> {
  const front = await SipFront.connect({ server: server.admin, log: silentLog, retryMaxMs: 100 });
  closers.push(() => front.close());
  return front;
}

describe('the connection to the SIP server', () => {
  it('tells where calls arrive', async () => {
    const server = await startServer();
    const front = await connect(server);
    const contacts = [`tcp/127.0.0.1:${server.tcpPort}`, `udp/127.0.0.1:${server.udpPort}`];
    expect([...front.hostPorts].sort()).toEqual(contacts);
    expect(front.connected).toBe(true);
  });

  it('has its routes as soon as it is there, and refuses what comes before anybody listens', async () => {
    const server = await startServer();
    await connect(server);
    const caller = await SipCaller.open(server.udpPort);
    closers.push(() => caller.close());
    const early = await caller.ask({ method: 'OPTIONS' });
    expect([early.status, early.header('Retry-After')]).toEqual([503, '10']);
  });

  it('is refused with a wrong secret', async () => {
    const server = await startServer();
    const wrong = { ...server.admin, secret: 'guess' };
    await expect(SipFront.connect({ server: wrong, log: silentLog })).rejects.toThrow(
      'SIP_SERVER_UNREACHABLE',
    );
    await until('the connection is gone', () => !server.census()?.applications);
  });

  it('is given up in good time where nothing listens', async () => {
    const blocker: Server = createServer();
    blocker.listen(0, '127.0.0.1');
    await once(blocker, 'listening');
    const { port } = blocker.address() as { port: number };
    await new Promise((resolve) => blocker.close(resolve));
    const nobody = { host: '127.0.0.1', port, secret: '' };
    const attempt = SipFront.connect({ server: nobody, log: silentLog, connectTimeoutMs: 300 });
    await expect(attempt).rejects.toThrow(/SIP_SERVER_UNREACHABLE.*ECONNREFUSED/);
  });

  it('comes back by itself, and calls come through again', async () => {
    const first = await startServer();
    const front = await connect(first);
    const told: string[] = [];
    front.events.on('signalling-lost', () => told.push('lost'));
    front.events.on('signalling-restored', () => told.push('restored'));
    const requests: SipRequest[] = [];
    front.events.on('request', (request) => {
      requests.push(request);
      request.respond(200);
    });
    const { udpPort: port, admin } = first;
    await first.close();
    await until('the loss is told', () => told.length === 1);
    expect(front.connected).toBe(false);
    await startServer({ port, adminPort: admin.port, transports: ['udp'] });
    await until('the return is told', () => told.length === 2);
    expect(told).toEqual(['lost', 'restored']);
    const caller = await SipCaller.open(port);
    closers.push(() => caller.close());
    expect((await caller.ask({ method: 'OPTIONS' })).status).toBe(200);
    expect(requests.map((request) => request.method)).toEqual(['OPTIONS']);
  });

  it('makes no further attempt once it is closed', async () => {
    const server = await startServer();
    const front = await connect(server);
    const { port } = server.admin;
    await server.close();
    await until('the loss is seen', () => !front.connected);
    front.close();
    front.close();
    const calls: Socket[] = [];
    const listener = createServer((socket) => calls.push(socket));
    listener.listen(port, '127.0.0.1');
    await once(listener, 'listening');
    closers.push(() => listener.close());
    const startedMs = performance.now();
    await until('many pauses are over', () => performance.now() - startedMs > 600);
    expect(calls).toEqual([]);
  });
});

describe('a call whose SIP server is lost', () => {
  let ground: PhoneGround;

  beforeAll(async () => {
    ground = await PhoneGround.open(32_200);
  });
  afterAll(async () => {
    await ground.close();
  });

  it('keeps its sound, and is over for us when it ends', async () => {
    const stage = await PhoneStage.open(ground);
    const phone = await RtpEndpoint.open('pcmu');
    const caller = await stage.newCaller();
    await caller.call(writeOffer({ port: phone.port, codecs: ['pcmu'] }));
    await stage.server.close();
    const before = phone.received.packets.length;
    await until('sound goes on', () => phone.received.packets.length > before + 20);
    expect(stage.door.calls).toBe(1);
    stage.agent.events.emit('hangUp', { reason: 'done' });
    expect(await stage.lastCdr()).toMatchObject({ ending: 'agent-hung-up' });
    phone.close();
    await stage.close();
    expect(await stage.leftovers()).toMatchObject({
      ...NOTHING_OPEN,
      dialogs: expect.any(Number) as unknown,
    });
  });

  it('goes on when the server is back, beside new ones, and ends when the grace is over', async () => {
    const clock = new ManualClock();
    const stage = await PhoneStage.open(ground, { clock });
    const phone = await RtpEndpoint.open('pcmu');
    closers.push(() => phone.close());
    const caller = await stage.newCaller();
    await caller.call(writeOffer({ port: phone.port, codecs: ['pcmu'] }));
    await until('the agent greets', () => stage.agent.greetings === 1);
    const { udpPort: port, admin } = stage.server;
    await stage.server.close();
    await startServer({ port, adminPort: admin.port, transports: ['udp'] });
    const connections = (): number =>
      stage.log.filter((entry) => entry.msg === 'SIP server connected').length;
    await until('the door is back', () => connections() === 2);
    const late = await stage.newCaller();
    await late.call(writeOffer({ port: 40_000, codecs: ['pcmu'] }));
    // The new server has never heard of the old call.
    expect((await caller.bye()).status).toBe(481);
    const before = phone.received.packets.length;
    await until('sound goes on', () => phone.received.packets.length > before + 20);
    expect(stage.door.calls).toBe(2);
    clock.advance(signalling_grace_ms);
    await until('the old call is over', () => stage.cdrs.length === 1);
    expect(stage.cdrs[0]).toMatchObject({ sipCallId: caller.callId, ending: 'signalling-lost' });
    expect((await late.bye()).status).toBe(200);
    expect(await stage.lastCdr()).toMatchObject({ sipCallId: late.callId, ending: 'caller-hung-up' });
    await stage.close();
  });
});
