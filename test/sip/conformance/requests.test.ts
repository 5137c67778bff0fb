/**
 * Requests outside calls: OPTIONS, REGISTER, MESSAGE, SUBSCRIBE, between a server under test (A) and a peer
 * of the same kind (B).
 */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';

import type { TestApplication } from '../support/application.ts';
import { next, type Reply, type SipDialog, type SipRequestLike } from '../support/application.ts';
import { Pair, refusal } from '../support/pair.ts';
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

describe('requests outside dialogs', () => {
  it('takes OPTIONS', async () => {
    a.on('options', (_request, reply) => reply.send(200, { headers: { Allow: 'INVITE, ACK, BYE' } }));
    const response = await b.request({ uri: uriA, method: 'OPTIONS' });
    expect([response.status, response.get('Allow')]).toEqual([200, 'INVITE, ACK, BYE']);
  });

  it('sends OPTIONS', async () => {
    b.on('options', (_request, reply) => reply.send(200));
    expect((await a.request({ uri: uriB, method: 'OPTIONS' })).status).toBe(200);
  });

  it.each([
    ['takes', () => a, () => b, () => serverA.udpPort],
    ['makes', () => b, () => a, () => serverB.udpPort],
  ] as const)('%s a registration with digest', async (_name, registrar, client, port) => {
    registrar().on('register', (request, reply) => {
      if (request.has('Authorization')) {
        reply.send(200, { headers: { Contact: `${request.get('Contact')};expires=60`, Expires: '60' } });
      } else {
        const challenge = 'Digest realm="r", nonce="abc123", algorithm=MD5, qop="auth"';
        reply.send(401, { headers: { 'WWW-Authenticate': challenge } });
      }
    });
    const response = await client().request({
      uri: `sip:127.0.0.1:${port()}`,
      method: 'REGISTER',
      headers: {
        From: '<sip:bob@localhost>',
        To: '<sip:bob@127.0.0.1>',
        Contact: '<sip:bob@127.0.0.1:5062>',
      },
      auth: { username: 'bob', password: 'x' },
    });
    expect(response.status).toBe(200);
    expect(response.get('Contact')).toContain('sip:bob@127.0.0.1:5062');
  });

  it('takes MESSAGE with characters of many bytes', async () => {
    const body = 'hello ünïcode ✓ 😀';
    const received = new Promise<string>((resolve) => {
      a.on('message', (request, reply) => {
        resolve(request.body);
        reply.send(202);
      });
    });
    const headers = { 'Content-Type': 'text/plain' };
    expect((await b.request({ uri: uriA, method: 'MESSAGE', headers, body })).status).toBe(202);
    expect(await received).toBe(body);
  });

  it('refuses a subscription that the application refuses', async () => {
    a.on('subscribe', (_request, reply) => reply.send(489));
    const call = b.call(uriA, { method: 'SUBSCRIBE', headers: { Event: 'presence', Expires: '60' } });
    expect(await refusal(call)).toBe(489);
  });

  it('keeps a subscription and notifies', async () => {
    const subscribed = new Promise<SipDialog>((resolve, reject) => {
      a.on('subscribe', (request, reply) => {
        a.answer(request, reply, '', { Expires: '60' }).then(resolve, reject);
      });
    });
    const dialog = await b.call(uriA, { method: 'SUBSCRIBE', headers: { Event: 'dialog', Expires: '60' } });
    const notified = next<SipRequestLike>(dialog, 'notify').then((request) => request.get('Event'));
    dialog.on('notify', (_request: SipRequestLike, reply: Reply) => reply.send(200));
    const ours = await subscribed;
    const headers = { Event: 'dialog', 'Subscription-State': 'active;expires=60' };
    expect((await ours.request({ method: 'NOTIFY', headers })).status).toBe(200);
    expect(await notified).toBe('dialog');
    await ours.destroy();
  });

  it('answers by itself what no application takes', async () => {
    const response = await b.request({ uri: uriA, method: 'PUBLISH', headers: { Event: 'x' } });
    expect(response.status).toBe(quirks.unroutedStatus);
  });

  it('refuses a request to itself', async () => {
    await expect(a.request({ uri: uriA, method: 'OPTIONS' })).rejects.toThrow(
      'can not send request to myself',
    );
  });

  it('names an unknown dialog with ENODIALOG', async () => {
    await expect(a.request({ method: 'INFO', stackDialogId: 'no-such-dialog' })).rejects.toMatchObject({
      code: 'ENODIALOG',
    });
  });
});
