import type { TransactionParts } from './client-transaction.ts';
import type { SipRequest, SipResponse } from './message.ts';
import { INVITE_SERVER, PLAIN_SERVER, type ServerEvent, type ServerState } from './server-states.ts';
import { isLegal, nextState } from './state-table.ts';
import { transactionTimeoutMs } from './timers.ts';
import type { Peer } from './transport.ts';

export interface ServerTransactionEvents {
  onEnd(): void;
}

/** A request of a peer until its answer is settled (RFC 3261 §17.2). */
export class ServerTransaction {
  readonly request: SipRequest;
  /** Where the request came from. */
  readonly source: Peer;
  /** Where responses go (RFC 3261 §18.2.2, RFC 3581 §4). */
  readonly replyTo: Peer;
  readonly #parts: TransactionParts;
  readonly #events: ServerTransactionEvents;
  readonly #table: typeof INVITE_SERVER;
  #state: ServerState = 'proceeding';
  #last: string | undefined;
  #retransmit: NodeJS.Timeout | undefined;
  #timeout: NodeJS.Timeout | undefined;
  #release: () => void = () => undefined;

  constructor(
    request: SipRequest,
    peers: { source: Peer; replyTo: Peer },
    parts: TransactionParts,
    events: ServerTransactionEvents,
  ) {
    this.request = request;
    this.source = peers.source;
    this.replyTo = peers.replyTo;
    this.#parts = parts;
    this.#events = events;
    this.#table = request.method === 'INVITE' ? INVITE_SERVER : PLAIN_SERVER;
  }

  get state(): ServerState {
    return this.#state;
  }

  /** True until a final response was sent. */
  get answerable(): boolean {
    return this.#state === 'proceeding';
  }

  /** Sends a response; false when a final one was sent before. */
  respond(response: SipResponse): boolean {
    const event = eventOf(response.status);
    if (!this.answerable || !isLegal(this.#table, this.#state, event)) return false;
    this.#state = nextState(this.#table, this.#state, event);
    this.#last = response.toString();
    this.transmit(this.#last);
    if (this.#state === 'accepted') this.#linger(transactionTimeoutMs(this.#parts.timers));
    else if (this.#state === 'completed') this.#complete();
    return true;
  }

  /**
   * The same request again: the last response answers it, except a 2xx to an INVITE, which the dialog
   * repeats.
   */
  receiveAgain(): void {
    if (this.#last !== undefined && (this.#state === 'proceeding' || this.#state === 'completed')) {
      this.transmit(this.#last);
    }
  }

  /** The ACK of a 3xx-6xx. */
  receiveAck(): void {
    if (!isLegal(this.#table, this.#state, 'ack') || this.#state === 'confirmed') return;
    this.#state = nextState(this.#table, this.#state, 'ack');
    clearTimeout(this.#retransmit);
    this.#linger(this.#reliable ? 0 : this.#parts.timers.t4Ms);
  }

  /** Sends text to where responses go, outside the state machine: repeated 2xx and reliable 1xx. */
  transmit(text: string): void {
    this.#release();
    this.#release = this.#parts.send(this.replyTo, text, () => undefined);
  }

  close(): void {
    if (this.#state === 'terminated') return;
    this.#state = 'terminated';
    clearTimeout(this.#retransmit);
    clearTimeout(this.#timeout);
    this.#release();
    this.#events.onEnd();
  }

  get #reliable(): boolean {
    return this.replyTo.transport !== 'udp';
  }

  /** Timers G and H for an INVITE, J for all others. */
  #complete(): void {
    const { timers } = this.#parts;
    if (this.#table === INVITE_SERVER) {
      if (!this.#reliable) this.#repeat(timers.t1Ms);
      this.#linger(transactionTimeoutMs(timers));
    } else this.#linger(this.#reliable ? 0 : transactionTimeoutMs(timers));
  }

  #repeat(intervalMs: number): void {
    this.#retransmit = setTimeout(() => {
      this.transmit(this.#last ?? '');
      this.#repeat(Math.min(intervalMs * 2, this.#parts.timers.t2Ms));
    }, intervalMs);
  }

  #linger(afterMs: number): void {
    clearTimeout(this.#timeout);
    if (afterMs === 0) queueMicrotask(() => this.close());
    else this.#timeout = setTimeout(() => this.close(), afterMs);
  }
}

function eventOf(status: number): ServerEvent {
  if (status < 200) return 'provisional';
  return status < 300 ? 'success' : 'failure';
}
