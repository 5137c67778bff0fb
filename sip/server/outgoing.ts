import { randomInt, randomUUID } from 'node:crypto';

import { formatDelivery, formatSent } from './admin-protocol.ts';
import type { Application } from './application.ts';
import type { ClientTransaction } from './client-transaction.ts';
import { descriptionOf, merge, replaceLocalhost } from './compose.ts';
import { contactHeader, hostFor } from './contact.ts';
import { Refusal, type Core } from './core.ts';
import type { Dialog } from './dialog.ts';
import { parseNameAddress, tagOf } from './header.ts';
import { originOf, type Incoming } from './incoming.ts';
import { LIMITS } from './limits.ts';
import { SipRequest, newToken, type SipResponse } from './message.ts';
import { OutgoingInvite } from './outgoing-invite.ts';
import type { RequestRoute } from './request-route.ts';
import type { Peer } from './transport.ts';
import type { Upkeep } from './upkeep.ts';

/** Requests of applications that open something new: calls, registrations, OPTIONS, CANCEL. */
export class Outgoing {
  readonly #core: Core;
  readonly #route: RequestRoute;
  readonly #incoming: Incoming;
  readonly #upkeep: Upkeep;
  /** INVITEs without a final response, by the application's transaction id. */
  readonly #invites = new Map<string, OutgoingInvite>();

  constructor(core: Core, parts: { route: RequestRoute; incoming: Incoming; upkeep: Upkeep }) {
    this.#core = core;
    this.#route = parts.route;
    this.#incoming = parts.incoming;
    this.#upkeep = parts.upkeep;
  }

  /**
   * Sends a request outside any dialog and echoes it. `via`: the next hop, when it is not the request-URI.
   */
  async request(application: Application, commandId: string, given: SipRequest, via: string): Promise<void> {
    const firstRoute = given.get('Route');
    const hop = via !== '' ? via : firstRoute === undefined ? given.uri : parseNameAddress(firstRoute).uri;
    const peer = await this.#route.toUri(hop);
    const request = this.#compose(given, peer);
    if (this.#core.transactions.full) throw new Refusal('too many transactions are open');
    const dialog = this.#dialogFor(application, request, peer);
    this.#route.stamp(request, peer);
    const transactionId = randomUUID();
    application.reply(commandId, formatSent(request, localOf(peer), { transactionId }));
    if (request.method === 'INVITE') this.#incoming.tellCdr('attempt', 'application', request);
    if (dialog === undefined) this.#plain(application, request, peer, transactionId);
    else this.#forDialog(dialog, request, peer, transactionId);
  }

  /** Tracks an INVITE, so that CANCEL finds it. */
  track(transactionId: string, application: Application, transaction: ClientTransaction): OutgoingInvite {
    const invite = new OutgoingInvite(application, transaction, (cancel) => {
      this.#core.transactions.request(cancel, transaction.peer, {
        onResponse: () => undefined,
        onEnd: () => undefined,
      });
    });
    this.#invites.set(transactionId, invite);
    return invite;
  }

  forget(transactionId: string): void {
    this.#invites.delete(transactionId);
  }

  cancel(application: Application, commandId: string, transactionId: string, given: SipRequest): void {
    const invite = this.#invites.get(transactionId);
    if (invite === undefined) throw new Refusal(`unable to cancel unknown transaction id: ${transactionId}`);
    const cancel = invite.cancel(given.all('Reason'));
    const names = { transactionId: randomUUID() };
    application.reply(commandId, formatSent(cancel, localOf(invite.transaction.peer), names));
  }

  /** Nobody is left to take the answers: what rings stops ringing. */
  onApplicationGone(application: Application): void {
    for (const invite of this.#invites.values()) if (invite.application === application) invite.cancel([]);
  }

  #compose(given: SipRequest, peer: Peer): SipRequest {
    const { contact } = peer;
    const host = hostFor(contact, peer.address);
    const request = new SipRequest(given.method, given.uri);
    const ownContact = contactHeader(contact, peer.address);
    const from = parseNameAddress(replaceLocalhost(given.get('From') ?? ownContact, host, contact.port));
    const fromTag = from.params.get('tag') ?? newToken();
    request.add('Max-Forwards', '70').add('From', `${from.bare};tag=${fromTag}`);
    request.add('To', parseNameAddress(given.get('To') ?? `<${given.uri}>`).bare);
    request.add('Call-ID', given.callId === '' ? randomUUID() : given.callId);
    const { number, method } = given.sequence;
    const kept = number >= 0 && number <= LIMITS.sequenceMax && method === given.method;
    request.add('CSeq', `${kept ? number : randomInt(1, 100_000_000)} ${given.method}`);
    if (given.method === 'INVITE' || given.method === 'SUBSCRIBE') request.add('Contact', ownContact);
    merge(request, given);
    const written = request.get('Contact');
    if (written !== undefined) request.set('Contact', replaceLocalhost(written, host, contact.port));
    return request;
  }

  #dialogFor(application: Application, request: SipRequest, peer: Peer): Dialog | undefined {
    if (request.method !== 'INVITE' && request.method !== 'SUBSCRIBE') return undefined;
    if (this.#core.dialogs.full) throw new Refusal('too many dialogs are open');
    const from = parseNameAddress(request.get('From') ?? '');
    const localTag = from.params.get('tag') ?? '';
    const dialog = this.#core.dialogs.create({
      method: request.method,
      fromTag: localTag,
      callId: request.callId,
      localTag,
      localParty: from.bare,
      remoteParty: parseNameAddress(request.get('To') ?? '').bare,
      localContact: request.get('Contact') ?? contactHeader(peer.contact, peer.address),
      localSequence: request.sequence.number,
      contact: peer.contact,
      owner: application,
    });
    dialog.localDescription = descriptionOf(request);
    return dialog;
  }

  #plain(application: Application, request: SipRequest, peer: Peer, transactionId: string): void {
    this.#core.transactions.request(request, peer, {
      onResponse: (response, from) => {
        deliver(application, response, from ?? nobody(peer), { transactionId, dialogId: '' });
      },
      onEnd: () => undefined,
    });
  }

  #forDialog(dialog: Dialog, request: SipRequest, peer: Peer, transactionId: string): void {
    let invite: OutgoingInvite | undefined;
    /** Branches we have turned down: their repeated 2xx get their ACK again. */
    const turnedDown = new Map<string, () => void>();
    const isInvite = request.method === 'INVITE';
    const transaction = this.#core.transactions.request(request, peer, {
      onResponse: (response, from) => {
        invite?.onStatus(response.status);
        if (response.status >= 200) this.forget(transactionId);
        const wanted =
          response.status < 200
            ? noteProvisional(dialog, response)
            : response.status < 300
              ? this.#success(dialog, response, from, isInvite, turnedDown)
              : true;
        if (response.status >= 300) this.#core.dialogs.remove(dialog);
        if (!wanted) return;
        deliver(dialog.owner, response, from ?? nobody(peer), { transactionId, dialogId: dialog.id });
        if (isInvite) this.#tellCdr(response);
      },
      onEnd: () => this.forget(transactionId),
    });
    if (isInvite && transaction.state !== 'terminated') {
      invite = this.track(transactionId, dialog.owner, transaction);
    }
  }

  #tellCdr(response: SipResponse): void {
    const { status } = response;
    if (status >= 300) {
      this.#incoming.tellCdr('stop', 'network', response, status === 487 ? 'call-canceled' : 'call-rejected');
    } else if (status >= 200) this.#incoming.tellCdr('start', 'network', response, 'uac');
  }

  /** True when the application shall see this 2xx. */
  #success(
    dialog: Dialog,
    response: SipResponse,
    peer: Peer | undefined,
    isInvite: boolean,
    turnedDown: Map<string, () => void>,
  ): boolean {
    const tag = tagOf(response.get('To')) ?? '';
    const repeatAck = turnedDown.get(tag);
    if (repeatAck !== undefined) {
      repeatAck();
      return false;
    }
    const routes = response.all('Record-Route').reverse();
    const decided = dialog.state === 'confirmed' || dialog.state === 'ended';
    if (decided && dialog.remote?.tag === tag) {
      resendAck(this.#core, dialog, response.sequence.number);
      return false;
    }
    const kept = dialog.remote;
    const end = dialog.learn(tag, response, routes);
    if (decided && kept !== undefined) dialog.remote = kept;
    if (end === undefined) return false;
    if (decided || !dialog.owner.connected) {
      if (isInvite) turnedDown.set(tag, this.#upkeep.discard(dialog, { ...end, routes }));
      if (!decided) this.#core.dialogs.remove(dialog);
      return false;
    }
    dialog.confirm(end, routes);
    dialog.source = peer;
    if (isInvite) {
      dialog.acceptedSequence = response.sequence.number;
      this.#upkeep.agreed(dialog, response, true);
    }
    return true;
  }
}

/**
 * Learns the branch; false for a reliable response that was seen before or came out of order (RFC 3262 §4).
 */
function noteProvisional(dialog: Dialog, response: SipResponse): boolean {
  const tag = tagOf(response.get('To'));
  if (response.status === 100 || tag === undefined) return true;
  const end = dialog.learn(tag, response, response.all('Record-Route').reverse());
  if (end === undefined) return false;
  if (dialog.state === 'trying') dialog.state = 'early';
  return end.provisionals.takes(response);
}

/** The 2xx came again, so our ACK was lost (RFC 3261 §13.2.2.4). */
export function resendAck(core: Core, dialog: Dialog, sequence: number): void {
  const { sentAck } = dialog;
  if (sentAck?.sequence !== sequence) return;
  core.counters.add('acks.repeated');
  core.transport.send(sentAck.peer, sentAck.text, () => undefined)();
}

export function deliver(
  application: Application,
  response: SipResponse,
  from: Peer,
  names: { transactionId: string; dialogId: string },
): void {
  application.send(formatDelivery(response, originOf(from), names));
}

/** Responses made by ourselves come from nowhere. */
export function nobody(peer: Peer): Peer {
  return { ...peer, address: '', port: 0 };
}

/** drachtio echoes requests with our own address. */
export function localOf(peer: Peer): { transport: string; address: string; port: number } {
  const { contact, transport, address } = peer;
  return { transport, address: hostFor(contact, address), port: contact.port };
}
