/**
 * The caller's half of SIP over UDP, for many calls on one socket: INVITE, ACK, BYE, with the
 * retransmissions of RFC 3261 §17.1.1.2 that a busy loopback needs. It calls; it cannot be called.
 */
import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { newId } from '../src/base/ids.ts';

const t1_ms = 500;
const transaction_ms_max = 32_000;

export interface Answered {
  /** Where the far end wants RTP. */
  readonly rtpAddress: string;
  readonly rtpPort: number;
  readonly setupMs: number;
}

interface Dialog {
  readonly callId: string;
  readonly localTag: string;
  remoteTag: string;
  /** Request-URI of what is sent within the dialog. */
  remoteTarget: string;
  sequence: number;
}

interface Transaction {
  readonly callId: string;
  readonly method: string;
  readonly text: string;
  readonly sentMs: number;
  provisional: boolean;
  timer: NodeJS.Timeout;
  readonly settle: (response: string | null) => void;
}

export class SipClient {
  readonly #socket: Socket;
  readonly #targetPort: number;
  readonly #port: number;
  readonly #transactions = new Map<string, Transaction>();
  readonly #dialogs = new Map<string, Dialog>();

  static async open(targetPort: number): Promise<SipClient> {
    const socket = createSocket('udp4');
    socket.bind(0, '127.0.0.1');
    await once(socket, 'listening');
    return new SipClient(socket, targetPort);
  }

  constructor(socket: Socket, targetPort: number) {
    this.#socket = socket;
    this.#targetPort = targetPort;
    this.#port = socket.address().port;
    socket.on('message', (message) => this.#take(message.toString('latin1')));
  }

  /** @throws Error with the final status when the call is not answered */
  async invite(number: string, rtpPort: number): Promise<{ callId: string; answered: Answered }> {
    const dialog: Dialog = {
      callId: newId('bench'),
      localTag: newId('tag'),
      remoteTag: '',
      remoteTarget: `sip:${number}@127.0.0.1:${this.#targetPort}`,
      sequence: 1,
    };
    this.#dialogs.set(dialog.callId, dialog);
    const body = [
      'v=0',
      'o=bench 1 1 IN IP4 127.0.0.1',
      's=bench',
      'c=IN IP4 127.0.0.1',
      't=0 0',
      `m=audio ${rtpPort} RTP/AVP 0 101`,
      'a=rtpmap:0 PCMU/8000',
      'a=rtpmap:101 telephone-event/8000',
      'a=ptime:20',
      'a=sendrecv',
      '',
    ].join('\r\n');
    const startMs = performance.now();
    const response = await this.#request(dialog, 'INVITE', body);
    const setupMs = performance.now() - startMs;
    const status = response === null ? 'no answer' : statusOf(response);
    if (response === null || status !== 200) {
      this.#dialogs.delete(dialog.callId);
      throw new Error(`INVITE: ${status}`);
    }
    const connection = /^c=IN IP4 (\S+)/m.exec(response)?.[1] ?? '127.0.0.1';
    const port = Number(/^m=audio (\d+)/m.exec(response)?.[1]);
    return { callId: dialog.callId, answered: { rtpAddress: connection, rtpPort: port, setupMs } };
  }

  /** Hangs up; resolves when the far end has agreed, or has not been heard of. */
  async bye(callId: string): Promise<void> {
    const dialog = this.#dialogs.get(callId);
    if (dialog === undefined) return;
    dialog.sequence += 1;
    await this.#request(dialog, 'BYE', '');
    this.#dialogs.delete(callId);
  }

  close(): void {
    for (const { timer } of this.#transactions.values()) clearTimeout(timer);
    this.#transactions.clear();
    this.#socket.close();
  }

  #request(dialog: Dialog, method: string, body: string): Promise<string | null> {
    const branch = newId('z9hG4bK');
    const text = this.#compose(dialog, { method, branch, body });
    return new Promise((resolve) => {
      const settle = (response: string | null): void => {
        const open = this.#transactions.get(branch);
        clearTimeout(open?.timer);
        this.#transactions.delete(branch);
        resolve(response);
      };
      const sentMs = performance.now();
      const timer = setTimeout(() => this.#again(branch, 2 * t1_ms), t1_ms);
      const { callId } = dialog;
      this.#transactions.set(branch, { callId, method, text, sentMs, provisional: false, timer, settle });
      this.#send(text);
    });
  }

  /** Timers A and B of an INVITE, E and F of the rest. */
  #again(branch: string, nextMs: number): void {
    const open = this.#transactions.get(branch);
    if (open === undefined) return;
    if (performance.now() - open.sentMs > transaction_ms_max) {
      open.settle(null);
      return;
    }
    if (!open.provisional) this.#send(open.text);
    open.timer = setTimeout(() => this.#again(branch, Math.min(2 * nextMs, 4000)), nextMs);
  }

  #compose(dialog: Dialog, request: { method: string; branch: string; body: string }): string {
    const { method, branch, body } = request;
    const to = dialog.remoteTag === '' ? '' : `;tag=${dialog.remoteTag}`;
    return [
      `${method} ${dialog.remoteTarget} SIP/2.0`,
      `Via: SIP/2.0/UDP 127.0.0.1:${this.#port};rport;branch=${branch}`,
      'Max-Forwards: 70',
      `From: <sip:+15550199@127.0.0.1:${this.#port}>;tag=${dialog.localTag}`,
      `To: <${dialog.remoteTarget}>${to}`,
      `Call-ID: ${dialog.callId}`,
      `CSeq: ${dialog.sequence} ${method}`,
      `Contact: <sip:bench@127.0.0.1:${this.#port}>`,
      ...(body === '' ? [] : ['Content-Type: application/sdp']),
      `Content-Length: ${body.length}`,
      '',
      body,
    ].join('\r\n');
  }

  #take(message: string): void {
    if (!message.startsWith('SIP/2.0 ')) {
      this.#answer(message);
      return;
    }
    const branch = /^via:[^\r]*branch=([^;,\s]+)/im.exec(message)?.[1] ?? '';
    const method = /^cseq: *\d+ +(\w+)/im.exec(message)?.[1] ?? '';
    const callId = /^call-id: *(\S+)/im.exec(message)?.[1] ?? '';
    const status = statusOf(message);
    const open = this.#transactions.get(branch);
    if (status < 200) {
      if (open !== undefined) open.provisional = true;
      return;
    }
    // A 200 is acknowledged each time it comes: the first ACK may have been lost (RFC 3261 §13.2.2.4).
    if (method === 'INVITE') this.#acknowledge(callId, status, message, branch);
    open?.settle(message);
  }

  #acknowledge(callId: string, status: number, response: string, branch: string): void {
    const dialog = this.#dialogs.get(callId);
    if (dialog === undefined) return;
    dialog.remoteTag = /^to:[^\r]*;tag=([^;\s]+)/im.exec(response)?.[1] ?? '';
    if (status < 300)
      dialog.remoteTarget = /^contact:[^<\r]*<([^>]+)>/im.exec(response)?.[1] ?? dialog.remoteTarget;
    const ownBranch = status < 300 ? newId('z9hG4bK') : branch;
    const acknowledged = { ...dialog, sequence: 1 };
    this.#send(this.#compose(acknowledged, { method: 'ACK', branch: ownBranch, body: '' }));
  }

  /** What the far end asks of us: agreed, whatever it is. */
  #answer(request: string): void {
    const method = request.split(' ', 1)[0] ?? '';
    if (method === 'ACK') return;
    const kept = request.split('\r\n').filter((line) => /^(via|from|to|call-id|cseq):/i.test(line));
    this.#send(['SIP/2.0 200 OK', ...kept, 'Content-Length: 0', '', ''].join('\r\n'));
  }

  #send(text: string): void {
    this.#socket.send(text, this.#targetPort, '127.0.0.1');
  }
}

function statusOf(response: string): number {
  return Number(response.slice(8, 11));
}
