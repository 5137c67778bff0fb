import {
  ClientTransaction,
  type ClientTransactionEvents,
  type TransactionParts,
} from './client-transaction.ts';
import type { Counters } from './counters.ts';
import { tagOf } from './header.ts';
import { LIMITS } from './limits.ts';
import { responseTo, type SipRequest, type SipResponse } from './message.ts';
import { ServerTransaction } from './server-transaction.ts';
import type { Peer } from './transport.ts';
import { BRANCH_COOKIE, formatVia, parseVia, stampVia, type Via } from './via.ts';

export interface TransactionsEvents {
  /** A new request, never ACK or CANCEL. */
  onRequest(transaction: ServerTransaction): void;
  /** An ACK that belongs to no 3xx-6xx: the ACK of a 2xx. */
  onAck(ack: SipRequest, source: Peer): void;
  /** A CANCEL and the INVITE that it means, if that is known. */
  onCancel(cancel: ServerTransaction, invite: ServerTransaction | undefined): void;
}

/** Matches messages to transactions (RFC 3261 §17.1.3, §17.2.3). */
export class Transactions {
  readonly #clients = new Map<string, ClientTransaction>();
  readonly #servers = new Map<string, ServerTransaction>();
  /**
   * Call-ID, CSeq and From tag of requests outside a dialog -> transaction: tells merged requests
   * (§8.2.2.2).
   */
  readonly #merge = new Map<string, ServerTransaction>();
  readonly #parts: TransactionParts;
  readonly #events: TransactionsEvents;
  readonly #counters: Counters;

  constructor(parts: TransactionParts, events: TransactionsEvents, counters: Counters) {
    this.#parts = parts;
    this.#events = events;
    this.#counters = counters;
  }

  get clientCount(): number {
    return this.#clients.size;
  }

  get serverCount(): number {
    return this.#servers.size;
  }

  get full(): boolean {
    return this.#clients.size + this.#servers.size >= LIMITS.transactionsMax;
  }

  /** Starts a request of ours; its top Via must carry a fresh branch. */
  request(request: SipRequest, peer: Peer, events: ClientTransactionEvents): ClientTransaction {
    const branch = parseVia(request.get('Via') ?? '')?.params.get('branch') ?? '';
    const key = clientKey(branch, request.method);
    const transaction = new ClientTransaction(request, peer, this.#parts, {
      onResponse: (response, from) => events.onResponse(response, from),
      onEnd: () => {
        this.#clients.delete(key);
        events.onEnd();
      },
    });
    this.#clients.set(key, transaction);
    transaction.start();
    return transaction;
  }

  receiveResponse(response: SipResponse, peer: Peer): void {
    const branch = parseVia(response.get('Via') ?? '')?.params.get('branch') ?? '';
    const transaction = this.#clients.get(clientKey(branch, response.sequence.method));
    if (transaction === undefined) this.#counters.add('responses.stray');
    else transaction.receive(response, peer);
  }

  /** Takes a well-formed request. Its top Via is noted with where it came from. */
  receiveRequest(request: SipRequest, source: Peer): void {
    const via = parseVia(request.get('Via') ?? '');
    if (via === undefined) return;
    request.set('Via', formatVia(stampVia(via, source)));
    const known = this.#servers.get(serverKey(request, via, request.method));
    if (request.method === 'ACK') {
      if (known === undefined || known.state === 'accepted') this.#events.onAck(request, source);
      else known.receiveAck();
    } else if (known !== undefined) known.receiveAgain();
    else this.#begin(request, via, source);
  }

  /** Answers a request for which no transaction is kept. */
  respondStateless(request: SipRequest, source: Peer, response: SipResponse): void {
    const via = parseVia(request.get('Via') ?? '');
    if (via === undefined || request.method === 'ACK') return;
    this.#parts.send(replyPeer(via, source), response.toString(), () => undefined)();
  }

  close(): void {
    for (const transaction of [...this.#clients.values(), ...this.#servers.values()]) transaction.close();
  }

  #begin(request: SipRequest, via: Via, source: Peer): void {
    if (this.full) {
      this.#counters.add('transactions.refused');
      this.respondStateless(request, source, responseTo(request, 503).add('Retry-After', '10'));
      return;
    }
    const merge = tagOf(request.get('To')) === undefined ? mergeKey(request) : undefined;
    const twin = merge === undefined ? undefined : this.#merge.get(merge);
    const key = serverKey(request, via, request.method);
    const transaction = new ServerTransaction(
      request,
      { source, replyTo: replyPeer(via, source) },
      this.#parts,
      {
        onEnd: () => {
          this.#servers.delete(key);
          if (merge !== undefined && this.#merge.get(merge) === transaction) this.#merge.delete(merge);
        },
      },
    );
    this.#servers.set(key, transaction);
    if (request.method === 'CANCEL') {
      this.#events.onCancel(transaction, this.#servers.get(serverKey(request, via, 'INVITE')));
    } else if (twin !== undefined) {
      this.#counters.add('requests.merged');
      transaction.respond(responseTo(request, 482));
    } else {
      if (merge !== undefined) this.#merge.set(merge, transaction);
      this.#events.onRequest(transaction);
    }
  }
}

function clientKey(branch: string, method: string): string {
  return `${branch} ${method}`;
}

/**
 * Branch, sent-by and method; the ACK counts as its INVITE. Peers of RFC 2543 have no branch worth the
 * name.
 */
function serverKey(request: SipRequest, via: Via, method: string): string {
  const suffix = `${via.host}:${via.port ?? ''} ${method === 'ACK' ? 'INVITE' : method}`;
  const branch = via.params.get('branch') ?? '';
  if (branch.startsWith(BRANCH_COOKIE) && branch.length > BRANCH_COOKIE.length) return `${branch} ${suffix}`;
  return `2543 ${request.callId} ${request.sequence.number} ${request.get('From') ?? ''} ${suffix}`;
}

function mergeKey(request: SipRequest): string {
  const { number, method } = request.sequence;
  return `${request.callId} ${number} ${method} ${tagOf(request.get('From')) ?? ''}`;
}

/**
 * RFC 3261 §18.2.2: the connection it came over, or else the address it came from with rport or the sent-by
 * port. A maddr is not followed: any sender could aim our answers at a third party with it.
 */
function replyPeer(via: Via, source: Peer): Peer {
  const sentByPort = via.port ?? (source.transport === 'tls' ? 5061 : 5060);
  if (source.transport !== 'udp') return { ...source, port: sentByPort };
  return { ...source, port: via.params.has('rport') ? source.port : sentByPort };
}
