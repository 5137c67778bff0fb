import { once } from 'node:events';
import { connect, createServer, type AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import { AdminServer } from '../../../sip/server/admin-server.ts';
import { Answer } from '../../../sip/server/answer.ts';
import { Application } from '../../../sip/server/application.ts';
import { replaceLocalhost, merge } from '../../../sip/server/compose.ts';
import { resolvedContact } from '../../../sip/server/contact.ts';
import { Counters } from '../../../sip/server/counters.ts';
import { routing, type Dialog } from '../../../sip/server/dialog.ts';
import { Dialogs } from '../../../sip/server/dialogs.ts';
import { LIMITS } from '../../../sip/server/limits.ts';
import { SipRequest, SipResponse } from '../../../sip/server/message.ts';
import { ReceivedProvisionals, ReliableProvisionals } from '../../../sip/server/reliable-provisional.ts';
import { SessionTimer, answerSessionTimer, sessionExpiresOf } from '../../../sip/server/session-timer.ts';
import { RFC_TIMERS } from '../../../sip/server/timers.ts';

/** An application on a real socket pair. */
async function application(): Promise<{ application: Application; close(): Promise<void> }> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const client = connect((server.address() as AddressInfo).port, '127.0.0.1');
  const [socket] = (await once(server, 'connection')) as [ConstructorParameters<typeof Application>[0]];
  const closed = Promise.withResolvers<undefined>();
  const events = { onCommand: () => undefined, onClosed: () => closed.resolve(undefined) };
  return {
    application: new Application(socket, events),
    close: async () => {
      client.destroy();
      server.close();
      await closed.promise;
    },
  };
}

function incoming(method: string, tags: { from?: string; to?: string } = {}): SipRequest {
  return new SipRequest(method, 'sip:us@127.0.0.1')
    .add('From', `<sip:them@far>${tags.from === undefined ? '' : `;tag=${tags.from}`}`)
    .add('To', `<sip:us@near>${tags.to === undefined ? '' : `;tag=${tags.to}`}`)
    .add('Call-ID', 'call')
    .add('CSeq', `5 ${method}`)
    .add('Contact', '<sip:them@192.0.2.1:5070>');
}

describe('Dialogs', () => {
  let dialogs: Dialogs;
  let owner: Awaited<ReturnType<typeof application>>;
  const contact = resolvedContact({ transport: 'udp', host: '127.0.0.1', port: 0 }, 5060);

  beforeEach(async () => {
    dialogs = new Dialogs();
    owner = await application();
  });

  afterEach(async () => {
    dialogs.close();
    await owner.close();
  });

  function create(localTag: string, fromTag: string, method: 'INVITE' | 'SUBSCRIBE' = 'INVITE'): Dialog {
    return dialogs.create({
      method,
      fromTag,
      callId: 'call',
      localTag,
      localParty: '<sip:us@near>',
      remoteParty: '<sip:them@far>',
      localContact: '<sip:us@127.0.0.1>',
      localSequence: 10,
      contact,
      owner: owner.application,
    });
  }

  it('are named as drachtio names them, and apart where a call comes back to us', () => {
    expect(create('ours', 'ours').id).toBe('call;from-tag=ours');
    expect(create('second', 'ours').id).toBe('call;from-tag=ours;to-tag=second');
    expect(dialogs.count).toBe(2);
  });

  it('are found by our tag and the remote one', () => {
    const dialog = create('ours', 'theirs');
    expect(dialogs.of(incoming('INFO', { from: 'theirs', to: 'ours' }))).toBeUndefined();
    const end = dialog.learn('theirs', incoming('INVITE'), []);
    expect(dialogs.of(incoming('INFO', { from: 'theirs', to: 'ours' }))).toBe(dialog);
    if (end !== undefined) dialog.confirm(end, []);
    expect(dialogs.of(incoming('INFO', { from: 'other', to: 'ours' }))).toBeUndefined();
    expect(dialogs.of(incoming('INFO', { from: 'theirs', to: 'nobody' }))).toBeUndefined();
    expect(dialogs.of(incoming('INFO', { from: 'theirs' }))).toBeUndefined();
    dialogs.remove(dialog);
    expect(dialogs.of(incoming('INFO', { from: 'theirs', to: 'ours' }))).toBeUndefined();
    expect(dialogs.byId('call;from-tag=theirs')).toBeUndefined();
  });

  it('take a NOTIFY before the subscription is accepted', () => {
    create('ours', 'ours', 'SUBSCRIBE');
    expect(dialogs.of(incoming('NOTIFY', { from: 'early', to: 'ours' }))).toBeDefined();
    expect(dialogs.of(incoming('INFO', { from: 'early', to: 'ours' }))).toBeUndefined();
  });

  it('number their requests, and ACK with the number of the INVITE', () => {
    const dialog = create('ours', 'theirs');
    const end = dialog.learn('theirs', incoming('INVITE'), []);
    if (end === undefined) throw new Error('no end');
    expect(dialog.newRequest('INFO', end).get('CSeq')).toBe('11 INFO');
    expect(dialog.newRequest('INVITE', end).get('CSeq')).toBe('12 INVITE');
    expect(dialog.newRequest('INFO', end).get('CSeq')).toBe('13 INFO');
    const ack = dialog.newRequest('ACK', end);
    expect(ack.get('CSeq')).toBe('12 ACK');
    expect([ack.uri, ack.get('From'), ack.get('To')]).toEqual([
      'sip:them@192.0.2.1:5070',
      '<sip:us@near>;tag=ours',
      '<sip:them@far>;tag=theirs',
    ]);
  });

  it('keep the target that works when a Contact is no SIP address', () => {
    const dialog = create('ours', 'theirs');
    dialog.learn('theirs', incoming('INVITE'), []);
    dialog.refreshTarget(incoming('INVITE').set('Contact', '<tel:+1555>'));
    expect(dialog.remote?.target).toBe('sip:them@192.0.2.1:5070');
    dialog.refreshTarget(incoming('INVITE').set('Contact', '<sip:new@192.0.2.2>'));
    expect(dialog.remote?.target).toBe('sip:new@192.0.2.2');
  });

  it('tell branches apart, up to a limit', () => {
    const dialog = create('ours', 'ours');
    for (let fork = 0; fork < LIMITS.forksMax; fork += 1) {
      expect(dialog.learn(`fork${fork}`, new SipResponse(180), [])?.tag).toBe(`fork${fork}`);
    }
    expect(dialog.learn('one-more', new SipResponse(180), [])).toBeUndefined();
    expect(dialog.learn('fork0', new SipResponse(180), [])?.tag).toBe('fork0');
  });
});

describe('routing', () => {
  it('is direct, loose or strict', () => {
    const target = 'sip:t@192.0.2.1';
    expect(routing({ target, routes: [] })).toEqual({ uri: target, routes: [] });
    const loose = ['<sip:p1;lr>', '<sip:p2>'];
    expect(routing({ target, routes: loose })).toEqual({ uri: target, routes: loose });
    expect(routing({ target, routes: ['<sip:p1>', '<sip:p2;lr>'] })).toEqual({
      uri: 'sip:p1',
      routes: ['<sip:p2;lr>', `<${target}>`],
    });
  });
});

describe('with a clock of its own', () => {
  beforeEach(() => {
    vi.useFakeTimers();
  });

  afterEach(() => {
    expect(vi.getTimerCount()).toBe(0);
    vi.useRealTimers();
  });

  const invite = { sequence: 1, transactionId: 't', first: true };

  it('an answer is repeated after T1, doubling to T2, and expires after 64*T1', () => {
    const times: number[] = [];
    const startMs = Date.now();
    let expired = 0;
    const answer = new Answer(invite, RFC_TIMERS, {
      repeat: () => times.push(Date.now() - startMs),
      expired: () => (expired += 1),
    });
    vi.advanceTimersByTime(32_000);
    expect(times).toEqual([500, 1_500, 3_500, 7_500, 11_500, 15_500, 19_500, 23_500, 27_500, 31_500]);
    expect([expired, answer.settled]).toEqual([1, true]);
  });

  it('an answer lets a BYE go when it is acknowledged, or in place of its expiry', () => {
    const events = { repeat: () => undefined, expired: vi.fn() };
    const sent: string[] = [];
    const acknowledged = new Answer(invite, RFC_TIMERS, events);
    acknowledged.whenSettled(() => sent.push('first'));
    expect(sent).toEqual([]);
    acknowledged.acknowledged();
    acknowledged.acknowledged();
    acknowledged.whenSettled(() => sent.push('at once'));
    const forgotten = new Answer(invite, RFC_TIMERS, events);
    forgotten.whenSettled(() => sent.push('late'));
    vi.advanceTimersByTime(32_000);
    expect(sent).toEqual(['first', 'at once', 'late']);
    expect(events.expired).not.toHaveBeenCalled();
  });

  it('reliable responses go one after the other, doubling without end', () => {
    const sent: { rseq: number; atMs: number }[] = [];
    const startMs = Date.now();
    const reliable = new ReliableProvisionals(incoming('INVITE'), RFC_TIMERS, {
      send: (response) => sent.push({ rseq: Number(response.get('RSeq')), atMs: Date.now() - startMs }),
      expired: () => undefined,
    });
    expect(reliable.add(new SipResponse(183))).toBe(true);
    expect(reliable.add(new SipResponse(180))).toBe(true);
    vi.advanceTimersByTime(4_000);
    expect(sent.map(({ atMs }) => atMs)).toEqual([0, 500, 1_500, 3_500]);
    const rseq = sent[0]?.rseq ?? 0;
    const prack = (rack: string): SipRequest => incoming('PRACK').add('RAck', rack);
    for (const wrong of [`${rseq + 1} 5 INVITE`, `${rseq} 6 INVITE`, `${rseq} 5 INFO`, 'x', '']) {
      expect(reliable.acknowledged(prack(wrong))).toBe(false);
    }
    let idle = false;
    reliable.whenIdle(() => (idle = true));
    expect(reliable.acknowledged(prack(`${rseq} 5 INVITE`))).toBe(true);
    expect(sent.at(-1)?.rseq).toBe(rseq + 1);
    expect(idle).toBe(false);
    expect(reliable.acknowledged(prack(`${rseq + 1} 5 INVITE`))).toBe(true);
    expect([idle, reliable.idle]).toEqual([true, true]);
  });

  it('reliable responses expire, and too many are not taken', () => {
    const expired = vi.fn();
    const reliable = new ReliableProvisionals(incoming('INVITE'), RFC_TIMERS, {
      send: () => undefined,
      expired,
    });
    for (let count = 0; count < LIMITS.provisionalsQueuedMax; count += 1) {
      expect(reliable.add(new SipResponse(183))).toBe(true);
    }
    expect(reliable.add(new SipResponse(183))).toBe(false);
    vi.advanceTimersByTime(32_000);
    expect(expired).toHaveBeenCalledOnce();
  });

  it.each([
    ['90;refresher=uac', false, 'peer'],
    ['90;refresher=uas', false, 'we'],
    ['90;refresher=uac', true, 'we'],
    ['90;refresher=uas', true, 'peer'],
  ] as const)('a session of %s (ours: %s) is refreshed by the %s', (value, sent, who) => {
    const events = { refresh: vi.fn(), expired: vi.fn() };
    const timer = new SessionTimer(RFC_TIMERS, events);
    timer.agreed(new SipResponse(200).add('Session-Expires', value), sent);
    vi.advanceTimersByTime(45_000);
    expect(events.refresh).toHaveBeenCalledTimes(who === 'we' ? 1 : 0);
    vi.advanceTimersByTime(44_999);
    expect(events.expired).not.toHaveBeenCalled();
    vi.advanceTimersByTime(1);
    expect(events.expired).toHaveBeenCalledOnce();
  });

  it('a session starts again with each refresh, also one without the header', () => {
    const events = { refresh: vi.fn(), expired: vi.fn() };
    const timer = new SessionTimer(RFC_TIMERS, events);
    timer.agreed(new SipResponse(200).add('Session-Expires', '90;refresher=uac'), false);
    for (let round = 0; round < 5; round += 1) {
      vi.advanceTimersByTime(80_000);
      timer.agreed(new SipResponse(200), false);
    }
    expect(events.expired).not.toHaveBeenCalled();
    timer.close();
  });
});

describe('session timers', () => {
  it.each([
    ['1800', { seconds: 1_800 }],
    ['1800 ; Refresher = UAS', { seconds: 1_800, refresher: 'uas' }],
    ['90;refresher=nobody', { seconds: 90 }],
  ])('read %j', (value, expected) => {
    expect(sessionExpiresOf(new SipResponse(200).add('Session-Expires', value))).toEqual(expected);
  });

  it.each(['', 'soon', '-1', '9999999999'])('do not read %j', (value) => {
    expect(sessionExpiresOf(new SipResponse(200).add('Session-Expires', value))).toBeUndefined();
  });

  it.each([
    ['none', 'timer', undefined],
    ['uac', 'timer', '120;refresher=uac'],
    ['uas', 'timer', '120;refresher=uas'],
    ['uac', 'replaces', '120;refresher=uas'],
  ] as const)(
    'answer an open offer by policy %s (peer supports %s)',
    (defaultRefresher, supported, expected) => {
      const request = incoming('INVITE').add('Supported', supported).add('Session-Expires', '120');
      const response = new SipResponse(200);
      answerSessionTimer(request, response, { minSeconds: 90, defaultRefresher });
      expect(response.get('Session-Expires')).toBe(expected);
      expect(response.tokens('Require').has('timer')).toBe(expected?.endsWith('uac') ?? false);
    },
  );

  it('leave the application its own decision', () => {
    const request = incoming('INVITE').add('Session-Expires', '120;refresher=uac');
    const response = new SipResponse(200).add('Session-Expires', '300;refresher=uas');
    answerSessionTimer(request, response, { minSeconds: 90, defaultRefresher: 'none' });
    expect(response.all('Session-Expires')).toEqual(['300;refresher=uas']);
  });
});

describe('small parts', () => {
  it('received reliable responses are taken in order, once', () => {
    const received = new ReceivedProvisionals();
    const response = (rseq: number): SipResponse =>
      new SipResponse(183).add('Require', '100rel').add('RSeq', String(rseq));
    expect([5, 5, 7, 6, 7].map((rseq) => received.takes(response(rseq)))).toEqual([
      true,
      false,
      false,
      true,
      true,
    ]);
    expect(received.takes(new SipResponse(180))).toBe(true);
    expect(received.last).toBe(7);
  });

  it('localhost is replaced in addresses only', () => {
    expect(replaceLocalhost('"localhost" <sip:a@localhost>;tag=1', '10.0.0.1', 5060)).toBe(
      '"localhost" <sip:a@10.0.0.1:5060>;tag=1',
    );
    expect(replaceLocalhost('sip:localhost:9', '10.0.0.1', 5060)).toBe('sip:10.0.0.1:5060');
    expect(replaceLocalhost('<sip:a@localhost.example.com>', '10.0.0.1', 5060)).toBe(
      '<sip:a@localhost.example.com>',
    );
  });

  it('a body wants a kind, unless it is a session description', () => {
    const given = new SipRequest('INFO', 'sip:x');
    given.body = 'v=0\r\n';
    const sent = new SipRequest('INFO', 'sip:x').add('Max-Forwards', '70');
    merge(sent, given.add('Max-Forwards', '5').add('Via', 'forged'));
    expect([sent.get('Content-Type'), sent.get('Max-Forwards'), sent.get('Via')]).toEqual([
      'application/sdp',
      '5',
      undefined,
    ]);
    given.body = 'hello';
    expect(() => merge(new SipRequest('INFO', 'sip:x'), given)).toThrow('missing content-type');
  });

  it('an admin server without applications picks none', () => {
    const events = { onCommand: () => undefined, onGone: () => undefined };
    const options = { host: '127.0.0.1', port: 0, secret: 's' };
    const contacts = (): { public: string; local: string } => ({ public: '', local: '' });
    const admin = new AdminServer(options, { events, counters: new Counters(), contacts });
    expect([admin.pick('invite'), admin.verbs, admin.count]).toEqual([undefined, [], 0]);
  });
});
