import { randomInt, randomUUID } from 'node:crypto';

import { formatDelivery, type Origin } from './admin-protocol.ts';
import type { Application } from './application.ts';
import type { Core } from './core.ts';
import type { Dialog } from './dialog.ts';
import { tagOf } from './header.ts';
import { SipRequest, newToken, responseTo } from './message.ts';
import type { PendingRequest, PendingRequests } from './pending-requests.ts';
import { intervalTooSmall } from './session-timer.ts';
import type { ServerTransaction } from './server-transaction.ts';
import { transactionTimeoutMs } from './timers.ts';
import type { Peer } from './transport.ts';

/** Verbs that mean nothing outside a dialog. */
const DIALOG_ONLY: ReadonlySet<string> = new Set(['BYE', 'PRACK', 'UPDATE']);

/** Requests of the network: what the server answers itself, and what goes to which application. */
export class Incoming {
  readonly #core: Core;
  readonly #pending: PendingRequests;

  constructor(core: Core, pending: PendingRequests) {
    this.#core = core;
    this.#pending = pending;
  }

  onRequest(transaction: ServerTransaction): void {
    const { request } = transaction;
    this.#core.counters.add(`requests.${countedMethod(request.method)}`);
    // OPTIONS with no hop left is how a path is traced (RFC 3261 §11); its last stop answers as usual.
    if (request.get('Max-Forwards') === '0' && request.method !== 'OPTIONS') this.#refuse(transaction, 483);
    else if (tagOf(request.get('To')) === undefined) this.#outsideDialog(transaction);
    else {
      const dialog = this.#core.dialogs.of(request);
      if (dialog === undefined) this.#refuse(transaction, 481);
      else this.#insideDialog(transaction, dialog);
    }
  }

  onAck(ack: SipRequest, source: Peer): void {
    const dialog = this.#core.dialogs.of(ack);
    const answer = dialog?.answer;
    if (dialog === undefined || answer?.settled !== false || answer.sequence !== ack.sequence.number) {
      this.#core.counters.add('acks.stray');
      return;
    }
    // drachtio names no transport for an ACK, and gives the first one the INVITE's transaction id.
    const origin = { ...originOf(source), transport: '' };
    const transactionId = answer.first ? answer.transactionId : randomUUID();
    dialog.owner.send(formatDelivery(ack, origin, { transactionId, dialogId: dialog.id }));
    answer.acknowledged();
  }

  onCancel(cancel: ServerTransaction, invite: ServerTransaction | undefined): void {
    if (invite === undefined) {
      this.#refuse(cancel, 481);
      return;
    }
    const pending = this.#pending.of(invite);
    cancel.respond(responseTo(cancel.request, 200, undefined, pending?.toTag ?? newToken()));
    if (pending !== undefined && invite.answerable) {
      this.#core.counters.add('invites.cancelled');
      this.abandon(pending, 487, cancel.request, cancel.source);
    }
  }

  /** The application is gone: what waits for its answer gets 503. */
  onApplicationGone(application: Application): void {
    for (const pending of this.#pending.ofApplication(application)) {
      this.#pending.remove(pending);
      this.#dropEarlyDialog(pending);
      this.#respondUnavailable(pending.transaction);
    }
  }

  /**
   * Refuses an INVITE over the application's head and tells it with the CANCEL of the caller, or with one
   * that the
   * caller might have sent.
   */
  abandon(pending: PendingRequest, status: number, cancel?: SipRequest, source?: Peer): void {
    const { transaction, application, dialog } = pending;
    this.#pending.remove(pending);
    transaction.respond(responseTo(transaction.request, status, undefined, pending.toTag));
    const told = cancel ?? cancelOf(transaction.request);
    const names = { transactionId: pending.id, dialogId: dialog?.id ?? '' };
    this.#dropEarlyDialog(pending);
    application.send(formatDelivery(told, originOf(source ?? transaction.source), names));
    if (!pending.inDialog) this.tellCdr('stop', 'network', told, 'call-canceled');
  }

  /** Call records for an application that routes `cdr:attempt`, `cdr:start` or `cdr:stop`. */
  tellCdr(
    kind: 'attempt' | 'start' | 'stop',
    source: Origin['source'],
    message: { toString(): string },
    detail?: string,
  ): void {
    const application = this.#core.admin.pick(`cdr:${kind}`);
    if (application === undefined) return;
    const time = new Date().toISOString().slice(11, 23);
    const end = detail === undefined ? '' : `|${detail}`;
    application.send(`cdr:${kind}|${source}|${time}000${end}\r\n${message.toString()}`);
  }

  #outsideDialog(transaction: ServerTransaction): void {
    const { request, source } = transaction;
    if (DIALOG_ONLY.has(request.method)) {
      this.#refuse(transaction, 481);
      return;
    }
    const application = this.#core.admin.pick(request.method);
    if (application === undefined) {
      this.#refuseUnrouted(transaction);
      return;
    }
    if (request.method === 'INVITE' || request.method === 'SUBSCRIBE') {
      if (this.#core.dialogs.full) {
        this.#core.counters.add('dialogs.refused');
        this.#respondUnavailable(transaction);
        return;
      }
    }
    if (this.#refusesInterval(transaction)) return;
    const pending = this.#pending.add(transaction, application);
    this.#limit(pending);
    const { contact } = source;
    const names = {
      transactionId: pending.id,
      dialogId: '',
      receivedOn: { address: contact.host, port: contact.port },
    };
    application.send(formatDelivery(request, originOf(source), names));
    if (request.method === 'INVITE') this.tellCdr('attempt', 'network', request);
  }

  #insideDialog(transaction: ServerTransaction, dialog: Dialog): void {
    const { request } = transaction;
    const { number } = request.sequence;
    // RFC 3261 §12.2.2: out of order means the peer lost count; repetitions never come this far.
    if (dialog.remoteSequence !== undefined && number < dialog.remoteSequence) {
      this.#refuse(transaction, 500);
      return;
    }
    dialog.remoteSequence = number;
    if (request.method === 'INVITE' && dialog.pendingInvite?.answerable === true) {
      // RFC 3261 §14.2.
      transaction.respond(responseTo(request, 500).add('Retry-After', String(randomInt(0, 11))));
      return;
    }
    if (request.method === 'PRACK' && dialog.provisionals?.acknowledged(request) !== true) {
      this.#refuse(transaction, 481);
      return;
    }
    if (this.#refusesInterval(transaction)) return;
    if (dialog.state === 'early' && request.method === 'BYE' && this.#byeBeforeAnswer(transaction, dialog))
      return;
    const application = this.#ownerOf(dialog);
    if (application === undefined) {
      this.#withoutApplication(transaction, dialog);
      return;
    }
    if (dialog.remote === undefined) {
      // A NOTIFY that came before the 2xx to our SUBSCRIBE makes the dialog.
      const tag = tagOf(request.get('From')) ?? '';
      dialog.learn(tag, request, request.all('Record-Route'));
    }
    const pending = this.#pending.add(transaction, application, dialog);
    if (request.method === 'INVITE') dialog.pendingInvite = transaction;
    this.#limit(pending);
    if (request.method === 'BYE') {
      this.#core.dialogs.remove(dialog);
      this.tellCdr('stop', 'network', request, 'normal-release');
    }
    const names = { transactionId: pending.id, dialogId: dialog.id };
    application.send(formatDelivery(request, originOf(transaction.source), names));
  }

  /** A dialog outlives its application: whoever takes its verb next is its owner. */
  #ownerOf(dialog: Dialog): Application | undefined {
    if (dialog.owner.connected) return dialog.owner;
    const heir = this.#core.admin.pick(dialog.method);
    if (heir !== undefined) dialog.owner = heir;
    return heir;
  }

  #withoutApplication(transaction: ServerTransaction, dialog: Dialog): void {
    if (transaction.request.method === 'BYE') {
      this.#core.dialogs.remove(dialog);
      transaction.respond(responseTo(transaction.request, 200));
    } else this.#respondUnavailable(transaction);
  }

  /**
   * A caller may end a call that still rings with BYE (RFC 3261 §15): for the application that is a CANCEL.
   */
  #byeBeforeAnswer(transaction: ServerTransaction, dialog: Dialog): boolean {
    const ringing = this.#pending
      .ofApplication(dialog.owner)
      .find((pending) => pending.dialog === dialog && pending.transaction.request.method === 'INVITE');
    if (ringing === undefined) return false;
    transaction.respond(responseTo(transaction.request, 200));
    this.abandon(ringing, 487);
    return true;
  }

  /**
   * Bounds the wait for the application. An INVITE gets its 100 here, so that the caller stops repeating
   * it.
   */
  #limit(pending: PendingRequest): void {
    const { transaction } = pending;
    const { timers, counters } = this.#core;
    if (transaction.request.method === 'INVITE') {
      transaction.respond(responseTo(transaction.request, 100));
      pending.limit = setTimeout(() => {
        counters.add('invites.unanswered');
        this.abandon(pending, 480);
      }, timers.ringingMaxMs);
      return;
    }
    // The sender has given up by then, so an answer would go astray (RFC 4320 §4.2).
    pending.limit = setTimeout(() => {
      counters.add('requests.unanswered');
      this.#pending.remove(pending);
      transaction.close();
    }, transactionTimeoutMs(timers));
  }

  #refusesInterval(transaction: ServerTransaction): boolean {
    const { request } = transaction;
    if (request.method !== 'INVITE' && request.method !== 'UPDATE') return false;
    if (!intervalTooSmall(request, this.#core.sessionTimer)) return false;
    const response = responseTo(request, 422, undefined, newToken());
    transaction.respond(response.add('Min-SE', String(this.#core.sessionTimer.minSeconds)));
    return true;
  }

  /**
   * 405 when calls are taken but this verb is not; 503 when no application is there to take calls,
   * since a carrier routes around a gateway that says so.
   */
  #refuseUnrouted(transaction: ServerTransaction): void {
    const { verbs } = this.#core.admin;
    if (!verbs.includes('INVITE')) this.#respondUnavailable(transaction);
    else {
      const response = responseTo(transaction.request, 405, undefined, newToken());
      transaction.respond(response.add('Allow', verbs.join(', ')));
    }
  }

  #dropEarlyDialog(pending: PendingRequest): void {
    if (!pending.inDialog && pending.dialog !== undefined) this.#core.dialogs.remove(pending.dialog);
  }

  #respondUnavailable(transaction: ServerTransaction): void {
    transaction.respond(responseTo(transaction.request, 503, undefined, newToken()).add('Retry-After', '10'));
  }

  #refuse(transaction: ServerTransaction, status: number): void {
    this.#core.counters.add(`refused.${status}`);
    transaction.respond(responseTo(transaction.request, status, undefined, newToken()));
  }
}

export function originOf(peer: Peer): Origin {
  return { source: 'network', transport: peer.transport, address: peer.address, port: peer.port };
}

function cancelOf(invite: SipRequest): SipRequest {
  const cancel = new SipRequest('CANCEL', invite.uri);
  for (const header of invite.headers) {
    if (['Via', 'Max-Forwards', 'From', 'To', 'Call-ID'].includes(header[0])) cancel.headers.push(header);
  }
  return cancel.add('CSeq', `${invite.sequence.number} CANCEL`);
}

const COUNTED: ReadonlySet<string> = new Set([
  ...['INVITE', 'BYE', 'OPTIONS', 'REGISTER', 'INFO', 'UPDATE', 'PRACK', 'REFER', 'NOTIFY', 'SUBSCRIBE'],
  ...['MESSAGE', 'PUBLISH'],
]);

/** The network chooses method names: counters know a fixed set. */
function countedMethod(method: string): string {
  return COUNTED.has(method) ? method : 'other';
}
