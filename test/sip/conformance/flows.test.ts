/** Every kind of flow drachtio-srf knows, between a server under test (A) and a peer of the same kind (B). */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';

import type { TestApplication } from '../support/application.ts';
import { next, sdp, type Reply, type SipDialog, type SipRequestLike } from '../support/application.ts';
import { Pair, refusal } from '../support/pair.ts';
import { RawPeer } from '../support/raw-peer.ts';
import type { TestSipServer } from '../../support/sip-server/start.ts';
import { quirks } from '../../support/sip-server/table.ts';

let pair: Pair;
let a: TestApplication;
let b: TestApplication;
let uriA: string;
let uriB: string;
let serverA: TestSipServer;
let serverB: TestSipServer;

beforeAll(async () => {
  pair = await Pair.start();
  ({ a, b, uriA, uriB, serverA, serverB } = pair);
});

afterAll(() => pair.close());

beforeEach(() => pair.forget());

/** B or A answers every call; the returned promise is the dialog of the next one. */
function answering(application: TestApplication, port: number): Promise<SipDialog> {
  return new Promise((resolve, reject) => {
    application.on('invite', (request, reply) => {
      application.answer(request, reply, sdp(port)).then(resolve, reject);
    });
  });
}

describe('a call to the gateway', () => {
  it('is answered, carries INFO, re-INVITE, REFER and UPDATE, and is ended by the gateway', async () => {
    const seen: string[] = [];
    const answered = new Promise<SipDialog>((resolve, reject) => {
      a.on('invite', (request, reply) => {
        a.answer(request, reply, sdp(4000)).then((dialog) => {
          for (const name of ['info', 'refer', 'update']) {
            dialog.on(name, (_request: SipRequestLike, response: Reply) => {
              seen.push(name);
              response.send(name === 'refer' ? 202 : 200);
            });
          }
          dialog.on('modify', (_request: SipRequestLike, response: Reply) => {
            seen.push('modify');
            response.send(200, { body: sdp(4002) });
          });
          dialog.on('ack', () => seen.push('ack'));
          resolve(dialog);
        }, reject);
      });
    });
    const dialog = await b.call(uriA, { localSdp: sdp(5000) });
    const ours = await answered;
    const type = { 'Content-Type': 'application/dtmf-relay' };
    const info = await dialog.request({
      method: 'INFO',
      headers: type,
      body: 'Signal=5\r\nDuration=160\r\n',
    });
    expect(info.status).toBe(200);
    expect(await dialog.modify(sdp(5002))).toContain('m=audio 4002');
    const refer = await dialog.request({
      method: 'REFER',
      headers: { 'Refer-To': '<sip:x@127.0.0.1:5099>' },
    });
    expect(refer.status).toBe(202);
    expect((await dialog.request({ method: 'UPDATE' })).status).toBe(200);
    const ended = next<SipRequestLike>(dialog, 'destroy');
    await ours.destroy();
    expect((await ended).method).toBe('BYE');
    expect(seen).toEqual(expect.arrayContaining(['ack', 'info', 'modify', 'refer', 'update']));
    expect(ours.id).toMatch(/;from-tag=/);
  });

  it('is told where it came from and where it came to', async () => {
    const received = new Promise<SipRequestLike>((resolve) => {
      a.on('invite', (request, reply) => {
        resolve(request);
        reply.send(404);
      });
    });
    expect(await refusal(b.call(uriA, { localSdp: sdp(5000) }))).toBe(404);
    const request = await received;
    expect(request.protocol).toBe('udp');
    expect(request.source_address).toBe('127.0.0.1');
    expect(request.source_port).toBe(serverB.udpPort);
    expect(request.receivedOn).toBe(`127.0.0.1:${serverA.udpPort}`);
  });

  it('is refused with the status that the application chooses', async () => {
    a.on('invite', (_request, reply) => reply.send(603));
    expect(await refusal(b.call(uriA, { localSdp: sdp(5000) }))).toBe(603);
  });

  it('is cancelled by the caller', async () => {
    const cancelled = new Promise<void>((resolve) => {
      a.on('invite', (request, reply) => {
        request.on('cancel', () => resolve());
        reply.send(180);
      });
    });
    let cancel = (): void => undefined;
    const call = b.call(
      uriA,
      { localSdp: sdp(5000) },
      {
        cbRequest: (_error, request) => {
          cancel = () => request.cancel();
        },
        cbProvisional: (response) => {
          if (response.status === 180) cancel();
        },
      },
    );
    expect(await refusal(call)).toBe(487);
    await cancelled;
  });

  it('gets a reliable 183, whose PRACK the application sees', async () => {
    const pracked = new Promise<string>((resolve) => {
      a.on('invite', (request, reply) => {
        const headers = { Require: '100rel', RSeq: '1' };
        reply.send(183, { headers, body: sdp(4000) }, undefined, (prack) => {
          resolve(prack.method);
          void a.answer(request, reply, sdp(4000));
        });
      });
    });
    const dialog = await b.call(uriA, { localSdp: sdp(5000), headers: { Supported: '100rel' } });
    expect(await pracked).toBe('PRACK');
    await dialog.destroy();
  });

  it('is bridged by createB2BUA', async () => {
    const far = answering(b, 5000);
    const bridged = new Promise<{ uas: SipDialog; uac: SipDialog }>((resolve, reject) => {
      a.on('invite', (request, reply) => {
        a.srf.createB2BUA(request, reply, uriB, {}).then(resolve, reject);
      });
    });
    const headers = { 'Call-ID': `b2b-${process.pid}-${serverA.udpPort}` };
    const dialog = await b.call(uriA, { localSdp: sdp(5100), headers });
    const { uas, uac } = await bridged;
    uas.on('destroy', () => void uac.destroy());
    const ended = next(await far, 'destroy');
    expect(dialog.remote.sdp).toContain('m=audio 5000');
    await dialog.destroy();
    await ended;
  });

  it('is proxied, or told clearly that it is not', async () => {
    const result = new Promise<string>((resolve) => {
      a.on('invite', (request, reply) => {
        a.srf.proxyRequest(request, [uriB], { recordRoute: true, finalTimeout: '5s' }).then(
          () => resolve('proxied'),
          (error: unknown) => {
            reply.send(501);
            resolve(String(error));
          },
        );
      });
    });
    b.on('invite', (_request, reply) => reply.send(486));
    const caller = await RawPeer.open();
    try {
      caller.send(serverA.udpPort, caller.invite({ user: 'gateway', port: serverA.udpPort }));
      const final = await caller.waitFor((message) => /^SIP\/2\.0 [3-6]/.test(message));
      expect(final).toMatch(quirks.proxies ? /^SIP\/2\.0 486/ : /^SIP\/2\.0 501/);
      expect(await result).toMatch(
        quirks.proxies ? /^proxied$/ : /proxy is not supported by the embedded SIP server: .*drachtio-server/,
      );
    } finally {
      await caller.close();
    }
  });

  it('offers a session timer with itself as refresher, and gets it', async () => {
    void answering(a, 4000);
    const headers = { Supported: 'timer', 'Session-Expires': '90;refresher=uac', 'Min-SE': '90' };
    const dialog = await b.call(uriA, { localSdp: sdp(5000), headers });
    expect(dialog.res.get('Session-Expires')).toMatch(/^90\s*;\s*refresher=uac$/);
    await dialog.destroy();
  });

  it('offers a session timer with the gateway as refresher, and gets it', async () => {
    void answering(a, 4000);
    const headers = { Supported: 'timer', 'Session-Expires': '120;refresher=uas', 'Min-SE': '90' };
    const dialog = await b.call(uriA, { localSdp: sdp(5000), headers });
    expect(dialog.res.get('Session-Expires')).toMatch(/^120\s*;\s*refresher=uas$/);
    await dialog.destroy();
  });
});

describe('a call of the gateway', () => {
  it('rings, is answered, is changed by re-INVITE, carries INFO, and is ended by the peer', async () => {
    const answered = new Promise<SipDialog>((resolve, reject) => {
      b.on('invite', (request, reply) => {
        expect(request.get('X-Call')).toBe('abc');
        expect(request.get('From')).toMatch(new RegExp(`sip:alice@127\\.0\\.0\\.1:${serverA.udpPort}>`));
        reply.send(180);
        b.answer(request, reply, sdp(5000)).then(resolve, reject);
      });
    });
    const provisional: number[] = [];
    const headers = { From: '<sip:alice@localhost>', 'X-Call': 'abc' };
    const dialog = await a.call(
      uriB,
      { localSdp: sdp(4000), headers },
      { cbProvisional: (response) => provisional.push(response.status) },
    );
    const theirs = await answered;
    expect(provisional).toContain(180);
    expect(await dialog.modify(sdp(4010))).toContain('v=0');
    const info = await dialog.request({
      method: 'INFO',
      headers: { 'Content-Type': 'text/plain' },
      body: 'hi',
    });
    expect(info.status).toBe(200);
    const ended = next(dialog, 'destroy');
    await theirs.destroy();
    await ended;
    expect(dialog.id).toBe(`${dialog.sip.callId};from-tag=${dialog.sip.localTag}`);
  });

  it('answers a digest challenge with its credentials', async () => {
    b.on('invite', (request, reply) => {
      if (request.has('Proxy-Authorization')) void b.answer(request, reply, sdp(5000));
      else {
        const challenge = 'Digest realm="peer", nonce="n1", algorithm=MD5, qop="auth"';
        reply.send(407, { headers: { 'Proxy-Authenticate': challenge } });
      }
    });
    const dialog = await a.call(uriB, { localSdp: sdp(4000), auth: { username: 'u', password: 'p' } });
    expect(dialog.connected).toBe(true);
    await dialog.destroy();
  });

  it('is refused', async () => {
    b.on('invite', (_request, reply) => reply.send(486));
    expect(await refusal(a.call(uriB, { localSdp: sdp(4000) }))).toBe(486);
  });

  it('is given up by the application', async () => {
    const cancelled = new Promise<void>((resolve) => {
      b.on('invite', (request, reply) => {
        request.on('cancel', () => resolve());
        reply.send(180);
      });
    });
    // At once: the server must hold the CANCEL until a provisional response has come.
    const progress = { cbRequest: (_error: unknown, request: SipRequestLike) => request.cancel() };
    expect(await refusal(a.call(uriB, { localSdp: sdp(4000) }, progress))).toBe(487);
    await cancelled;
  });

  it('acknowledges a reliable 183 of the peer with PRACK', async () => {
    const pracked = new Promise<SipRequestLike>((resolve) => {
      b.on('invite', (request, reply) => {
        const options = { headers: { Require: '100rel' }, body: sdp(5000) };
        reply.send(183, options, undefined, (prack) => {
          resolve(prack);
          void b.answer(request, reply, sdp(5000));
        });
      });
    });
    const dialog = await a.call(uriB, { localSdp: sdp(4000), headers: { Supported: '100rel' } });
    expect((await pracked).get('RAck')).toMatch(/^\d+ \d+ INVITE$/);
    await dialog.destroy();
  });

  it('makes no offer and answers in the ACK', async () => {
    const answered = answering(b, 5000);
    const dialog = await a.call(uriB, {});
    const theirs = await answered;
    if (!theirs.remote.sdp.startsWith('v=0')) await next(theirs, 'ack');
    expect(theirs.remote.sdp).toContain('a=recvonly');
    await dialog.destroy();
  });

  it('goes over TCP when the URI says so', async () => {
    const answered = answering(b, 5000);
    const dialog = await a.call(`sip:peer@127.0.0.1:${serverB.tcpPort};transport=tcp`, {
      localSdp: sdp(4000),
    });
    const theirs = await answered;
    expect(theirs.remote.uri).toContain('transport=tcp');
    const ended = next(dialog, 'destroy');
    await theirs.destroy();
    await ended;
  });
});
