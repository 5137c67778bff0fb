/** One embedded server with short timers, drachtio-srf on it, and a raw UDP peer for each test. */
import { afterAll, afterEach, beforeAll, beforeEach, expect, vi } from 'vitest';

import { startSipServer, type SipServer } from '../../../sip/server/server.ts';
import { TestApplication, next, sdp, type SipDialog } from './application.ts';
import { RawPeer, header, tagIn, type InviteParts } from './raw-peer.ts';

type Fits = (message: string) => boolean;

/** A response with that status to that verb. */
export const status =
  (code: number, method: string): Fits =>
  (message) =>
    message.startsWith(`SIP/2.0 ${code}`) && header(message, 'CSeq').endsWith(method);

/** A request with that verb. */
export const verb =
  (method: string): Fits =>
  (message) =>
    message.startsWith(`${method} `);

export interface Established {
  readonly dialog: SipDialog;
  /** What a request of the peer within the call needs. */
  readonly inCall: InviteParts & { readonly toTag: string };
  /** The 200 of the INVITE. */
  readonly ok: string;
}

/** Set up by `useCallBench` before each test. */
export class CallBench {
  server!: SipServer;
  application!: TestApplication;
  peer!: RawPeer;
  port = 0;

  send(text: string): void {
    this.peer.send(this.port, text);
  }

  answerCalls(): Promise<SipDialog> {
    return new Promise((resolve, reject) => {
      this.application.on('invite', (request, reply) => {
        this.application.answer(request, reply, sdp(4000)).then(resolve, reject);
      });
    });
  }

  /** A call of the raw peer, answered and acknowledged. */
  async established(parts: Partial<InviteParts> = {}): Promise<Established> {
    const { peer, port } = this;
    const { callId = `call-${peer.port}`, sequence = 1 } = parts;
    const answered = this.answerCalls();
    this.send(peer.invite({ user: 'x', port, ...parts, callId }));
    const ok = await peer.waitFor(status(200, 'INVITE'));
    const inCall = { user: 'x', port, callId, toTag: tagIn(header(ok, 'To')) };
    const dialog = await answered;
    const acknowledged = next(dialog, 'ack');
    this.send(peer.request({ ...inCall, method: 'ACK', sequence }));
    await acknowledged;
    return { dialog, inCall, ok };
  }

  /** A call of the application to the raw peer, which answers with the given rows. */
  async called(
    rows: readonly string[] = [],
    headers: Record<string, string> = {},
  ): Promise<{ dialog: SipDialog; invite: string; ack: string }> {
    const { peer } = this;
    const call = this.application.call(`sip:raw@127.0.0.1:${peer.port}`, { localSdp: sdp(4000), headers });
    const invite = await peer.waitFor(verb('INVITE'));
    const extra = rows.some((row) => row.startsWith('Contact:'))
      ? rows
      : [`Contact: <sip:raw@127.0.0.1:${peer.port}>`, ...rows];
    this.send(peer.response(invite, '200 OK', extra, 'theirs', sdp(5000)));
    const dialog = await call;
    const ack = await peer.waitFor(verb('ACK'));
    return { dialog, invite, ack };
  }

  /** Hangs up from our side and lets the peer agree; returns the BYE. */
  async hangUp(dialog: SipDialog): Promise<string> {
    const destroyed = dialog.destroy();
    const bye = await this.peer.waitFor(verb('BYE'));
    this.send(this.peer.response(bye, '200 OK'));
    await destroyed;
    return bye;
  }

  /** Resolves when no transaction, dialog or waiting request is left. */
  async allQuiet(): Promise<void> {
    const open = (): number => {
      const { clientTransactions, serverTransactions, dialogs, pendingRequests } = this.server.census();
      return clientTransactions + serverTransactions + dialogs + pendingRequests;
    };
    await vi.waitFor(() => expect(open()).toBe(0), { timeout: 10_000, interval: 20 });
  }
}

/** Starts the bench for a test file and checks after each test that the server met no bug. */
export function useCallBench(
  verbs: readonly string[] = ['invite', 'message', 'subscribe', 'notify'],
): CallBench {
  const bench = new CallBench();
  beforeAll(async () => {
    bench.server = await startSipServer({
      contacts: [{ transport: 'udp', host: '127.0.0.1', port: 0 }],
      admin: { host: '127.0.0.1', port: 0, secret: 's' },
      // A "second" of the session timer lasts 5 ms here: 90 of them 450 ms.
      timers: { t1Ms: 20, t2Ms: 80, t4Ms: 80, sessionSecondMs: 5, ringingMaxMs: 1_500 },
    });
    bench.port = bench.server.contacts[0]?.port ?? 0;
    bench.application = await TestApplication.connect(bench.server.admin, verbs);
  });
  beforeEach(async () => {
    bench.application.handlers.clear();
    bench.peer = await RawPeer.open();
  });
  afterEach(async () => {
    await expect.poll(() => bench.server.census().pendingRequests, { timeout: 5_000 }).toBe(0);
    await bench.peer.close();
    expect(bench.server.counters()['bugs']).toBeUndefined();
  });
  afterAll(async () => {
    await bench.allQuiet();
    bench.application.disconnect();
    await bench.server.close();
  });
  return bench;
}
