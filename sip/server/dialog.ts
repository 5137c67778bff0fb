import type { Answer } from './answer.ts';
import type { Application } from './application.ts';
import type { Contact } from './contact.ts';
import { parseNameAddress, tagOf } from './header.ts';
import { LIMITS } from './limits.ts';
import { SipRequest, type SipMessage } from './message.ts';
import { ReceivedProvisionals, type ReliableProvisionals } from './reliable-provisional.ts';
import type { SessionTimer } from './session-timer.ts';
import type { ServerTransaction } from './server-transaction.ts';
import type { Peer } from './transport.ts';
import { parseUri } from './uri.ts';

/** The peer's end of a dialog, or of one branch of a forked INVITE. */
export interface RemoteEnd {
  readonly tag: string;
  /** Where requests go: the peer's latest Contact (RFC 3261 §12.2). */
  target: string;
  /** Route values in sending order. */
  readonly routes: readonly string[];
  readonly provisionals: ReceivedProvisionals;
}

/** An ACK of ours, kept to answer repetitions of the 2xx it belongs to. */
export interface SentAck {
  readonly sequence: number;
  readonly text: string;
  readonly peer: Peer;
}

export interface DialogOptions {
  readonly id: string;
  readonly method: 'INVITE' | 'SUBSCRIBE';
  readonly callId: string;
  readonly localTag: string;
  /** From or To of our side, without tag. */
  readonly localParty: string;
  readonly remoteParty: string;
  readonly localContact: string;
  readonly localSequence: number;
  readonly contact: Contact;
  readonly owner: Application;
}

/**
 * A dialog (RFC 3261 §12) from the first response with a tag to its end.
 *
 *   trying -> early -> confirmed -> ended        (ended also from trying and early)
 *
 * trying     our INVITE or SUBSCRIBE is out, nobody with a tag has answered
 * early      a provisional response with a tag was sent or received
 * confirmed  a 2xx was sent or received
 * ended      BYE, refusal or timeout: no longer found by anyone
 */
export class Dialog {
  readonly id: string;
  readonly method: 'INVITE' | 'SUBSCRIBE';
  readonly callId: string;
  readonly localTag: string;
  readonly localParty: string;
  readonly remoteParty: string;
  readonly contact: Contact;
  /** The application that gets the dialog's requests. */
  owner: Application;
  localContact: string;
  localSequence: number;
  remoteSequence: number | undefined;
  state: 'trying' | 'early' | 'confirmed' | 'ended' = 'trying';
  remote: RemoteEnd | undefined;
  /** CSeq number of the INVITE of ours that was sent last: its ACK carries it. */
  inviteSequence: number;
  /**
   * CSeq number of the INVITE of ours that was accepted last: only that one gets an ACK from the
   * application.
   */
  acceptedSequence: number | undefined;
  /** The last session description we sent: repeated in a refresh. */
  localDescription: string | undefined;
  /** True when the peer takes UPDATE (its Allow says so). */
  peerTakesUpdate = false;
  /** Where the peer's dialog-making request came from; undefined when that was ours. */
  source: Peer | undefined;
  /** The peer sits behind a NAT that it does not know of: its Contact cannot be reached. */
  behindNat = false;
  answer: Answer | undefined;
  provisionals: ReliableProvisionals | undefined;
  sessionTimer: SessionTimer | undefined;
  /** A re-INVITE of the peer that is not answered yet. */
  pendingInvite: ServerTransaction | undefined;
  /** INVITEs of ours without a final response. */
  invitesInProgress = 0;
  sentAck: SentAck | undefined;
  readonly #forks = new Map<string, RemoteEnd>();

  constructor(options: DialogOptions) {
    this.id = options.id;
    this.method = options.method;
    this.callId = options.callId;
    this.localTag = options.localTag;
    this.localParty = options.localParty;
    this.remoteParty = options.remoteParty;
    this.localContact = options.localContact;
    this.localSequence = options.localSequence;
    this.inviteSequence = options.localSequence;
    this.contact = options.contact;
    this.owner = options.owner;
  }

  /**
   * True when a request with that From tag belongs here. A NOTIFY may come before the 2xx (RFC 6665
   * §4.1.2.4).
   */
  takes(request: SipRequest): boolean {
    // No tag counts as an empty one: peers of RFC 2543 send none (RFC 3261 §12.1).
    const tag = tagOf(request.get('From')) ?? '';
    if (this.state === 'ended') return false;
    if (this.state === 'confirmed') return this.remote?.tag === tag;
    return this.#forks.has(tag) || (this.method === 'SUBSCRIBE' && request.method === 'NOTIFY');
  }

  /**
   * Notes the end that a message of the peer describes and makes it the dialog's. `routes` in sending order.
   * Undefined when too many branches answer.
   */
  learn(tag: string, message: SipMessage, routes: readonly string[]): RemoteEnd | undefined {
    const target = contactUri(message);
    let end = this.#forks.get(tag);
    if (end === undefined) {
      if (this.#forks.size >= LIMITS.forksMax) return undefined;
      const initial = target ?? parseNameAddress(this.remoteParty).uri;
      end = { tag, target: initial, routes, provisionals: new ReceivedProvisionals() };
      this.#forks.set(tag, end);
    } else if (target !== undefined) end.target = target;
    this.remote = end;
    if (message.tokens('Allow').has('update')) this.peerTakesUpdate = true;
    return end;
  }

  /** Target refresh (RFC 3261 §12.2.1.2, RFC 6141 §4): on a 2xx to an INVITE, UPDATE, SUBSCRIBE or NOTIFY. */
  refreshTarget(message: SipMessage): void {
    const target = contactUri(message);
    if (this.remote !== undefined && target !== undefined) this.remote.target = target;
  }

  /** A 2xx decides which branch lives on; its Record-Route is the one that counts (RFC 3261 §13.2.2.4). */
  confirm(end: RemoteEnd, routes: readonly string[]): void {
    this.remote = { ...end, routes };
    this.#forks.clear();
    this.#forks.set(end.tag, this.remote);
    this.state = 'confirmed';
  }

  /** The branch whose reliable response carries that RSeq, for its PRACK. */
  forkAwaitingPrack(rseq: number): RemoteEnd | undefined {
    for (const end of this.#forks.values()) if (end.provisionals.last === rseq) return end;
    return this.remote;
  }

  /** True while a re-INVITE either way has no final response: another must wait (RFC 3261 §14). */
  get renegotiating(): boolean {
    return (
      this.invitesInProgress > 0 || this.pendingInvite?.answerable === true || this.answer?.settled === false
    );
  }

  /**
   * A request within the dialog (RFC 3261 §12.2.1.1), without Via and body.
   * ACK takes the CSeq number of the INVITE, everything else the next.
   */
  newRequest(method: string, end: RemoteEnd): SipRequest {
    const sequence = method === 'ACK' ? this.inviteSequence : (this.localSequence += 1);
    if (method === 'INVITE') this.inviteSequence = sequence;
    const { uri, routes } = routing(end);
    const request = new SipRequest(method, uri);
    request.add('Max-Forwards', '70');
    for (const route of routes) request.add('Route', route);
    request.add('From', `${this.localParty};tag=${this.localTag}`);
    request.add('To', end.tag === '' ? this.remoteParty : `${this.remoteParty};tag=${end.tag}`);
    request.add('Call-ID', this.callId);
    return request.add('CSeq', `${sequence} ${method}`);
  }

  close(): void {
    this.state = 'ended';
    this.answer?.close();
    this.provisionals?.close();
    this.sessionTimer?.close();
    this.#forks.clear();
  }
}

function contactUri(message: SipMessage): string | undefined {
  const contact = message.get('Contact');
  if (contact === undefined) return undefined;
  const { uri } = parseNameAddress(contact);
  return parseUri(uri) === undefined ? undefined : uri;
}

/** Loose routing, or the old strict kind when the first route has no `lr` (RFC 3261 §12.2.1.1). */
export function routing(end: { target: string; routes: readonly string[] }): {
  uri: string;
  routes: string[];
} {
  const [first, ...rest] = end.routes;
  if (first === undefined) return { uri: end.target, routes: [] };
  const firstUri = parseNameAddress(first).uri;
  if (parseUri(firstUri)?.params.has('lr') !== false) return { uri: end.target, routes: [first, ...rest] };
  return { uri: firstUri, routes: [...rest, `<${end.target}>`] };
}
