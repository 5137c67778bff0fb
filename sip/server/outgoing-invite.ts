import type { Application } from './application.ts';
import type { ClientTransaction } from './client-transaction.ts';
import { SipRequest } from './message.ts';

/** An INVITE of ours that may be cancelled (RFC 3261 §9.1). */
export class OutgoingInvite {
  readonly application: Application;
  readonly transaction: ClientTransaction;
  readonly #send: (cancel: SipRequest) => void;
  #answering = false;
  #over = false;
  #cancel: SipRequest | undefined;

  constructor(application: Application, transaction: ClientTransaction, send: (cancel: SipRequest) => void) {
    this.application = application;
    this.transaction = transaction;
    this.#send = send;
  }

  /** A CANCEL may only follow a provisional response; after a final one it is pointless. */
  onStatus(status: number): void {
    if (status >= 200) {
      this.#over = true;
      return;
    }
    if (this.#answering) return;
    this.#answering = true;
    if (this.#cancel !== undefined) this.#dispatch(this.#cancel);
  }

  /** Cancels, at once or when the first provisional response comes; returns the CANCEL. */
  cancel(reasons: readonly string[]): SipRequest {
    if (this.#cancel !== undefined) return this.#cancel;
    const invite = this.transaction.request;
    const cancel = new SipRequest('CANCEL', invite.uri);
    // The branch of the INVITE says which request is meant.
    cancel.add('Via', invite.get('Via') ?? '').add('Max-Forwards', '70');
    for (const header of invite.headers) {
      if (['From', 'To', 'Call-ID', 'Route'].includes(header[0])) cancel.headers.push(header);
    }
    cancel.add('CSeq', `${invite.sequence.number} CANCEL`);
    for (const reason of reasons) cancel.add('Reason', reason);
    this.#cancel = cancel;
    if (this.#answering && !this.#over) this.#dispatch(cancel);
    return cancel;
  }

  #dispatch(cancel: SipRequest): void {
    this.#send(cancel);
    this.transaction.giveUpAfterCancel();
  }
}
