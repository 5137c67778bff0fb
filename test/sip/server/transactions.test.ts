/** Every timer of RFC 3261 §17 and RFC 6026, over unreliable and reliable transports. */
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import {
  INVITE_CLIENT,
  PLAIN_CLIENT,
  type ClientEvent,
  type ClientState,
} from '../../../sip/server/client-states.ts';
import { ClientTransaction } from '../../../sip/server/client-transaction.ts';
import { resolvedContact, type TransportName } from '../../../sip/server/contact.ts';
import { SipRequest, responseTo, type SipResponse } from '../../../sip/server/message.ts';
import {
  INVITE_SERVER,
  PLAIN_SERVER,
  type ServerEvent,
  type ServerState,
} from '../../../sip/server/server-states.ts';
import { ServerTransaction } from '../../../sip/server/server-transaction.ts';
import { isLegal, nextState, type StateTable } from '../../../sip/server/state-table.ts';
import { RFC_TIMERS } from '../../../sip/server/timers.ts';
import type { Peer, SendFailed } from '../../../sip/server/transport.ts';

const T1 = 500;
const T64 = 32_000;

/** The wire: what was sent and when, in ms from the start. */
class Wire {
  readonly sent: { text: string; atMs: number }[] = [];
  readonly startMs = Date.now();
  fail: SendFailed = () => undefined;

  readonly send = (_peer: Peer, text: string, failed: SendFailed): (() => void) => {
    this.sent.push({ text, atMs: Date.now() - this.startMs });
    this.fail = failed;
    return () => undefined;
  };

  times(pattern: RegExp): number[] {
    return this.sent.filter(({ text }) => pattern.test(text)).map(({ atMs }) => atMs);
  }
}

function peerOver(transport: TransportName): Peer {
  const contact = resolvedContact({ transport, host: '127.0.0.1', port: 0 }, 5060);
  return { transport, address: '127.0.0.1', port: 5070, contact };
}

function request(method: string): SipRequest {
  return new SipRequest(method, 'sip:x@127.0.0.1:5070')
    .add('Via', 'SIP/2.0/UDP 127.0.0.1:5060;branch=z9hG4bKx')
    .add('From', '<sip:a@b>;tag=f')
    .add('To', '<sip:x@y>')
    .add('Call-ID', 'c')
    .add('CSeq', `1 ${method}`)
    .add('Route', '<sip:proxy;lr>');
}

let wire: Wire;

beforeEach(() => {
  vi.useFakeTimers();
  wire = new Wire();
});

afterEach(() => {
  expect(vi.getTimerCount()).toBe(0);
  vi.useRealTimers();
});

describe('client transactions', () => {
  let seen: number[];
  let ended: boolean;

  function start(method: string, transport: TransportName = 'udp'): ClientTransaction {
    seen = [];
    ended = false;
    const parts = { timers: RFC_TIMERS, send: wire.send };
    const transaction = new ClientTransaction(request(method), peerOver(transport), parts, {
      onResponse: (response) => seen.push(response.status),
      onEnd: () => {
        ended = true;
      },
    });
    transaction.start();
    return transaction;
  }

  const answer = (transaction: ClientTransaction, status: number): SipResponse => {
    const response = responseTo(transaction.request, status, undefined, 'remote');
    transaction.receive(response, peerOver('udp'));
    return response;
  };

  it('A doubles an INVITE without end, B gives it up after 64*T1 with 408', () => {
    start('INVITE');
    vi.advanceTimersByTime(T64 - 1);
    expect(wire.times(/^INVITE/)).toEqual([0, 500, 1_500, 3_500, 7_500, 15_500, 31_500]);
    expect(seen).toEqual([]);
    vi.advanceTimersByTime(1);
    expect([seen, ended]).toEqual([[408], true]);
  });

  it('E doubles others up to T2, F gives them up after 64*T1 with 408', () => {
    start('OPTIONS');
    vi.advanceTimersByTime(T64);
    expect(wire.times(/^OPTIONS/)).toEqual([
      0, 500, 1_500, 3_500, 7_500, 11_500, 15_500, 19_500, 23_500, 27_500, 31_500,
    ]);
    expect([seen, ended]).toEqual([[408], true]);
  });

  it('E goes on every T2 once proceeding', () => {
    const transaction = start('OPTIONS');
    vi.advanceTimersByTime(100);
    answer(transaction, 100);
    vi.advanceTimersByTime(9_000);
    expect(wire.times(/^OPTIONS/)).toEqual([0, 500, 4_500, 8_500]);
    transaction.close();
  });

  it.each(['tcp', 'tls'] as const)('nothing is repeated over %s, and B or F still run', (transport) => {
    for (const method of ['INVITE', 'OPTIONS']) {
      start(method, transport);
      vi.advanceTimersByTime(T64);
      expect(wire.times(new RegExp(`^${method}`))).toHaveLength(1);
      expect([seen, ended]).toEqual([[408], true]);
    }
  });

  it('a provisional response stops A and B', () => {
    const transaction = start('INVITE');
    answer(transaction, 180);
    vi.advanceTimersByTime(10 * T64);
    expect(wire.times(/^INVITE/)).toEqual([0]);
    expect([seen, ended]).toEqual([[180], false]);
    transaction.close();
  });

  it('an INVITE rings no longer than ringingMaxMs', () => {
    const transaction = start('INVITE');
    answer(transaction, 180);
    vi.advanceTimersByTime(RFC_TIMERS.ringingMaxMs);
    expect([seen, ended]).toEqual([[180, 408], true]);
  });

  it('D: a refused INVITE is acknowledged, again for each repetition, for 32 s over UDP', () => {
    const transaction = start('INVITE');
    const refusal = answer(transaction, 486);
    transaction.receive(refusal, peerOver('udp'));
    expect(seen).toEqual([486]);
    const acks = wire.sent.filter(({ text }) => text.startsWith('ACK'));
    expect(acks).toHaveLength(2);
    expect(acks[0]?.text).toContain('branch=z9hG4bKx');
    expect(acks[0]?.text).toContain('To: <sip:x@y>;tag=remote');
    expect(acks[0]?.text).toContain('Route: <sip:proxy;lr>');
    expect(acks[0]?.text).toContain('CSeq: 1 ACK');
    vi.advanceTimersByTime(T64 - 1);
    expect(ended).toBe(false);
    vi.advanceTimersByTime(1);
    expect(ended).toBe(true);
  });

  it('K: others linger for T4 over UDP and swallow repetitions', () => {
    const transaction = start('OPTIONS');
    const ok = answer(transaction, 200);
    transaction.receive(ok, peerOver('udp'));
    expect(seen).toEqual([200]);
    vi.advanceTimersByTime(RFC_TIMERS.t4Ms - 1);
    expect(ended).toBe(false);
    vi.advanceTimersByTime(1);
    expect(ended).toBe(true);
  });

  it.each(['INVITE', 'OPTIONS'])('D and K are zero over TCP (%s)', async (method) => {
    answer(start(method, 'tcp'), 486);
    await Promise.resolve();
    expect(ended).toBe(true);
  });

  it.each(['udp', 'tcp'] as const)('M: every 2xx of an INVITE goes up for 64*T1 over %s', (transport) => {
    const transaction = start('INVITE', transport);
    const ok = answer(transaction, 200);
    vi.advanceTimersByTime(T64 - 1);
    transaction.receive(ok, peerOver('udp'));
    answer(transaction, 486);
    expect(seen).toEqual([200, 200]);
    vi.advanceTimersByTime(1);
    expect(ended).toBe(true);
    expect(wire.times(/^ACK/)).toEqual([]);
  });

  it('a cancelled INVITE is over 64*T1 later (RFC 3261 §9.1)', () => {
    const transaction = start('INVITE');
    answer(transaction, 180);
    transaction.giveUpAfterCancel();
    vi.advanceTimersByTime(T64);
    expect([seen, ended]).toEqual([[180, 487], true]);
  });

  it('a transport error is a 503', () => {
    start('OPTIONS', 'tcp');
    wire.fail(new Error('refused'), false);
    expect([seen, ended]).toEqual([[503], true]);
  });

  it('a connection that was reused and is closed at once gets one more attempt', () => {
    start('OPTIONS', 'tcp');
    wire.fail(new Error('closed'), true);
    expect(wire.times(/^OPTIONS/)).toHaveLength(2);
    expect(seen).toEqual([]);
    wire.fail(new Error('closed'), true);
    expect([seen, ended]).toEqual([[503], true]);
  });

  it('an INVITE that rings outlives its connection', () => {
    const transaction = start('INVITE', 'tcp');
    answer(transaction, 180);
    wire.fail(new Error('closed'), false);
    expect([seen, ended]).toEqual([[180], false]);
    answer(transaction, 200);
    expect(seen).toEqual([180, 200]);
    transaction.close();
  });
});

describe('server transactions', () => {
  let ended: boolean;

  function receive(method: string, transport: TransportName = 'udp'): ServerTransaction {
    ended = false;
    const peer = peerOver(transport);
    return new ServerTransaction(
      request(method),
      { source: peer, replyTo: peer },
      { timers: RFC_TIMERS, send: wire.send },
      {
        onEnd: () => {
          ended = true;
        },
      },
    );
  }

  const respond = (transaction: ServerTransaction, status: number): boolean =>
    transaction.respond(responseTo(transaction.request, status, undefined, 'ours'));

  it('G repeats a refusal of an INVITE up to every T2, H ends it after 64*T1', () => {
    respond(receive('INVITE'), 486);
    vi.advanceTimersByTime(T64);
    expect(wire.times(/486/)).toEqual([
      0, 500, 1_500, 3_500, 7_500, 11_500, 15_500, 19_500, 23_500, 27_500, 31_500,
    ]);
    expect(ended).toBe(true);
  });

  it('G does not run over TCP, H does', () => {
    respond(receive('INVITE', 'tcp'), 486);
    vi.advanceTimersByTime(T64);
    expect(wire.times(/486/)).toEqual([0]);
    expect(ended).toBe(true);
  });

  it('I: after the ACK nothing is repeated, and it is over after T4', () => {
    const transaction = receive('INVITE');
    respond(transaction, 486);
    vi.advanceTimersByTime(T1);
    transaction.receiveAck();
    transaction.receiveAck();
    transaction.receiveAgain();
    vi.advanceTimersByTime(RFC_TIMERS.t4Ms - 1);
    expect(wire.times(/486/)).toEqual([0, 500]);
    expect([transaction.state, ended]).toEqual(['confirmed', false]);
    vi.advanceTimersByTime(1);
    expect(ended).toBe(true);
  });

  it('I is zero over TCP', async () => {
    const transaction = receive('INVITE', 'tcp');
    respond(transaction, 486);
    transaction.receiveAck();
    await Promise.resolve();
    expect(ended).toBe(true);
  });

  it('J: the answer to others is repeated on request for 64*T1 over UDP', () => {
    const transaction = receive('OPTIONS');
    respond(transaction, 200);
    vi.advanceTimersByTime(T64 - 1);
    transaction.receiveAgain();
    expect(wire.times(/200/)).toEqual([0, T64 - 1]);
    vi.advanceTimersByTime(1);
    expect(ended).toBe(true);
  });

  it('J is zero over TCP', async () => {
    respond(receive('OPTIONS', 'tcp'), 200);
    await Promise.resolve();
    expect(ended).toBe(true);
  });

  it.each(['udp', 'tcp'] as const)(
    'L: an accepted INVITE swallows repetitions for 64*T1 over %s',
    (transport) => {
      const transaction = receive('INVITE', transport);
      respond(transaction, 200);
      transaction.receiveAgain();
      expect(wire.times(/200/)).toEqual([0]);
      expect(transaction.state).toBe('accepted');
      vi.advanceTimersByTime(T64);
      expect(ended).toBe(true);
    },
  );

  it('repeats the last provisional response on request', () => {
    const transaction = receive('INVITE');
    transaction.receiveAgain();
    respond(transaction, 100);
    respond(transaction, 180);
    transaction.receiveAgain();
    expect(wire.sent.map(({ text }) => text.slice(8, 11))).toEqual(['100', '180', '180']);
    transaction.close();
  });

  it('takes one final response', () => {
    const transaction = receive('INVITE');
    expect(respond(transaction, 200)).toBe(true);
    expect(respond(transaction, 200)).toBe(false);
    expect(respond(transaction, 180)).toBe(false);
    transaction.close();
  });
});

describe('state tables', () => {
  const clientEvents: ClientEvent[] = [
    'provisional',
    'success',
    'failure',
    'timeout',
    'transportError',
    'linger',
  ];
  const serverEvents: ServerEvent[] = ['provisional', 'success', 'failure', 'ack', 'linger'];

  /** Walks every state times every event: a move leads to a known state or throws. */
  function walk<S extends string, E extends string>(table: StateTable<S, E>, events: readonly E[]): number {
    let legal = 0;
    for (const state of Object.keys(table) as S[]) {
      for (const event of events) {
        if (isLegal(table, state, event)) {
          legal += 1;
          expect(table).toHaveProperty(nextState(table, state, event));
        } else
          expect(() => nextState(table, state, event)).toThrow(`illegal move: ${event} in state ${state}`);
      }
    }
    return legal;
  }

  it('lead only to states they know, and refuse the rest', () => {
    expect(walk<ClientState, ClientEvent>(INVITE_CLIENT, clientEvents)).toBe(14);
    expect(walk<ClientState, ClientEvent>(PLAIN_CLIENT, clientEvents)).toBe(11);
    expect(walk<ServerState, ServerEvent>(INVITE_SERVER, serverEvents)).toBe(10);
    expect(walk<ServerState, ServerEvent>(PLAIN_SERVER, serverEvents)).toBe(5);
  });

  it('never leave terminated', () => {
    for (const table of [INVITE_CLIENT, PLAIN_CLIENT]) expect(table.terminated).toEqual({});
    for (const table of [INVITE_SERVER, PLAIN_SERVER]) expect(table.terminated).toEqual({});
  });
});
