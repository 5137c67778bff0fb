import { messageOf } from '../../src/base/errors.ts';
import type { Contact } from './contact.ts';
import { hostFor } from './contact.ts';
import { Refusal, type Core } from './core.ts';
import type { Dialog, RemoteEnd } from './dialog.ts';
import { parseNameAddress } from './header.ts';
import { newToken, type SipRequest } from './message.ts';
import { TRANSPORT_UNAVAILABLE } from './resolve.ts';
import type { Peer } from './transport.ts';
import { hostPort, isLoopback, isWildcard, parseUri, type SipUri } from './uri.ts';
import { BRANCH_COOKIE } from './via.ts';

/** Decides where requests of ours go. */
export class RequestRoute {
  readonly #core: Core;

  constructor(core: Core) {
    this.#core = core;
  }

  /** The peer for a URI; refuses what cannot be reached, and ourselves. */
  async toUri(text: string): Promise<Peer> {
    const uri = parseUri(text);
    if (uri === undefined) throw new Refusal(`invalid request-uri: ${text}`);
    const peer = await this.#resolve(uri);
    if (this.#isOurs(peer)) throw new Refusal('can not send request to myself');
    return peer;
  }

  /**
   * The peer for a request within a dialog: its first route or its target (RFC 3261 §12.2.1.1), but over the
   * way the peer itself came where that leads to the same host, or where its Contact is hidden behind a NAT.
   */
  async within(dialog: Dialog, end: RemoteEnd): Promise<Peer> {
    const { source } = dialog;
    if (dialog.behindNat && source !== undefined && end.routes.length === 0) return source;
    const first = end.routes[0];
    const uri = parseUri(first === undefined ? end.target : parseNameAddress(first).uri);
    if (uri === undefined) return orThrow(source, `invalid request-uri: ${end.target}`);
    let peer: Peer;
    try {
      peer = await this.#resolve(uri, dialog.contact);
    } catch (error) {
      return orThrow(source, messageOf(error));
    }
    if (source === undefined || source.transport === 'udp' || source.address !== peer.address) return peer;
    if (source.connection?.open === true && (source.transport === peer.transport || !namesTransport(uri))) {
      return source;
    }
    if (namesTransport(uri)) return peer;
    // A Contact without a transport parameter, on the host that speaks TCP with us, means TCP in practice.
    const params = new Map(uri.params).set('transport', source.transport);
    return this.#resolve({ ...uri, params }, dialog.contact);
  }

  /** Puts our Via on top, with a fresh branch and a wish for rport (RFC 3581 §3). */
  stamp(request: SipRequest, peer: Peer): void {
    const { contact } = peer;
    const sentBy = hostPort(hostFor(contact, peer.address), contact.port);
    const protocol = `SIP/2.0/${peer.transport.toUpperCase()}`;
    request.headers.unshift(['Via', `${protocol} ${sentBy};rport;branch=${BRANCH_COOKIE}${newToken()}`]);
  }

  async #resolve(uri: SipUri, preferred?: Contact): Promise<Peer> {
    const hop = await this.#core.resolver.nextHop(uri);
    const contact = preferred?.transport === hop.transport ? preferred : this.#core.transport.contactFor(hop);
    if (contact === undefined) throw new Refusal(TRANSPORT_UNAVAILABLE);
    return { ...hop, contact };
  }

  #isOurs(peer: Peer): boolean {
    return this.#core.transport.contacts.some((contact) => {
      if (contact.transport !== peer.transport || contact.port !== peer.port) return false;
      if (contact.host === peer.address || contact.advertisedHost === peer.address) return true;
      return isWildcard(contact.host) && isLoopback(peer.address);
    });
  }
}

function orThrow(peer: Peer | undefined, reason: string): Peer {
  if (peer === undefined) throw new Refusal(reason);
  return peer;
}

function namesTransport(uri: SipUri): boolean {
  return uri.params.has('transport') || uri.scheme === 'sips';
}
