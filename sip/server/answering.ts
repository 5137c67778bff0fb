import { randomInt } from 'node:crypto';

import { formatSent } from './admin-protocol.ts';
import { Answer } from './answer.ts';
import type { Application } from './application.ts';
import { descriptionOf, merge, replaceLocalhost } from './compose.ts';
import { contactHeader, hostFor } from './contact.ts';
import { Refusal, type Core } from './core.ts';
import type { Dialog } from './dialog.ts';
import { dialogIdOf } from './dialogs.ts';
import { parseNameAddress, tagOf } from './header.ts';
import type { Incoming } from './incoming.ts';
import { responseTo, type SipResponse } from './message.ts';
import type { PendingRequest, PendingRequests } from './pending-requests.ts';
import { ReliableProvisionals } from './reliable-provisional.ts';
import { answerSessionTimer } from './session-timer.ts';
import type { Upkeep } from './upkeep.ts';
import { parseVia } from './via.ts';

const UNKNOWN_TRANSACTION = 'Response not sent due to unknown transaction';

/** Responses of applications to requests of the network. */
export class Answering {
  readonly #core: Core;
  readonly #pending: PendingRequests;
  readonly #incoming: Incoming;
  readonly #upkeep: Upkeep;

  constructor(core: Core, parts: { pending: PendingRequests; incoming: Incoming; upkeep: Upkeep }) {
    this.#core = core;
    this.#pending = parts.pending;
    this.#incoming = parts.incoming;
    this.#upkeep = parts.upkeep;
  }

  /** Sends the response and echoes it; throws a Refusal. */
  respond(application: Application, commandId: string, transactionId: string, given: SipResponse): void {
    const pending = this.#pending.get(transactionId);
    if (pending?.application !== application || !pending.transaction.answerable) {
      throw new Refusal(UNKNOWN_TRANSACTION);
    }
    const response = this.#compose(pending, given);
    this.#noteDialog(pending, response);
    const wasDialog = pending.dialog;
    if (response.status >= 200) this.#final(pending, response);
    else if (response.has('RSeq') || wantsReliable(pending, response)) this.#reliable(pending, response);
    else pending.transaction.respond(response);
    const { source } = pending.transaction;
    const dialogId = namesDialog(pending) ? (wasDialog?.id ?? dialogIdOf(response)) : '';
    application.reply(commandId, formatSent(response, source, { transactionId, dialogId }));
  }

  #compose(pending: PendingRequest, given: SipResponse): SipResponse {
    const { request, source } = pending.transaction;
    const { status } = given;
    const chosenTag = tagOf(given.get('To'));
    if (chosenTag !== undefined && pending.dialog === undefined) pending.toTag = chosenTag;
    const response = responseTo(request, status, given.reason, status > 100 ? pending.toTag : undefined);
    const makesDialog = makesDialogs(request.method) && status > 100 && status < 300;
    if (makesDialog) response.add('Contact', contactHeader(source.contact, source.address));
    merge(response, given);
    const contact = response.get('Contact');
    if (contact !== undefined) {
      const host = hostFor(source.contact, source.address);
      response.set('Contact', replaceLocalhost(contact, host, source.contact.port));
    }
    if (status >= 200 && status < 300 && (request.method === 'INVITE' || request.method === 'UPDATE')) {
      answerSessionTimer(request, response, this.#core.sessionTimer);
    }
    if (wantsReliable(pending, response)) makeReliable(pending, response);
    return response;
  }

  /** The first response with a tag makes the dialog (RFC 3261 §12.1.1). */
  #noteDialog(pending: PendingRequest, response: SipResponse): void {
    const { request } = pending.transaction;
    const { status } = response;
    if (pending.inDialog || !makesDialogs(request.method) || status <= 100 || status >= 300) return;
    const dialog = (pending.dialog ??= this.#createDialog(pending));
    dialog.localContact = response.get('Contact') ?? dialog.localContact;
    dialog.localDescription = descriptionOf(response) ?? dialog.localDescription;
    if (status < 200) dialog.state = 'early';
    else if (dialog.remote !== undefined) dialog.confirm(dialog.remote, dialog.remote.routes);
  }

  #createDialog(pending: PendingRequest): Dialog {
    const { request, source } = pending.transaction;
    const fromTag = tagOf(request.get('From')) ?? '';
    const dialog = this.#core.dialogs.create({
      method: request.method === 'SUBSCRIBE' ? 'SUBSCRIBE' : 'INVITE',
      fromTag,
      callId: request.callId,
      localTag: pending.toTag,
      localParty: parseNameAddress(request.get('To') ?? '').bare,
      remoteParty: parseNameAddress(request.get('From') ?? '').bare,
      localContact: contactHeader(source.contact, source.address),
      localSequence: randomInt(1, 65_536),
      contact: source.contact,
      owner: pending.application,
    });
    dialog.remoteSequence = request.sequence.number;
    dialog.source = source;
    dialog.behindNat = isBehindNat(request.all('Via'));
    dialog.learn(fromTag, request, request.all('Record-Route'));
    return dialog;
  }

  #reliable(pending: PendingRequest, response: SipResponse): void {
    const { dialog, transaction } = pending;
    if (dialog === undefined) throw new Refusal(UNKNOWN_TRANSACTION);
    dialog.provisionals ??= new ReliableProvisionals(transaction.request, this.#core.timers, {
      send: (provisional) => {
        if (transaction.answerable) transaction.respond(provisional);
      },
      // RFC 3262 §3: without a PRACK the INVITE is to be refused with a 5xx.
      expired: () => {
        if (transaction.answerable) this.#incoming.abandon(pending, 504);
      },
    });
    if (!dialog.provisionals.add(response))
      throw new Refusal('too many provisional responses wait for a PRACK');
  }

  #final(pending: PendingRequest, response: SipResponse): void {
    const { transaction, dialog } = pending;
    const { method } = transaction.request;
    this.#pending.remove(pending);
    if (response.status >= 300) {
      if (!pending.inDialog && dialog !== undefined) this.#core.dialogs.remove(dialog);
      transaction.respond(response);
      if (!pending.inDialog && method === 'INVITE') {
        this.#incoming.tellCdr('stop', 'application', response, 'call-rejected');
      }
    } else if (dialog === undefined) transaction.respond(response);
    else if (method === 'INVITE') this.#accept(pending, dialog, response);
    else this.#success(pending, dialog, response);
  }

  #accept(pending: PendingRequest, dialog: Dialog, response: SipResponse): void {
    const { transaction, id } = pending;
    const { request } = transaction;
    dialog.localDescription = descriptionOf(response) ?? dialog.localDescription;
    if (pending.inDialog) dialog.refreshTarget(request);
    const send = (): void => {
      if (!transaction.respond(response)) return;
      const text = response.toString();
      dialog.answer?.close();
      const invite = { sequence: request.sequence.number, transactionId: id, first: !pending.inDialog };
      dialog.answer = new Answer(invite, this.#core.timers, {
        repeat: () => transaction.transmit(text),
        expired: () => this.#upkeep.end(dialog, 'ACK timeout'),
      });
      this.#upkeep.agreed(dialog, response, false);
    };
    if (!pending.inDialog) this.#incoming.tellCdr('start', 'application', response, 'uas');
    if (dialog.provisionals === undefined) send();
    else dialog.provisionals.whenIdle(send);
  }

  #success(pending: PendingRequest, dialog: Dialog, response: SipResponse): void {
    const { transaction } = pending;
    const { request } = transaction;
    if (['UPDATE', 'SUBSCRIBE', 'NOTIFY'].includes(request.method)) dialog.refreshTarget(request);
    transaction.respond(response);
    if (request.method === 'UPDATE' && dialog.state === 'confirmed') {
      dialog.localDescription = descriptionOf(response) ?? dialog.localDescription;
      this.#upkeep.agreed(dialog, response, false);
    }
    const over = /^terminated\b/i.test(request.get('Subscription-State') ?? '');
    if (dialog.method === 'SUBSCRIBE' && request.method === 'NOTIFY' && over)
      this.#core.dialogs.remove(dialog);
  }
}

function makesDialogs(method: string): boolean {
  return method === 'INVITE' || method === 'SUBSCRIBE';
}

/** drachtio names the dialog in every response that could make one or lives in one, but not for BYE. */
function namesDialog(pending: PendingRequest): boolean {
  const { method } = pending.transaction.request;
  return method !== 'BYE' && (pending.inDialog || makesDialogs(method));
}

/** The application asked for a reliable response, or the caller insists on it (RFC 3262 §3). */
function wantsReliable(pending: PendingRequest, response: SipResponse): boolean {
  const { request } = pending.transaction;
  if (request.method !== 'INVITE' || response.status <= 100 || response.status >= 200) return false;
  return response.tokens('Require').has('100rel') || request.tokens('Require').has('100rel');
}

function makeReliable(pending: PendingRequest, response: SipResponse): void {
  const { request } = pending.transaction;
  if (!request.tokens('Supported').has('100rel') && !request.tokens('Require').has('100rel')) {
    throw new Refusal('Remote endpoint does not support 100rel');
  }
  if (!response.tokens('Require').has('100rel')) response.add('Require', '100rel');
}

/** The peer speaks to us directly and its own idea of its address is wrong (RFC 3581 §4). */
function isBehindNat(vias: readonly string[]): boolean {
  const via = vias.length === 1 ? parseVia(vias[0] ?? '') : undefined;
  const received = via?.params.get('received');
  return via !== undefined && received !== undefined && received !== via.host;
}
