/** The phone door: answers every SIP request, and turns the calls that pass into InboundCalls. */
import { writeCdr } from '../base/cdr.ts';
import { systemClock, type Clock } from '../base/clock.ts';
import { ending, type EndingSlug } from '../base/ending.ts';
import { messageOf } from '../base/errors.ts';
import { newId } from '../base/ids.ts';
import type { Log } from '../base/log.ts';
import type { MediaThreads } from '../media/threads.ts';
import type { OpenAgent } from '../room/agent-door.ts';
import type { Journal } from '../room/journal.ts';
import type { Rooms } from '../room/rooms.ts';
import type { DeskSide } from '../room/shown-call.ts';
import { FREE_PLACE, type Place, type TenantGate } from '../room/tenant-gate.ts';
import { CAPABILITY_HEADERS, OPTIONS_HEADERS, RETRY_AFTER_S } from './capabilities.ts';
import { cdrOf } from './cdr.ts';
import { DigestGuard } from './digest.ts';
import { challengeHeaders, identify } from './identity.ts';
import { InboundCall, type CallParts } from './inbound-call.ts';
import {
  endingOfLimit,
  isRefusal,
  screenInvite,
  spareOtherTenants,
  type Admitted,
  type Refusal,
  type Screen,
} from './pipeline.ts';
import { Routes } from './routing.ts';
import type { CallLimits, NumberConfig, TrunkConfig } from './settings.ts';
import type { SipRequest } from './sip-request.ts';
import { uriOf, userOf } from './sip-uri.ts';
import { SipFront, type SipServerAddress } from './srf.ts';
import { TokenBucket } from '../base/token-bucket.ts';
import { Trunks } from './trunks.ts';

/** Refused calls written to the log each second; a flood beyond it is only counted. */
const refusals_logged_per_second = 20;

export interface PhoneDoorOptions {
  /** The admin port of the embedded SIP server, or of a drachtio-server. */
  readonly server: SipServerAddress;
  readonly trunks: readonly TrunkConfig[];
  readonly numbers: readonly NumberConfig[];
  readonly calls: CallLimits;
  /** Asked for a place of the call's tenant; when left out, tenants have no limits. */
  readonly tenantGate?: TenantGate | undefined;
  readonly sessionExpiresS: number;
  /** What goes into SDP; empty: the address of the RTP sockets. */
  readonly mediaAddress: string;
  readonly threads: Pick<MediaThreads, 'leastLoaded' | 'events'>;
  readonly rooms: Pick<Rooms, 'open'>;
  readonly openAgent: OpenAgent;
  readonly deskSide: DeskSide;
  readonly journal: Journal;
  readonly log: Log;
  readonly clock?: Clock;
}

interface Entering {
  readonly trunkName: string;
  readonly done: Promise<void>;
}

export class PhoneDoor {
  readonly #options: PhoneDoorOptions;
  readonly #front: SipFront;
  readonly #clock: Clock;
  readonly #trunks: Trunks;
  readonly #guard: DigestGuard;
  readonly #screen: Screen;
  readonly #parts: CallParts;
  readonly #calls = new Set<InboundCall>();
  /** Calls whose tenant's place is asked for, until they are begun or refused. */
  readonly #entering = new Map<SipRequest, Entering>();
  readonly #refusals = new Map<EndingSlug, number>();
  readonly #logPace: TokenBucket;
  #draining = false;
  readonly #stopWatchingThreads: () => void;
  #closing: Promise<void> | undefined;

  private constructor(options: PhoneDoorOptions, front: SipFront) {
    const { clock = systemClock, log } = options;
    this.#options = options;
    this.#front = front;
    this.#clock = clock;
    this.#trunks = new Trunks(options.trunks);
    this.#guard = new DigestGuard(clock);
    this.#logPace = new TokenBucket(refusals_logged_per_second, clock);
    this.#parts = { ...options, front, limits: options.calls, clock, log };
    this.#screen = {
      trunks: this.#trunks,
      guard: this.#guard,
      routes: new Routes(options.numbers),
      pace: new TokenBucket(options.calls.per_second_max, clock),
      callsMax: options.calls.max,
      mediaAddress: options.mediaAddress,
      openCalls: (trunkName) => (trunkName === undefined ? this.calls : this.#openCalls(trunkName)),
      isDraining: () => this.#draining,
      isKnown: (request) => this.#isKnown(request),
    };
    this.#stopWatchingThreads = options.threads.events.on('died', ({ thread, reason }) => {
      for (const call of this.#calls) if (call.thread === thread) call.end(ending('media-failure', reason));
    });
    front.events.on('request', (request) => this.#receive(request));
    front.events.on('signalling-lost', () => {
      for (const call of this.#calls) call.cutOff();
    });
  }

  /** @throws TrunklineError SIP_SERVER_UNREACHABLE */
  static async start(options: PhoneDoorOptions): Promise<PhoneDoor> {
    const front = await SipFront.connect({ server: options.server, log: options.log });
    return new PhoneDoor(options, front);
  }

  /** Calls that are not over yet, those that ring included. */
  get calls(): number {
    return this.#calls.size + this.#entering.size;
  }

  /** Where calls arrive, as the SIP server reports it: `udp/192.0.2.1:5060`. */
  get addresses(): readonly string[] {
    return this.#front.hostPorts;
  }

  /** Calls refused since the start, by ending. */
  get refusals(): ReadonlyMap<EndingSlug, number> {
    return this.#refusals;
  }

  /** From now on new calls get 503 with Retry-After; open ones go on. */
  drain(): void {
    this.#draining = true;
  }

  /** Resolves when no call is open. New ones may come unless `drain` was called. */
  async idle(): Promise<void> {
    while (this.calls > 0) {
      const entering = [...this.#entering.values()].map((one) => one.done);
      await Promise.all([...entering, ...[...this.#calls].map((call) => call.ended)]);
    }
  }

  /** Ends all calls as `shutting-down`, waits for them, and leaves the SIP server. Idempotent. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    this.drain();
    // Whoever is entering meets the drain, or is among the calls by then.
    await Promise.all([...this.#entering.values()].map((one) => one.done));
    for (const call of this.#calls) call.end(ending('shutting-down'));
    await this.idle();
    this.#stopWatchingThreads();
    this.#front.events.removeAll();
    this.#front.close();
  }

  #receive(request: SipRequest): void {
    try {
      if (request.method === 'INVITE' && request.toTag === undefined) this.#invite(request);
      else this.#other(request);
    } catch (error) {
      this.#failed(request, error);
    }
  }

  #failed(request: SipRequest, error: unknown): void {
    this.#options.log.error({ method: request.method, detail: messageOf(error) }, 'request not handled');
    request.respond(500);
  }

  #invite(request: SipRequest): void {
    const outcome = screenInvite(request, this.#screen);
    const { tenantGate } = this.#options;
    if (isRefusal(outcome)) this.#refuse(request, outcome);
    else if (tenantGate === undefined) this.#begin(request, outcome, FREE_PLACE);
    else {
      const done = this.#enter(request, outcome, tenantGate);
      this.#entering.set(request, { trunkName: outcome.trunk.name, done });
    }
  }

  async #enter(request: SipRequest, admitted: Admitted, gate: TenantGate): Promise<void> {
    try {
      const outcome = await spareOtherTenants(admitted, gate, this.#screen);
      this.#entering.delete(request);
      if (isRefusal(outcome)) this.#refuse(request, outcome);
      else this.#begin(request, admitted, outcome);
    } catch (error) {
      this.#failed(request, error);
    }
  }

  #begin(request: SipRequest, admitted: Admitted, place: Place): void {
    const call = new InboundCall(request, { ...admitted, place }, this.#parts);
    this.#calls.add(call);
    place.onSpent((reached) => call.end(endingOfLimit(reached)));
    void call.ended.then(() => {
      this.#calls.delete(call);
      place.leave();
    });
    call.start();
  }

  #refuse(request: SipRequest, refusal: Refusal): void {
    request.respond(refusal.status, { headers: { ...refusal.headers } });
    this.#explain(request, refusal);
  }

  /** Requests other than INVITE that belong to no dialog, and those whose dialog is gone. */
  #other(request: SipRequest): void {
    if (request.method === 'PRACK') {
      request.respond(200);
      return;
    }
    if (request.toTag !== undefined) {
      request.respond(481);
      return;
    }
    const identity = identify(request, this.#trunks, this.#guard);
    if (identity.outcome === 'challenge')
      request.respond(401, { headers: challengeHeaders(identity.challenges) });
    else if (identity.outcome !== 'trunk') {
      this.#count(identity.outcome === 'unknown' ? 'unknown-trunk' : 'bad-credentials');
      request.respond(403);
    } else if (request.method === 'OPTIONS') {
      if (this.#draining) request.respond(503, { headers: { 'Retry-After': String(RETRY_AFTER_S) } });
      else request.respond(200, { headers: { ...OPTIONS_HEADERS } });
    } else request.respond(405, { headers: { ...CAPABILITY_HEADERS } });
  }

  /** Why a call was refused: a log line that an operator can act on, and a CDR. */
  #explain(request: SipRequest, refusal: Refusal): void {
    const { ending: end, step, status, quiet } = refusal;
    if (end === undefined) return;
    this.#count(end.slug);
    if (quiet || !this.#logPace.take()) return;
    const { sourceAddress, sourcePort, protocol, callId } = request;
    const source = `${protocol} ${sourceAddress}:${sourcePort}`;
    const from = userOf(uriOf(request.header('From') ?? ''));
    const to = userOf(request.uri);
    this.#options.log.warn(
      { step, ending: end.slug, detail: end.detail, status, source, from, to, sipCallId: callId },
      `call refused: ${end.text}`,
    );
    const nobody = { trunk: null, tenant: null, profile: null, number: null, codec: null };
    const facts = { ...nobody, callId: newId('call'), sipCallId: callId, from, to, source };
    const nowMs = this.#clock.nowMs();
    const times = { invitedAt: new Date(), invitedMs: nowMs, endedMs: nowMs };
    writeCdr(this.#options.log, cdrOf({ ...facts, digits: 0, holds: 0 }, times, end));
  }

  #count(slug: EndingSlug): void {
    this.#refusals.set(slug, (this.#refusals.get(slug) ?? 0) + 1);
  }

  #openCalls(trunkName: string): number {
    const all = [...this.#calls, ...this.#entering.values()];
    return all.filter((one) => one.trunkName === trunkName).length;
  }

  /** RFC 3261 §8.2.2.2: the same request, come by another way, while the first is still being answered. */
  #isKnown(request: SipRequest): boolean {
    const answering = [...this.#calls].filter((call) => !call.isAnswered).map((call) => call.request);
    return [...answering, ...this.#entering.keys()].some((one) => isSameRequest(one, request));
  }
}

/** RFC 3261 §8.2.2.2: the tag counts too, because a Call-ID may be taken by two callers who never met. */
function isSameRequest(one: SipRequest, other: SipRequest): boolean {
  return one.callId === other.callId && one.fromTag === other.fromTag && one.sequence === other.sequence;
}
