/** Dialogs as a peer sees them: a raw UDP peer, drachtio-srf as application, short timers. */
import { once } from 'node:events';
import { describe, expect, it } from 'vitest';

import { next, sdp, type Reply, type SipRequestLike } from '../support/application.ts';
import { status, useCallBench, verb } from '../support/call-bench.ts';
import { RawPeer, firstLine, header, tagIn } from '../support/raw-peer.ts';

const bench = useCallBench();

describe('routing within a dialog', () => {
  it('follows loose routes of a caller in their order', async () => {
    const routes = [`<sip:127.0.0.1:${bench.peer.port};lr;id=1>`, '<sip:10.0.0.2;lr>'];
    const { dialog, ok } = await bench.established({
      extra: routes.map((route) => `Record-Route: ${route}`),
    });
    expect(ok).toContain(`Record-Route: ${routes[0] ?? ''}\r\nRecord-Route: ${routes[1] ?? ''}`);
    const bye = await bench.hangUp(dialog);
    expect(firstLine(bye)).toBe(`BYE sip:raw@127.0.0.1:${bench.peer.port} SIP/2.0`);
    expect(bye).toContain(`Route: ${routes[0] ?? ''}\r\nRoute: ${routes[1] ?? ''}`);
  });

  it('turns round the routes of a called party', async () => {
    const rows = ['Record-Route: <sip:10.0.0.2;lr>', `Record-Route: <sip:127.0.0.1:${bench.peer.port};lr>`];
    const { dialog, ack } = await bench.called(rows);
    expect(ack).toContain(`Route: <sip:127.0.0.1:${bench.peer.port};lr>\r\nRoute: <sip:10.0.0.2;lr>`);
    await bench.hangUp(dialog);
  });

  it('bears with a strict router', async () => {
    const { dialog } = await bench.called([
      'Contact: <sip:far@10.0.0.9>',
      `Record-Route: <sip:127.0.0.1:${bench.peer.port}>`,
    ]);
    const bye = await bench.hangUp(dialog);
    expect(firstLine(bye)).toBe(`BYE sip:127.0.0.1:${bench.peer.port} SIP/2.0`);
    expect(header(bye, 'Route')).toBe('<sip:far@10.0.0.9>');
  });

  it('goes back where a caller behind NAT came from', async () => {
    const { dialog } = await bench.established();
    await bench.hangUp(dialog);
    const natted = bench.peer
      .invite({ user: 'x', port: bench.port, callId: `nat-${bench.peer.port}` })
      .replace(/Via: SIP\/2\.0\/UDP 127\.0\.0\.1:\d+;/, 'Via: SIP/2.0/UDP 192.168.7.7:5060;rport;')
      .replace(/Contact: .*\r\n/, 'Contact: <sip:raw@192.168.7.7:5060>\r\n');
    bench.peer.received.length = 0;
    const answered = bench.answerCalls();
    bench.send(natted);
    const ok = await bench.peer.waitFor(status(200, 'INVITE'));
    expect(header(ok, 'Via')).toContain(`;rport=${bench.peer.port};`);
    expect(header(ok, 'Via')).toContain('received=127.0.0.1');
    bench.send(
      bench.peer.request({
        user: 'x',
        port: bench.port,
        callId: `nat-${bench.peer.port}`,
        method: 'ACK',
        toTag: tagIn(header(ok, 'To')),
      }),
    );
    const bye = await bench.hangUp(await answered);
    expect(firstLine(bye)).toBe('BYE sip:raw@192.168.7.7:5060 SIP/2.0');
  });

  it('takes the new Contact of a re-INVITE', async () => {
    const { dialog, inCall } = await bench.established();
    const moved = await RawPeer.open();
    const contact = `Contact: <sip:raw@127.0.0.1:${moved.port}>\r\n`;
    bench.send(bench.peer.invite({ ...inCall, sequence: 2 }).replace(/Contact: .*\r\n/, contact));
    await bench.peer.until(() => bench.peer.received.filter(status(200, 'INVITE')).length === 2);
    bench.send(bench.peer.request({ ...inCall, method: 'ACK', sequence: 2 }));
    const destroyed = dialog.destroy();
    const bye = await moved.waitFor(verb('BYE'));
    moved.send(bench.port, moved.response(bye, '200 OK'));
    await destroyed;
    await moved.close();
  });
});

describe('order', () => {
  it('refuses a CSeq that goes back with 500, and a second re-INVITE with Retry-After', async () => {
    const { dialog, inCall } = await bench.established({ sequence: 10 });
    bench.send(bench.peer.request({ ...inCall, method: 'INFO', sequence: 9 }));
    await bench.peer.waitFor(status(500, 'INFO'));
    const held: Reply[] = [];
    dialog.on('modify', (_request: SipRequestLike, reply: Reply) => held.push(reply));
    const modified = once(dialog, 'modify');
    bench.send(bench.peer.invite({ ...inCall, sequence: 11 }));
    await modified;
    bench.send(bench.peer.invite({ ...inCall, sequence: 12 }));
    expect(
      Number(header(await bench.peer.waitFor(status(500, 'INVITE')), 'Retry-After')),
    ).toBeLessThanOrEqual(10);
    held[0]?.send(488);
    await bench.peer.waitFor(status(488, 'INVITE'));
    await bench.hangUp(dialog);
  });

  it('answers a merged request with 482', async () => {
    const reply = new Promise<Reply>((resolve) => {
      bench.application.on('invite', (_request, given) => resolve(given));
    });
    const parts = { user: 'x', port: bench.port, callId: `merged-${bench.peer.port}` };
    bench.send(bench.peer.invite(parts));
    await bench.peer.waitFor(status(100, 'INVITE'));
    bench.send(bench.peer.invite(parts));
    await bench.peer.waitFor(status(482, 'INVITE'));
    (await reply).send(486);
    await bench.peer.waitFor(status(486, 'INVITE'));
  });

  it('holds a BYE until the ACK of its 200 has come', async () => {
    const answered = bench.answerCalls();
    const parts = { user: 'x', port: bench.port, callId: `hold-${bench.peer.port}` };
    bench.send(bench.peer.invite(parts));
    const dialog = await answered;
    const destroyed = dialog.destroy();
    await bench.peer.until(() => bench.peer.received.filter(status(200, 'INVITE')).length >= 3);
    expect(bench.peer.received.some(verb('BYE'))).toBe(false);
    const toTag = tagIn(header(bench.peer.received.find(status(200, 'INVITE')) ?? '', 'To'));
    bench.send(bench.peer.request({ ...parts, method: 'ACK', toTag }));
    const bye = await bench.peer.waitFor(verb('BYE'));
    bench.send(bench.peer.response(bye, '200 OK'));
    await destroyed;
  });

  it('takes BYE of a caller while it rings as giving up', async () => {
    const cancelled = new Promise<void>((resolve) => {
      bench.application.on('invite', (request, reply) => {
        request.on('cancel', () => resolve());
        reply.send(180);
      });
    });
    const parts = { user: 'x', port: bench.port, callId: `early-${bench.peer.port}` };
    bench.send(bench.peer.invite(parts));
    const toTag = tagIn(header(await bench.peer.waitFor(status(180, 'INVITE')), 'To'));
    bench.send(bench.peer.request({ ...parts, method: 'BYE', sequence: 2, toTag }));
    await bench.peer.waitFor(status(200, 'BYE'));
    await bench.peer.waitFor(status(487, 'INVITE'));
    await cancelled;
  });

  it('gives an INVITE up that nobody answers', async () => {
    const cancelled = new Promise<void>((resolve) => {
      bench.application.on('invite', (request) => request.on('cancel', () => resolve()));
    });
    bench.send(bench.peer.invite({ user: 'x', port: bench.port }));
    await bench.peer.waitFor(status(480, 'INVITE'));
    await cancelled;
  });

  it('turns down all branches of a forked INVITE but the first', async () => {
    const { dialog, invite } = await bench.called();
    const late = await RawPeer.open();
    const contact = [`Contact: <sip:fork@127.0.0.1:${late.port}>`];
    bench.send(bench.peer.response(invite, '200 OK', contact, 'fork', sdp(5002)));
    expect(header(await late.waitFor(verb('ACK')), 'To')).toContain('tag=fork');
    const bye = await late.waitFor(verb('BYE'));
    late.send(bench.port, late.response(bye, '200 OK'));
    bench.send(bench.peer.response(invite, '200 OK', contact, 'fork', sdp(5002)));
    await late.until(() => late.received.filter(verb('ACK')).length === 2);
    expect(late.received.filter(verb('BYE'))).toHaveLength(1);
    await bench.hangUp(dialog);
    await late.close();
  });
});

describe('unusual peers', () => {
  it('are told what is wrong with a request', async () => {
    bench.send(bench.peer.invite({ user: 'x', port: bench.port }).replace('CSeq: 1 INVITE', 'CSeq: 1 BYE'));
    expect(firstLine(await bench.peer.waitFor((message) => message.startsWith('SIP/2.0 400')))).toContain(
      'another method',
    );
    bench.send(bench.peer.invite({ user: 'x', port: bench.port }).replace(' SIP/2.0\r\n', ' SIP/7.0\r\n'));
    await bench.peer.waitFor((message) => message.startsWith('SIP/2.0 505'));
  });

  it('may write tags nowhere (RFC 2543)', async () => {
    const answered = bench.answerCalls();
    const invite = bench.peer.invite({ user: 'x', port: bench.port, callId: `notag-${bench.peer.port}` });
    bench.send(invite.replace(';tag=raw', ''));
    const ok = await bench.peer.waitFor(status(200, 'INVITE'));
    const toTag = tagIn(header(ok, 'To'));
    const parts = { user: 'x', port: bench.port, callId: `notag-${bench.peer.port}`, toTag };
    const dialog = await answered;
    const ended = next(dialog, 'destroy');
    bench.send(bench.peer.request({ ...parts, method: 'ACK' }).replace(';tag=raw', ''));
    bench.send(bench.peer.request({ ...parts, method: 'BYE', sequence: 2 }).replace(';tag=raw', ''));
    await ended;
  });

  it('may send headers in short, folded, in odd case and in one row', async () => {
    const seen = new Promise<SipRequestLike>((resolve) => {
      bench.application.on('message', (request, reply) => {
        resolve(request);
        reply.send(200);
      });
    });
    const rows = [
      `MESSAGE sip:x@127.0.0.1:${bench.port} SIP/2.0`,
      `v: SIP/2.0/UDP 127.0.0.1:${bench.peer.port};branch=z9hG4bKodd,SIP/2.0/UDP 10.0.0.1;branch=z9hG4bK1`,
      'f: <sip:a@b>\r\n ;tag=1',
      `T: <sip:x@127.0.0.1>`,
      'i: odd',
      'cseq: 1 MESSAGE',
      'c: text/plain',
      'L: 2',
    ];
    bench.send(`${rows.join('\r\n')}\r\n\r\nhi and noise`);
    expect((await seen).body).toBe('hi');
    const ok = await bench.peer.waitFor(status(200, 'MESSAGE'));
    expect(ok.match(/^Via:/gm)).toHaveLength(2);
  });

  it('may send nothing but keep-alives', async () => {
    for (const text of ['\r\n\r\n', '\0', '', '\r\n']) bench.send(text);
    const reply = new Promise<void>((resolve) => {
      bench.application.on('message', (_request, given) => {
        given.send(200);
        resolve();
      });
    });
    bench.send(bench.peer.request({ user: 'x', port: bench.port, method: 'MESSAGE' }));
    await reply;
    expect(bench.server.counters()['malformed.unreadable']).toBeUndefined();
  });

  it('may notify before they accept a subscription', async () => {
    const uri = `sip:raw@127.0.0.1:${bench.peer.port}`;
    const options = { method: 'SUBSCRIBE', headers: { Event: 'dialog', Expires: '60' } } as const;
    const notified = new Promise<void>((resolve) => {
      bench.application.on('notify', (_request, reply) => {
        reply.send(200);
        resolve();
      });
    });
    const call = bench.application.call(uri, options);
    const subscribe = await bench.peer.waitFor(verb('SUBSCRIBE'));
    const notify = bench.peer.request({
      user: 'x',
      port: bench.port,
      method: 'NOTIFY',
      callId: header(subscribe, 'Call-ID'),
      toTag: tagIn(header(subscribe, 'From')),
      extra: ['Event: dialog', 'Subscription-State: active'],
    });
    bench.send(notify.replace(';tag=raw', ';tag=theirs'));
    await notified;
    await bench.peer.waitFor(status(200, 'NOTIFY'));
    const contact = [`Contact: <sip:raw@127.0.0.1:${bench.peer.port}>`, 'Expires: 60'];
    bench.send(bench.peer.response(subscribe, '200 OK', contact, 'theirs'));
    const dialog = await call;
    const terminated = bench.peer.request({
      user: 'x',
      port: bench.port,
      method: 'NOTIFY',
      sequence: 2,
      callId: header(subscribe, 'Call-ID'),
      toTag: tagIn(header(subscribe, 'From')),
      extra: ['Event: dialog', 'Subscription-State: terminated'],
    });
    bench.send(terminated.replace(';tag=raw', ';tag=theirs'));
    await bench.peer.until(() => bench.peer.received.filter(status(200, 'NOTIFY')).length === 2);
    expect(dialog.dialogType).toBe('SUBSCRIBE');
  });

  it('are not left waiting for ever by an application that says nothing', async () => {
    bench.application.on('message', () => undefined);
    bench.send(bench.peer.request({ user: 'x', port: bench.port, method: 'MESSAGE' }));
    await expect.poll(() => bench.server.counters()['requests.unanswered'], { timeout: 5_000 }).toBe(1);
    expect(bench.peer.received).toEqual([]);
  });
});
