import { INVITE_CLIENT, PLAIN_CLIENT, type ClientEvent, type ClientState } from './client-states.ts';
import { SipRequest, responseTo, type SipResponse } from './message.ts';
import { isLegal, nextState } from './state-table.ts';
import { transactionTimeoutMs, type Timers } from './timers.ts';
import type { Peer, SendFailed } from './transport.ts';

export interface TransactionParts {
  readonly timers: Timers;
  readonly send: (peer: Peer, text: string, failed: SendFailed) => () => void;
}

export interface ClientTransactionEvents {
  /**
   * Every response for the user: 1xx, the final one, and each 2xx to an INVITE. `peer` is missing when we
   * made it.
   */
  onResponse(response: SipResponse, peer: Peer | undefined): void;
  onEnd(): void;
}

/** A request of ours until its answer is settled (RFC 3261 §17.1). */
export class ClientTransaction {
  readonly request: SipRequest;
  readonly peer: Peer;
  readonly #parts: TransactionParts;
  readonly #events: ClientTransactionEvents;
  readonly #text: string;
  readonly #table: typeof INVITE_CLIENT;
  #state: ClientState = 'calling';
  #retransmit: NodeJS.Timeout | undefined;
  #timeout: NodeJS.Timeout | undefined;
  #release: () => void = () => undefined;
  #ack: string | undefined;
  #intervalMs: number;
  #retriedConnection = false;
  #cancelled = false;
  #closed = false;

  constructor(request: SipRequest, peer: Peer, parts: TransactionParts, events: ClientTransactionEvents) {
    this.request = request;
    this.peer = peer;
    this.#parts = parts;
    this.#events = events;
    this.#text = request.toString();
    this.#table = request.method === 'INVITE' ? INVITE_CLIENT : PLAIN_CLIENT;
    this.#intervalMs = parts.timers.t1Ms;
  }

  get state(): ClientState {
    return this.#state;
  }

  /** Sends the request and starts timers A or E, and B or F. */
  start(): void {
    this.#send(this.peer, this.#text);
    if (!this.#reliable) this.#scheduleRetransmission();
    this.#limit(transactionTimeoutMs(this.#parts.timers), 408);
  }

  receive(response: SipResponse, peer: Peer): void {
    const event = eventOf(response.status);
    if (!isLegal(this.#table, this.#state, event)) return;
    const repeated = this.#state === 'completed';
    const first = this.#state === 'calling' || this.#state === 'proceeding';
    this.#move(event);
    if (repeated) {
      if (this.#ack !== undefined) this.#send(this.peer, this.#ack);
      return;
    }
    if (event === 'provisional') this.#provisional();
    else if (event === 'failure' || this.#state === 'completed') this.#complete(response);
    else if (first) this.#accept();
    this.#events.onResponse(response, peer);
  }

  /**
   * RFC 3261 §9.1: an INVITE that was cancelled and is still not answered after 64*T1 is over.
   * Call when the CANCEL was sent.
   */
  giveUpAfterCancel(): void {
    this.#cancelled = true;
    if (this.#state === 'proceeding') this.#limit(transactionTimeoutMs(this.#parts.timers), 487);
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#state = 'terminated';
    clearTimeout(this.#retransmit);
    clearTimeout(this.#timeout);
    this.#release();
    this.#events.onEnd();
  }

  get #reliable(): boolean {
    return this.peer.transport !== 'udp';
  }

  get #isInvite(): boolean {
    return this.#table === INVITE_CLIENT;
  }

  #move(event: ClientEvent): void {
    this.#state = nextState(this.#table, this.#state, event);
  }

  /**
   * Timer A doubles without end (§17.1.1.2); timer E doubles to T2 and stays there once proceeding
   * (§17.1.2.2).
   */
  #scheduleRetransmission(): void {
    this.#retransmit = setTimeout(() => {
      this.#send(this.peer, this.#text);
      const doubled = this.#intervalMs * 2;
      const { t2Ms } = this.#parts.timers;
      if (this.#isInvite) this.#intervalMs = doubled;
      else this.#intervalMs = this.#state === 'proceeding' ? t2Ms : Math.min(doubled, t2Ms);
      this.#scheduleRetransmission();
    }, this.#intervalMs);
  }

  #limit(afterMs: number, status: number): void {
    clearTimeout(this.#timeout);
    this.#timeout = setTimeout(() => this.#fail(status, 'timeout'), afterMs);
  }

  #linger(afterMs: number): void {
    clearTimeout(this.#retransmit);
    clearTimeout(this.#timeout);
    this.#release();
    if (afterMs === 0) queueMicrotask(() => this.close());
    else this.#timeout = setTimeout(() => this.close(), afterMs);
  }

  #provisional(): void {
    if (!this.#isInvite || this.#cancelled) return;
    clearTimeout(this.#retransmit);
    this.#limit(this.#parts.timers.ringingMaxMs, 408);
  }

  /** Timer M (RFC 6026 §8.4). */
  #accept(): void {
    this.#linger(transactionTimeoutMs(this.#parts.timers));
  }

  /** Timer D or K; over a reliable transport nothing can be repeated, so nothing is waited for. */
  #complete(response: SipResponse): void {
    const { timers } = this.#parts;
    this.#linger(this.#reliable ? 0 : this.#isInvite ? transactionTimeoutMs(timers) : timers.t4Ms);
    if (!this.#isInvite) return;
    this.#ack = acknowledge(this.request, response).toString();
    this.#send(this.peer, this.#ack);
  }

  #send(peer: Peer, text: string): void {
    this.#release();
    this.#release = this.#parts.send(peer, text, (_error, reused) => this.#sendFailed(reused));
  }

  #sendFailed(reused: boolean): void {
    if (this.#state !== 'calling' && this.#state !== 'proceeding') return;
    if (this.#state === 'calling' && reused && !this.#retriedConnection) {
      // A peer may close an idle connection at the very moment we use it: a new one deserves one attempt.
      this.#retriedConnection = true;
      const { connection: _gone, ...peer } = this.peer;
      this.#send(peer, this.#text);
      return;
    }
    // An INVITE that rings is answered over another connection, if need be (§18.2.2).
    if (this.#table[this.#state].transportError === 'proceeding') return;
    this.#fail(503, 'transportError');
  }

  #fail(status: number, event: ClientEvent): void {
    this.#move(event);
    this.close();
    this.#events.onResponse(responseTo(this.request, status), undefined);
  }
}

function eventOf(status: number): ClientEvent {
  if (status < 200) return 'provisional';
  return status < 300 ? 'success' : 'failure';
}

/** The ACK of a 3xx-6xx: the INVITE's own Via, request-URI and route (RFC 3261 §17.1.1.3). */
function acknowledge(invite: SipRequest, response: SipResponse): SipRequest {
  const ack = new SipRequest('ACK', invite.uri);
  ack.add('Via', invite.get('Via') ?? '').add('Max-Forwards', '70');
  for (const header of invite.headers) {
    if (header[0] === 'From' || header[0] === 'Call-ID' || header[0] === 'Route') ack.headers.push(header);
  }
  return ack.add('To', response.get('To') ?? '').add('CSeq', `${invite.sequence.number} ACK`);
}
