/** Reliable provisional responses (RFC 3262) and session timers (RFC 4028) as a peer sees them. */
import { once } from 'node:events';
import { describe, expect, it } from 'vitest';

import { sdp, type SipRequestLike } from '../support/application.ts';
import { status, useCallBench, verb } from '../support/call-bench.ts';
import { header, tagIn } from '../support/raw-peer.ts';

const bench = useCallBench();

describe('reliable provisional responses', () => {
  it('are repeated until the PRACK, which must name them', async () => {
    const pracked = new Promise<SipRequestLike>((resolve) => {
      bench.application.on('invite', (request, reply) => {
        reply.send(183, { headers: { Require: '100rel' }, body: sdp(4000) }, undefined, (prack) => {
          resolve(prack);
          void bench.application.answer(request, reply, sdp(4000));
        });
      });
    });
    const parts = { user: 'x', port: bench.port, callId: `prack-${bench.peer.port}` };
    bench.send(bench.peer.invite({ ...parts, extra: ['Supported: 100rel'] }));
    await bench.peer.until(() => bench.peer.received.filter(status(183, 'INVITE')).length >= 3);
    const progress = bench.peer.received.find(status(183, 'INVITE')) ?? '';
    const inCall = { ...parts, toTag: tagIn(header(progress, 'To')) };
    const rack = (number: number): string[] => [`RAck: ${number} 1 INVITE`];
    const rseq = Number(header(progress, 'RSeq'));
    bench.send(bench.peer.request({ ...inCall, method: 'PRACK', sequence: 2, extra: rack(rseq + 1) }));
    await bench.peer.waitFor(status(481, 'PRACK'));
    bench.send(bench.peer.request({ ...inCall, method: 'PRACK', sequence: 3, extra: rack(rseq) }));
    await bench.peer.waitFor(status(200, 'PRACK'));
    expect((await pracked).method).toBe('PRACK');
    await bench.peer.waitFor(status(200, 'INVITE'));
    bench.send(bench.peer.request({ ...inCall, method: 'ACK' }));
    bench.send(bench.peer.request({ ...inCall, method: 'BYE', sequence: 4 }));
    await bench.peer.waitFor(status(200, 'BYE'));
  });

  it('are refused with 504 when no PRACK comes', async () => {
    const cancelled = new Promise<void>((resolve) => {
      bench.application.on('invite', (request, reply) => {
        request.on('cancel', () => resolve());
        reply.send(183, { headers: { Require: '100rel' }, body: sdp(4000) });
      });
    });
    bench.send(bench.peer.invite({ user: 'x', port: bench.port, extra: ['Require: 100rel'] }));
    await bench.peer.waitFor(status(504, 'INVITE'), 5_000);
    await cancelled;
  });

  it('are not sent to a caller that cannot take them', async () => {
    const failed = new Promise<unknown>((resolve) => {
      bench.application.on('invite', (_request, reply) => {
        reply.send(183, { headers: { Require: '100rel' } }, (error) => {
          resolve(error);
          reply.send(486);
        });
      });
    });
    bench.send(bench.peer.invite({ user: 'x', port: bench.port }));
    expect(await failed).toBe('Remote endpoint does not support 100rel');
  });

  it('of a peer reach the application once and in order', async () => {
    const seen: string[] = [];
    const progress = {
      cbProvisional: (response: { get(name: string): string }) => seen.push(response.get('RSeq')),
    };
    const options = { localSdp: sdp(4000), headers: { Supported: '100rel' } };
    const call = bench.application.call(`sip:raw@127.0.0.1:${bench.peer.port}`, options, progress);
    const invite = await bench.peer.waitFor(verb('INVITE'));
    const contact = `Contact: <sip:raw@127.0.0.1:${bench.peer.port}>`;
    const provisional = (rseq: number): string =>
      bench.peer.response(invite, '183 Progress', [contact, 'Require: 100rel', `RSeq: ${rseq}`], 'theirs');
    bench.send(provisional(7));
    bench.send(provisional(7));
    bench.send(provisional(9));
    const prack = await bench.peer.waitFor(verb('PRACK'));
    expect(header(prack, 'RAck')).toBe(`7 ${header(invite, 'CSeq')}`);
    bench.send(bench.peer.response(prack, '200 OK'));
    bench.send(provisional(8));
    await bench.peer.until(() =>
      bench.peer.received.some((message) => header(message, 'RAck').startsWith('8 ')),
    );
    for (const other of bench.peer.received.filter(verb('PRACK')))
      bench.send(bench.peer.response(other, '200 OK'));
    bench.send(bench.peer.response(invite, '200 OK', [contact], 'theirs', sdp(5000)));
    await bench.hangUp(await call);
    expect(seen).toEqual(['7', '8']);
  });
});

describe('session timers', () => {
  it('refuse what is too short with 422 and Min-SE', async () => {
    bench.send(
      bench.peer.invite({ user: 'x', port: bench.port, extra: ['Supported: timer', 'Session-Expires: 60'] }),
    );
    expect(header(await bench.peer.waitFor(status(422, 'INVITE')), 'Min-SE')).toBe('90');
  });

  it('are declined when nobody is named, and taken when timer is required', async () => {
    const open = await bench.established({ extra: ['Supported: timer', 'Session-Expires: 1800'] });
    expect(header(open.ok, 'Session-Expires')).toBe('');
    await bench.hangUp(open.dialog);
    bench.peer.received.length = 0;
    const extra = ['Supported: timer', 'Require: timer', 'Session-Expires: 1800'];
    const required = await bench.established({
      extra,
      callId: `req-${bench.peer.port}`,
      branch: bench.peer.newBranch(),
    });
    expect(header(required.ok, 'Session-Expires')).toBe('1800;refresher=uac');
    await bench.hangUp(required.dialog);
  });

  it('end the call when the peer does not refresh', async () => {
    const { dialog, ok } = await bench.established({
      extra: ['Supported: timer', 'Session-Expires: 90;refresher=uac'],
    });
    expect(header(ok, 'Require')).toBe('timer');
    const ended = once(dialog, 'destroy') as Promise<[SipRequestLike, string]>;
    const bye = await bench.peer.waitFor(verb('BYE'));
    expect(header(bye, 'Reason')).toContain('text="Session timer expired"');
    bench.send(bench.peer.response(bye, '200 OK'));
    expect((await ended)[1]).toBe('Session timer expired');
  });

  it('are refreshed by us at half time with UPDATE where the peer takes it', async () => {
    const extra = ['Supported: timer', 'Allow: INVITE, UPDATE', 'Session-Expires: 90;refresher=uas'];
    const { dialog } = await bench.established({ extra });
    const update = await bench.peer.waitFor(verb('UPDATE'));
    expect(header(update, 'Session-Expires')).toBe('90;refresher=uac');
    bench.send(bench.peer.response(update, '200 OK', ['Session-Expires: 90;refresher=uac']));
    bench.peer.received.length = 0;
    await bench.peer.waitFor(verb('UPDATE'));
    for (const again of bench.peer.received.filter(verb('UPDATE')))
      bench.send(bench.peer.response(again, '200 OK'));
    await bench.hangUp(dialog);
  });

  it('are refreshed by us with a re-INVITE that repeats the offer, as caller too', async () => {
    const { dialog } = await bench.called(['Session-Expires: 90;refresher=uac', 'Require: timer'], {
      Supported: 'timer',
      'Session-Expires': '90;refresher=uac',
    });
    const refresh = await bench.peer.waitFor(
      (message) => verb('INVITE')(message) && header(message, 'To').includes('tag='),
    );
    expect(refresh).toContain('m=audio 4000');
    bench.send(
      bench.peer.response(
        refresh,
        '200 OK',
        [`Contact: <sip:raw@127.0.0.1:${bench.peer.port}>`],
        '',
        sdp(5000),
      ),
    );
    await bench.peer.until(() => bench.peer.received.filter(verb('ACK')).length === 2);
    await bench.hangUp(dialog);
  });

  it('end the call when our refresh meets 481', async () => {
    const { dialog } = await bench.established({
      extra: ['Supported: timer', 'Allow: UPDATE', 'Session-Expires: 90;refresher=uas'],
    });
    const ended = once(dialog, 'destroy');
    bench.send(bench.peer.response(await bench.peer.waitFor(verb('UPDATE')), '481 Gone'));
    bench.send(bench.peer.response(await bench.peer.waitFor(verb('BYE')), '200 OK'));
    await ended;
  });
});
