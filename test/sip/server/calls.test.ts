/** Dialogs as a peer sees them: a raw UDP peer, drachtio-srf as application, short timers. */
import { once } from 'node:events';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';

import { startSipServer, type SipServer } from '../../../sip/server/server.ts';
import {
  TestApplication,
  next,
  sdp,
  type Reply,
  type SipDialog,
  type SipRequestLike,
} from '../support/application.ts';
import { RawPeer, firstLine, header, tagIn, type InviteParts } from '../support/raw-peer.ts';

const status = (code: number, method: string) => (message: string) =>
  message.startsWith(`SIP/2.0 ${code}`) && header(message, 'CSeq').endsWith(method);
const verb = (method: string) => (message: string) => message.startsWith(`${method} `);

let server: SipServer;
let application: TestApplication;
let peer: RawPeer;
let port: number;

beforeAll(async () => {
  server = await startSipServer({
    contacts: [{ transport: 'udp', host: '127.0.0.1', port: 0 }],
    admin: { host: '127.0.0.1', port: 0, secret: 's' },
    // A "second" of the session timer lasts 5 ms here: 90 of them 450 ms.
    timers: { t1Ms: 20, t2Ms: 80, t4Ms: 80, sessionSecondMs: 5, ringingMaxMs: 1_500 },
  });
  port = server.contacts[0]?.port ?? 0;
  application = await TestApplication.connect(server.admin, ['invite', 'message', 'subscribe', 'notify']);
});

afterAll(async () => {
  application.disconnect();
  await server.close();
});

beforeEach(async () => {
  application.handlers.clear();
  peer = await RawPeer.open();
});

afterEach(async () => {
  await expect.poll(() => server.census().pendingRequests, { timeout: 5_000 }).toBe(0);
  await peer.close();
  expect(server.counters()['bugs']).toBeUndefined();
});

const send = (text: string): void => peer.send(port, text);

function answerCalls(setUp: (dialog: SipDialog) => void = () => undefined): Promise<SipDialog> {
  return new Promise((resolve, reject) => {
    application.on('invite', (request, reply) => {
      application.answer(request, reply, sdp(4000)).then((dialog) => {
        setUp(dialog);
        resolve(dialog);
      }, reject);
    });
  });
}

/** A call of the raw peer, answered and acknowledged. */
async function established(parts: Partial<InviteParts> = {}): Promise<{
  dialog: SipDialog;
  inCall: InviteParts & { toTag: string };
  ok: string;
}> {
  const { callId = `call-${peer.port}`, sequence = 1 } = parts;
  const answered = answerCalls();
  send(peer.invite({ user: 'x', port, ...parts, callId }));
  const ok = await peer.waitFor(status(200, 'INVITE'));
  const inCall = { user: 'x', port, callId, toTag: tagIn(header(ok, 'To')) };
  const dialog = await answered;
  const acknowledged = next(dialog, 'ack');
  send(peer.request({ ...inCall, method: 'ACK', sequence }));
  await acknowledged;
  return { dialog, inCall, ok };
}

/** Hangs up from our side and lets the peer agree. */
async function hangUp(dialog: SipDialog): Promise<string> {
  const destroyed = dialog.destroy();
  const bye = await peer.waitFor(verb('BYE'));
  send(peer.response(bye, '200 OK'));
  await destroyed;
  return bye;
}

/** A call of the application to the raw peer; answers with the given rows. */
async function called(rows: readonly string[] = [], headers: Record<string, string> = {}) {
  const call = application.call(`sip:raw@127.0.0.1:${peer.port}`, { localSdp: sdp(4000), headers });
  const invite = await peer.waitFor(verb('INVITE'));
  const extra = rows.some((row) => row.startsWith('Contact:'))
    ? rows
    : [`Contact: <sip:raw@127.0.0.1:${peer.port}>`, ...rows];
  send(peer.response(invite, '200 OK', extra, 'theirs', sdp(5000)));
  const dialog = await call;
  const ack = await peer.waitFor(verb('ACK'));
  return { dialog, invite, ack };
}

describe('routing within a dialog', () => {
  it('follows loose routes of a caller in their order', async () => {
    const routes = [`<sip:127.0.0.1:${peer.port};lr;id=1>`, '<sip:10.0.0.2;lr>'];
    const { dialog, ok } = await established({ extra: routes.map((route) => `Record-Route: ${route}`) });
    expect(ok).toContain(`Record-Route: ${routes[0] ?? ''}\r\nRecord-Route: ${routes[1] ?? ''}`);
    const bye = await hangUp(dialog);
    expect(firstLine(bye)).toBe(`BYE sip:raw@127.0.0.1:${peer.port} SIP/2.0`);
    expect(bye).toContain(`Route: ${routes[0] ?? ''}\r\nRoute: ${routes[1] ?? ''}`);
  });

  it('turns round the routes of a called party', async () => {
    const rows = ['Record-Route: <sip:10.0.0.2;lr>', `Record-Route: <sip:127.0.0.1:${peer.port};lr>`];
    const { dialog, ack } = await called(rows);
    expect(ack).toContain(`Route: <sip:127.0.0.1:${peer.port};lr>\r\nRoute: <sip:10.0.0.2;lr>`);
    await hangUp(dialog);
  });

  it('bears with a strict router', async () => {
    const { dialog } = await called([
      'Contact: <sip:far@10.0.0.9>',
      `Record-Route: <sip:127.0.0.1:${peer.port}>`,
    ]);
    const bye = await hangUp(dialog);
    expect(firstLine(bye)).toBe(`BYE sip:127.0.0.1:${peer.port} SIP/2.0`);
    expect(header(bye, 'Route')).toBe('<sip:far@10.0.0.9>');
  });

  it('goes back where a caller behind NAT came from', async () => {
    const { dialog } = await established();
    await hangUp(dialog);
    const natted = peer
      .invite({ user: 'x', port, callId: `nat-${peer.port}` })
      .replace(/Via: SIP\/2\.0\/UDP 127\.0\.0\.1:\d+;/, 'Via: SIP/2.0/UDP 192.168.7.7:5060;rport;')
      .replace(/Contact: .*\r\n/, 'Contact: <sip:raw@192.168.7.7:5060>\r\n');
    peer.received.length = 0;
    const answered = answerCalls();
    send(natted);
    const ok = await peer.waitFor(status(200, 'INVITE'));
    expect(header(ok, 'Via')).toContain(`;rport=${peer.port};`);
    expect(header(ok, 'Via')).toContain('received=127.0.0.1');
    send(
      peer.request({
        user: 'x',
        port,
        callId: `nat-${peer.port}`,
        method: 'ACK',
        toTag: tagIn(header(ok, 'To')),
      }),
    );
    const bye = await hangUp(await answered);
    expect(firstLine(bye)).toBe('BYE sip:raw@192.168.7.7:5060 SIP/2.0');
  });

  it('takes the new Contact of a re-INVITE', async () => {
    const { dialog, inCall } = await established();
    const moved = await RawPeer.open();
    const contact = `Contact: <sip:raw@127.0.0.1:${moved.port}>\r\n`;
    send(peer.invite({ ...inCall, sequence: 2 }).replace(/Contact: .*\r\n/, contact));
    await peer.until(() => peer.received.filter(status(200, 'INVITE')).length === 2);
    send(peer.request({ ...inCall, method: 'ACK', sequence: 2 }));
    const destroyed = dialog.destroy();
    const bye = await moved.waitFor(verb('BYE'));
    moved.send(port, moved.response(bye, '200 OK'));
    await destroyed;
    await moved.close();
  });
});

describe('order', () => {
  it('refuses a CSeq that goes back with 500, and a second re-INVITE with Retry-After', async () => {
    const { dialog, inCall } = await established({ sequence: 10 });
    send(peer.request({ ...inCall, method: 'INFO', sequence: 9 }));
    await peer.waitFor(status(500, 'INFO'));
    const held: Reply[] = [];
    dialog.on('modify', (_request: SipRequestLike, reply: Reply) => held.push(reply));
    const modified = once(dialog, 'modify');
    send(peer.invite({ ...inCall, sequence: 11 }));
    await modified;
    send(peer.invite({ ...inCall, sequence: 12 }));
    expect(Number(header(await peer.waitFor(status(500, 'INVITE')), 'Retry-After'))).toBeLessThanOrEqual(10);
    held[0]?.send(488);
    await peer.waitFor(status(488, 'INVITE'));
    await hangUp(dialog);
  });

  it('answers a merged request with 482', async () => {
    const reply = new Promise<Reply>((resolve) => {
      application.on('invite', (_request, given) => resolve(given));
    });
    const parts = { user: 'x', port, callId: `merged-${peer.port}` };
    send(peer.invite(parts));
    await peer.waitFor(status(100, 'INVITE'));
    send(peer.invite(parts));
    await peer.waitFor(status(482, 'INVITE'));
    (await reply).send(486);
    await peer.waitFor(status(486, 'INVITE'));
  });

  it('holds a BYE until the ACK of its 200 has come', async () => {
    const answered = answerCalls();
    const parts = { user: 'x', port, callId: `hold-${peer.port}` };
    send(peer.invite(parts));
    const dialog = await answered;
    const destroyed = dialog.destroy();
    await peer.until(() => peer.received.filter(status(200, 'INVITE')).length >= 3);
    expect(peer.received.some(verb('BYE'))).toBe(false);
    const toTag = tagIn(header(peer.received.find(status(200, 'INVITE')) ?? '', 'To'));
    send(peer.request({ ...parts, method: 'ACK', toTag }));
    const bye = await peer.waitFor(verb('BYE'));
    send(peer.response(bye, '200 OK'));
    await destroyed;
  });

  it('takes BYE of a caller while it rings as giving up', async () => {
    const cancelled = new Promise<void>((resolve) => {
      application.on('invite', (request, reply) => {
        request.on('cancel', () => resolve());
        reply.send(180);
      });
    });
    const parts = { user: 'x', port, callId: `early-${peer.port}` };
    send(peer.invite(parts));
    const toTag = tagIn(header(await peer.waitFor(status(180, 'INVITE')), 'To'));
    send(peer.request({ ...parts, method: 'BYE', sequence: 2, toTag }));
    await peer.waitFor(status(200, 'BYE'));
    await peer.waitFor(status(487, 'INVITE'));
    await cancelled;
  });

  it('gives an INVITE up that nobody answers', async () => {
    const cancelled = new Promise<void>((resolve) => {
      application.on('invite', (request) => request.on('cancel', () => resolve()));
    });
    send(peer.invite({ user: 'x', port }));
    await peer.waitFor(status(480, 'INVITE'));
    await cancelled;
  });

  it('turns down all branches of a forked INVITE but the first', async () => {
    const { dialog, invite } = await called();
    const late = await RawPeer.open();
    const contact = [`Contact: <sip:fork@127.0.0.1:${late.port}>`];
    send(peer.response(invite, '200 OK', contact, 'fork', sdp(5002)));
    expect(header(await late.waitFor(verb('ACK')), 'To')).toContain('tag=fork');
    const bye = await late.waitFor(verb('BYE'));
    late.send(port, late.response(bye, '200 OK'));
    send(peer.response(invite, '200 OK', contact, 'fork', sdp(5002)));
    await late.until(() => late.received.filter(verb('ACK')).length === 2);
    expect(late.received.filter(verb('BYE'))).toHaveLength(1);
    await hangUp(dialog);
    await late.close();
  });
});

describe('reliable provisional responses', () => {
  it('are repeated until the PRACK, which must name them', async () => {
    const pracked = new Promise<SipRequestLike>((resolve) => {
      application.on('invite', (request, reply) => {
        reply.send(183, { headers: { Require: '100rel' }, body: sdp(4000) }, undefined, (prack) => {
          resolve(prack);
          void application.answer(request, reply, sdp(4000));
        });
      });
    });
    const parts = { user: 'x', port, callId: `prack-${peer.port}` };
    send(peer.invite({ ...parts, extra: ['Supported: 100rel'] }));
    await peer.until(() => peer.received.filter(status(183, 'INVITE')).length >= 3);
    const progress = peer.received.find(status(183, 'INVITE')) ?? '';
    const inCall = { ...parts, toTag: tagIn(header(progress, 'To')) };
    const rack = (number: number): string[] => [`RAck: ${number} 1 INVITE`];
    const rseq = Number(header(progress, 'RSeq'));
    send(peer.request({ ...inCall, method: 'PRACK', sequence: 2, extra: rack(rseq + 1) }));
    await peer.waitFor(status(481, 'PRACK'));
    send(peer.request({ ...inCall, method: 'PRACK', sequence: 3, extra: rack(rseq) }));
    await peer.waitFor(status(200, 'PRACK'));
    expect((await pracked).method).toBe('PRACK');
    await peer.waitFor(status(200, 'INVITE'));
    send(peer.request({ ...inCall, method: 'ACK' }));
    send(peer.request({ ...inCall, method: 'BYE', sequence: 4 }));
    await peer.waitFor(status(200, 'BYE'));
  });

  it('are refused with 504 when no PRACK comes', async () => {
    const cancelled = new Promise<void>((resolve) => {
      application.on('invite', (request, reply) => {
        request.on('cancel', () => resolve());
        reply.send(183, { headers: { Require: '100rel' }, body: sdp(4000) });
      });
    });
    send(peer.invite({ user: 'x', port, extra: ['Require: 100rel'] }));
    await peer.waitFor(status(504, 'INVITE'), 5_000);
    await cancelled;
  });

  it('are not sent to a caller that cannot take them', async () => {
    const failed = new Promise<unknown>((resolve) => {
      application.on('invite', (_request, reply) => {
        reply.send(183, { headers: { Require: '100rel' } }, (error) => {
          resolve(error);
          reply.send(486);
        });
      });
    });
    send(peer.invite({ user: 'x', port }));
    expect(await failed).toBe('Remote endpoint does not support 100rel');
  });

  it('of a peer reach the application once and in order', async () => {
    const seen: string[] = [];
    const progress = {
      cbProvisional: (response: { get(name: string): string }) => seen.push(response.get('RSeq')),
    };
    const options = { localSdp: sdp(4000), headers: { Supported: '100rel' } };
    const call = application.call(`sip:raw@127.0.0.1:${peer.port}`, options, progress);
    const invite = await peer.waitFor(verb('INVITE'));
    const contact = `Contact: <sip:raw@127.0.0.1:${peer.port}>`;
    const provisional = (rseq: number): string =>
      peer.response(invite, '183 Progress', [contact, 'Require: 100rel', `RSeq: ${rseq}`], 'theirs');
    send(provisional(7));
    send(provisional(7));
    send(provisional(9));
    const prack = await peer.waitFor(verb('PRACK'));
    expect(header(prack, 'RAck')).toBe(`7 ${header(invite, 'CSeq')}`);
    send(peer.response(prack, '200 OK'));
    send(provisional(8));
    await peer.until(() => peer.received.some((message) => header(message, 'RAck').startsWith('8 ')));
    for (const other of peer.received.filter(verb('PRACK'))) send(peer.response(other, '200 OK'));
    send(peer.response(invite, '200 OK', [contact], 'theirs', sdp(5000)));
    await hangUp(await call);
    expect(seen).toEqual(['7', '8']);
  });
});

describe('session timers', () => {
  it('refuse what is too short with 422 and Min-SE', async () => {
    send(peer.invite({ user: 'x', port, extra: ['Supported: timer', 'Session-Expires: 60'] }));
    expect(header(await peer.waitFor(status(422, 'INVITE')), 'Min-SE')).toBe('90');
  });

  it('are declined when nobody is named, and taken when timer is required', async () => {
    const open = await established({ extra: ['Supported: timer', 'Session-Expires: 1800'] });
    expect(header(open.ok, 'Session-Expires')).toBe('');
    await hangUp(open.dialog);
    peer.received.length = 0;
    const extra = ['Supported: timer', 'Require: timer', 'Session-Expires: 1800'];
    const required = await established({ extra, callId: `req-${peer.port}`, branch: peer.newBranch() });
    expect(header(required.ok, 'Session-Expires')).toBe('1800;refresher=uac');
    await hangUp(required.dialog);
  });

  it('end the call when the peer does not refresh', async () => {
    const { dialog, ok } = await established({
      extra: ['Supported: timer', 'Session-Expires: 90;refresher=uac'],
    });
    expect(header(ok, 'Require')).toBe('timer');
    const ended = once(dialog, 'destroy') as Promise<[SipRequestLike, string]>;
    const bye = await peer.waitFor(verb('BYE'));
    expect(header(bye, 'Reason')).toContain('text="Session timer expired"');
    send(peer.response(bye, '200 OK'));
    expect((await ended)[1]).toBe('Session timer expired');
  });

  it('start again with each refresh of the peer', async () => {
    const extra = ['Supported: timer', 'Session-Expires: 90;refresher=uac'];
    const { dialog, inCall } = await established({ extra });
    const begunMs = performance.now();
    for (let sequence = 2; sequence < 5; sequence += 1) {
      await refreshDue();
      send(peer.request({ ...inCall, method: 'UPDATE', sequence, extra }));
      await peer.until(() => peer.received.filter(status(200, 'UPDATE')).length === sequence - 1);
    }
    expect(performance.now() - begunMs).toBeGreaterThan(90 * 5);
    expect(peer.received.some(verb('BYE'))).toBe(false);
    await hangUp(dialog);
  });

  it('are refreshed by us at half time with UPDATE where the peer takes it', async () => {
    const extra = ['Supported: timer', 'Allow: INVITE, UPDATE', 'Session-Expires: 90;refresher=uas'];
    const { dialog } = await established({ extra });
    const update = await peer.waitFor(verb('UPDATE'));
    expect(header(update, 'Session-Expires')).toBe('90;refresher=uac');
    send(peer.response(update, '200 OK', ['Session-Expires: 90;refresher=uac']));
    peer.received.length = 0;
    await peer.waitFor(verb('UPDATE'));
    for (const again of peer.received.filter(verb('UPDATE'))) send(peer.response(again, '200 OK'));
    await hangUp(dialog);
  });

  it('are refreshed by us with a re-INVITE that repeats the offer, as caller too', async () => {
    const { dialog } = await called(['Session-Expires: 90;refresher=uac', 'Require: timer'], {
      Supported: 'timer',
      'Session-Expires': '90;refresher=uac',
    });
    const refresh = await peer.waitFor(
      (message) => verb('INVITE')(message) && header(message, 'To').includes('tag='),
    );
    expect(refresh).toContain('m=audio 4000');
    send(peer.response(refresh, '200 OK', [`Contact: <sip:raw@127.0.0.1:${peer.port}>`], '', sdp(5000)));
    await peer.until(() => peer.received.filter(verb('ACK')).length === 2);
    await hangUp(dialog);
  });

  it('end the call when our refresh meets 481', async () => {
    const { dialog } = await established({
      extra: ['Supported: timer', 'Allow: UPDATE', 'Session-Expires: 90;refresher=uas'],
    });
    const ended = once(dialog, 'destroy');
    send(peer.response(await peer.waitFor(verb('UPDATE')), '481 Gone'));
    send(peer.response(await peer.waitFor(verb('BYE')), '200 OK'));
    await ended;
  });

  /** Half an interval of 90 shortened seconds: when a peer would refresh. */
  const refreshDue = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, (90 * 5) / 2));
});

describe('unusual peers', () => {
  it('are told what is wrong with a request', async () => {
    send(peer.invite({ user: 'x', port }).replace('CSeq: 1 INVITE', 'CSeq: 1 BYE'));
    expect(firstLine(await peer.waitFor((message) => message.startsWith('SIP/2.0 400')))).toContain(
      'another method',
    );
    send(peer.invite({ user: 'x', port }).replace(' SIP/2.0\r\n', ' SIP/7.0\r\n'));
    await peer.waitFor((message) => message.startsWith('SIP/2.0 505'));
  });

  it('may write tags nowhere (RFC 2543)', async () => {
    const answered = answerCalls();
    const invite = peer.invite({ user: 'x', port, callId: `notag-${peer.port}` });
    send(invite.replace(';tag=raw', ''));
    const ok = await peer.waitFor(status(200, 'INVITE'));
    const toTag = tagIn(header(ok, 'To'));
    const parts = { user: 'x', port, callId: `notag-${peer.port}`, toTag };
    const dialog = await answered;
    const ended = next(dialog, 'destroy');
    send(peer.request({ ...parts, method: 'ACK' }).replace(';tag=raw', ''));
    send(peer.request({ ...parts, method: 'BYE', sequence: 2 }).replace(';tag=raw', ''));
    await ended;
  });

  it('may send headers in short, folded, in odd case and in one row', async () => {
    const seen = new Promise<SipRequestLike>((resolve) => {
      application.on('message', (request, reply) => {
        resolve(request);
        reply.send(200);
      });
    });
    const rows = [
      `MESSAGE sip:x@127.0.0.1:${port} SIP/2.0`,
      `v: SIP/2.0/UDP 127.0.0.1:${peer.port};branch=z9hG4bKodd,SIP/2.0/UDP 10.0.0.1;branch=z9hG4bKinner`,
      'f: <sip:a@b>\r\n ;tag=1',
      `T: <sip:x@127.0.0.1>`,
      'i: odd',
      'cseq: 1 MESSAGE',
      'c: text/plain',
      'L: 2',
    ];
    send(`${rows.join('\r\n')}\r\n\r\nhi and noise`);
    expect((await seen).body).toBe('hi');
    const ok = await peer.waitFor(status(200, 'MESSAGE'));
    expect(ok.match(/^Via:/gm)).toHaveLength(2);
  });

  it('may send nothing but keep-alives', async () => {
    for (const text of ['\r\n\r\n', '\0', '', '\r\n']) send(text);
    const reply = new Promise<void>((resolve) => {
      application.on('message', (_request, given) => {
        given.send(200);
        resolve();
      });
    });
    send(peer.request({ user: 'x', port, method: 'MESSAGE' }));
    await reply;
    expect(server.counters()['malformed.unreadable']).toBeUndefined();
  });

  it('may notify before they accept a subscription', async () => {
    const uri = `sip:raw@127.0.0.1:${peer.port}`;
    const options = { method: 'SUBSCRIBE', headers: { Event: 'dialog', Expires: '60' } } as const;
    const notified = new Promise<void>((resolve) => {
      application.on('notify', (_request, reply) => {
        reply.send(200);
        resolve();
      });
    });
    const call = application.call(uri, options);
    const subscribe = await peer.waitFor(verb('SUBSCRIBE'));
    const notify = peer.request({
      user: 'x',
      port,
      method: 'NOTIFY',
      callId: header(subscribe, 'Call-ID'),
      toTag: tagIn(header(subscribe, 'From')),
      extra: ['Event: dialog', 'Subscription-State: active'],
    });
    send(notify.replace(';tag=raw', ';tag=theirs'));
    await notified;
    await peer.waitFor(status(200, 'NOTIFY'));
    const contact = [`Contact: <sip:raw@127.0.0.1:${peer.port}>`, 'Expires: 60'];
    send(peer.response(subscribe, '200 OK', contact, 'theirs'));
    const dialog = await call;
    const terminated = peer.request({
      user: 'x',
      port,
      method: 'NOTIFY',
      sequence: 2,
      callId: header(subscribe, 'Call-ID'),
      toTag: tagIn(header(subscribe, 'From')),
      extra: ['Event: dialog', 'Subscription-State: terminated'],
    });
    send(terminated.replace(';tag=raw', ';tag=theirs'));
    await peer.until(() => peer.received.filter(status(200, 'NOTIFY')).length === 2);
    expect(dialog.dialogType).toBe('SUBSCRIBE');
  });

  it('are not left waiting for ever by an application that says nothing', async () => {
    application.on('message', () => undefined);
    send(peer.request({ user: 'x', port, method: 'MESSAGE' }));
    await expect.poll(() => server.counters()['requests.unanswered'], { timeout: 5_000 }).toBe(1);
    expect(peer.received).toEqual([]);
  });
});

describe('at the end', () => {
  it('nothing is left open', async () => {
    const counts = () => {
      const { clientTransactions, serverTransactions, dialogs, pendingRequests } = server.census();
      return { clientTransactions, serverTransactions, dialogs, pendingRequests };
    };
    const none = { clientTransactions: 0, serverTransactions: 0, dialogs: 0, pendingRequests: 0 };
    await expect.poll(counts, { timeout: 10_000 }).toEqual(none);
  });
});
