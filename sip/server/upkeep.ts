import { randomInt } from 'node:crypto';

import { formatDelivery } from './admin-protocol.ts';
import { messageOf } from '../../src/base/errors.ts';
import type { Core } from './core.ts';
import type { Dialog, RemoteEnd } from './dialog.ts';
import type { SipMessage, SipRequest, SipResponse } from './message.ts';
import type { RequestRoute } from './request-route.ts';
import { SessionTimer } from './session-timer.ts';
import type { Peer } from './transport.ts';

/** After 491 the owner of the Call-ID waits 2.1 to 4 s (RFC 3261 §14.1). */
const GLARE_WAIT_MS = [2_100, 4_000] as const;

/** What the server sends of its own accord: session refreshes, and the BYE that ends what nobody keeps. */
export class Upkeep {
  readonly #core: Core;
  readonly #route: RequestRoute;

  constructor(core: Core, route: RequestRoute) {
    this.#core = core;
    this.#route = route;
  }

  /** Takes what a 2xx to an INVITE or UPDATE agreed on. `sent`: the request was ours. */
  agreed(dialog: Dialog, response: SipMessage, sent: boolean): void {
    dialog.sessionTimer ??= new SessionTimer(this.#core.timers, {
      refresh: () => void this.#refresh(dialog),
      expired: () => this.end(dialog, 'Session timer expired'),
    });
    dialog.sessionTimer.agreed(response, sent);
  }

  /** Ends a dialog with a BYE of ours and tells its application. */
  end(dialog: Dialog, reason: string): void {
    if (dialog.state === 'ended' || dialog.remote === undefined) return;
    this.#core.counters.add('dialogs.endedByServer');
    this.#core.log.info({ callId: dialog.callId, reason }, 'the SIP server ends a dialog');
    const bye = dialog.newRequest('BYE', dialog.remote);
    bye.add('Reason', `SIP;cause=200;text="${reason}"`);
    const end = dialog.remote;
    this.#core.dialogs.remove(dialog);
    void this.#send(dialog, end, bye, () => undefined).then((peer) => {
      const { transport = '', address = '', port = 0 } = peer ?? {};
      const origin = { source: 'application', transport, address, port } as const;
      const names = { transactionId: 'unsolicited', dialogId: dialog.id };
      dialog.owner.send(formatDelivery(bye, origin, names));
    });
  }

  /**
   * A 2xx that nobody wants (a second branch of a forked INVITE, or its application is gone) is acknowledged
   * and
   * the call it made is ended at once (RFC 3261 §13.2.2.4). Returns the function that repeats the ACK.
   */
  discard(dialog: Dialog, end: RemoteEnd): () => void {
    this.#core.counters.add('answers.discarded');
    const ack = dialog.newRequest('ACK', end);
    const bye = dialog.newRequest('BYE', end);
    let repeat = (): void => undefined;
    void this.#route.within(dialog, end).then(
      (peer) => {
        this.#route.stamp(ack, peer);
        const text = ack.toString();
        repeat = () => this.#core.transport.send(peer, text, () => undefined)();
        repeat();
        this.#route.stamp(bye, peer);
        this.#core.transactions.request(bye, peer, { onResponse: () => undefined, onEnd: () => undefined });
      },
      (error: unknown) => this.#core.log.warn({ reason: messageOf(error) }, 'an unwanted answer stays open'),
    );
    return () => repeat();
  }

  /**
   * UPDATE where the peer takes it, since it needs no offer (RFC 4028 §7.4), else a re-INVITE with the last
   * offer.
   */
  async #refresh(dialog: Dialog): Promise<void> {
    const timer = dialog.sessionTimer;
    if (dialog.state !== 'confirmed' || dialog.remote === undefined || timer === undefined) return;
    if (dialog.renegotiating) {
      timer.retryRefresh(this.#core.timers.t2Ms);
      return;
    }
    this.#core.counters.add('sessionTimer.refreshes');
    const update = dialog.peerTakesUpdate;
    const request = dialog.newRequest(update ? 'UPDATE' : 'INVITE', dialog.remote);
    request.add('Contact', dialog.localContact);
    request.add('Supported', 'timer').add('Session-Expires', `${timer.seconds};refresher=uac`);
    if (!update) {
      dialog.invitesInProgress += 1;
      request.body = dialog.localDescription ?? '';
      if (request.body !== '') request.add('Content-Type', 'application/sdp');
    }
    await this.#send(dialog, dialog.remote, request, (response, peer) => {
      if (response.status < 200) return;
      if (!update) dialog.invitesInProgress -= 1;
      this.#refreshed(dialog, request, response, peer);
    });
  }

  #refreshed(dialog: Dialog, request: SipRequest, response: SipResponse, peer: Peer | undefined): void {
    const { status } = response;
    if (status < 300) {
      if (request.method === 'INVITE' && dialog.remote !== undefined && peer !== undefined) {
        const ack = dialog.newRequest('ACK', dialog.remote);
        void this.#acknowledge(dialog, dialog.remote, ack);
      }
      if (dialog.state === 'confirmed') this.agreed(dialog, response, true);
    } else if (status === 481 || status === 408) this.end(dialog, 'Session timer expired');
    else if (status === 491) dialog.sessionTimer?.retryRefresh(randomInt(...GLARE_WAIT_MS));
    else if (status === 405 || status === 501) {
      dialog.peerTakesUpdate = false;
      dialog.sessionTimer?.retryRefresh(0);
    }
    // Any other refusal leaves the session as it was until the interval is over (RFC 4028 §10).
  }

  async #acknowledge(dialog: Dialog, end: RemoteEnd, ack: SipRequest): Promise<void> {
    const peer = await this.#route.within(dialog, end).catch(() => undefined);
    if (peer === undefined) return;
    this.#route.stamp(ack, peer);
    const sentAck = { sequence: ack.sequence.number, text: ack.toString(), peer };
    dialog.sentAck = sentAck;
    this.#core.transport.send(peer, sentAck.text, () => undefined)();
  }

  async #send(
    dialog: Dialog,
    end: RemoteEnd,
    request: SipRequest,
    onResponse: (response: SipResponse, peer: Peer | undefined) => void,
  ): Promise<Peer | undefined> {
    try {
      const peer = await this.#route.within(dialog, end);
      this.#route.stamp(request, peer);
      this.#core.transactions.request(request, peer, { onResponse, onEnd: () => undefined });
      return peer;
    } catch (error) {
      this.#core.log.warn({ callId: dialog.callId, reason: messageOf(error) }, 'a request cannot be sent');
      return undefined;
    }
  }
}
