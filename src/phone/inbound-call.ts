/** One inbound call: opens leg, room and agent, answers, lets them talk, and ends once, whatever ends it. */
import { writeCdr } from '../base/cdr.ts';
import type { Clock } from '../base/clock.ts';
import { ending, reasonHeader, type Ending, type EndingSlug } from '../base/ending.ts';
import { TrunklineError, messageOf, type ErrorCode } from '../base/errors.ts';
import { newId } from '../base/ids.ts';
import type { Log } from '../base/log.ts';
import type { LegStats } from '../media/control.ts';
import type { MediaThreadHandle } from '../media/thread-handle.ts';
import type { AgentParticipant, OpenAgent } from '../room/agent-door.ts';
import { figuresOf } from '../room/call-figures.ts';
import type { Journal } from '../room/journal.ts';
import type { LiveCall } from '../room/live-calls.ts';
import type { Room } from '../room/room.ts';
import type { Rooms } from '../room/rooms.ts';
import { ShownCall, type DeskSide } from '../room/shown-call.ts';
import { CAPABILITY_HEADERS, tokensOf } from './capabilities.ts';
import { cdrOf, type CallTimes } from './cdr.ts';
import { playFarewell } from './farewell.ts';
import { phoneControl } from './phone-control.ts';
import { PhoneLeg } from './phone-leg.ts';
import { finalHeaders, type Seated } from './pipeline.ts';
import { sessionTimerHeaders } from './session-timer.ts';
import type { CallLimits } from './settings.ts';
import type { SipDialogEvents } from './sip-dialog.ts';
import type { SipRequest } from './sip-request.ts';
import { uriOf, userOf } from './sip-uri.ts';
import type { SipFront } from './srf.ts';

/** How long leg and room may take to open before the caller is refused, in ms. */
const open_timeout_ms = 10_000;
/** How long the end of a call waits for the far end's answer to BYE, or for a 200 under way, in ms. */
const signalling_timeout_ms = 2000;

/** How long a call goes on that nobody can hang up by a message any more, in ms. */
export const signalling_grace_ms = 60_000;

/** What every call is made of. */
export interface CallParts {
  readonly front: SipFront;
  readonly threads: { leastLoaded(): MediaThreadHandle };
  readonly rooms: Pick<Rooms, 'open'>;
  readonly openAgent: OpenAgent;
  readonly deskSide: DeskSide;
  readonly journal: Journal;
  readonly limits: CallLimits;
  readonly mediaAddress: string;
  readonly sessionExpiresS: number;
  readonly clock: Clock;
  readonly log: Log;
}

export class InboundCall {
  readonly callId = newId('call');
  readonly legId = newId('leg');
  readonly trunkName: string;
  readonly request: SipRequest;
  /** Resolves when everything that the call had opened is closed, and the CDR is written. Never rejects. */
  readonly ended: Promise<undefined>;
  readonly #parts: CallParts;
  readonly #admitted: Seated;
  readonly #log: Log;
  readonly #invitedAt = new Date();
  readonly #invitedMs: number;
  readonly #timers = new Set<() => void>();
  readonly #over = Promise.withResolvers<undefined>();
  readonly #finished = Promise.withResolvers<undefined>();
  #thread: MediaThreadHandle | undefined;
  #leg: Promise<PhoneLeg> | undefined;
  #room: Promise<Room> | undefined;
  #agent: AgentParticipant | undefined;
  #answering: Promise<void> | undefined;
  #answeredMs: number | undefined;
  #ending: Ending | undefined;
  #greeted = false;
  #failing = false;
  #shown: ShownCall | undefined;
  #isCutOff = false;
  #digits = 0;
  #holds = 0;

  constructor(request: SipRequest, admitted: Seated, parts: CallParts) {
    this.request = request;
    this.trunkName = admitted.trunk.name;
    this.#admitted = admitted;
    this.#parts = parts;
    this.#log = parts.log.child({ callId: this.callId, sipCallId: request.callId, trunk: this.trunkName });
    this.#invitedMs = parts.clock.nowMs();
    this.ended = this.#finished.promise;
  }

  /** The media thread that its sound lives in; undefined before it has one. */
  get thread(): MediaThreadHandle | undefined {
    return this.#thread;
  }

  get isAnswered(): boolean {
    return this.#answeredMs !== undefined;
  }

  /** Rings, opens and answers. Returns at once; what follows is told by `ended`. */
  start(): void {
    const { trunk, number } = this.#admitted;
    this.#parts.journal.open({
      callId: this.callId,
      sipCallId: this.request.callId,
      tenant: number.tenant,
      trunk: trunk.name,
      from: this.#from,
      to: this.#to,
      profile: number.profile,
    });
    this.request.onCancel(() => this.end(ending('caller-cancelled')));
    if (this.request.isCancelled) {
      this.end(ending('caller-cancelled'));
      return;
    }
    this.#ring();
    this.#connect().catch((error: unknown) => {
      const reachable = this.#parts.front.connected;
      this.end(reachable ? endingOf(error) : ending('signalling-lost', messageOf(error)));
    });
  }

  /**
   * The connection that the call came by is lost. Its sound goes on, but not for long: a SIP server that was
   * started again knows no dialog of before, and drachtio-server passes on none of a connection that is gone.
   */
  cutOff(): void {
    if (this.#isCutOff || this.#ending !== undefined) return;
    this.#isCutOff = true;
    this.#after(signalling_grace_ms, () => this.end(ending('signalling-lost', 'the SIP server was lost')));
  }

  /** Ends the call, in whatever state it is. Only the first ending counts. */
  end(end: Ending): void {
    if (this.#ending !== undefined) return;
    this.#ending = end;
    this.#over.resolve(undefined);
    if (end.class === 'server' || end.class === 'upstream')
      this.#log.warn({ ending: end.slug, detail: end.detail }, `call failed: ${end.text}`);
    for (const cancel of this.#timers) cancel();
    this.#timers.clear();
    this.#close(end)
      .catch((error: unknown) => this.#log.error({ detail: messageOf(error) }, 'call not closed cleanly'))
      .finally(() => this.#finished.resolve(undefined));
  }

  get #from(): string {
    return userOf(uriOf(this.request.header('From') ?? ''));
  }

  get #to(): string {
    return userOf(this.request.uri) || userOf(uriOf(this.request.header('To') ?? ''));
  }

  #ring(): void {
    this.#parts.journal.add(this.callId, { type: 'ringing' });
    // RFC 3262 §3: reliable only when the caller demands it; a server without that demand need not wait for
    // PRACK.
    const reliable = tokensOf(this.request.header('Require')).includes('100rel');
    if (reliable)
      this.request.respond(180, { headers: { ...CAPABILITY_HEADERS, Require: '100rel' } }, () => undefined);
    else this.request.respond(180, { headers: CAPABILITY_HEADERS });
  }

  async #connect(): Promise<void> {
    const { threads, rooms, openAgent, limits, clock } = this.#parts;
    const { trunk, number, codec } = this.#admitted;
    const thread = (this.#thread = threads.leastLoaded());
    this.#after(open_timeout_ms, () => {
      if (this.#answering === undefined) this.end(ending('answer-timeout'));
    });
    this.#leg = PhoneLeg.open({ ...this.#parts, legId: this.legId, thread, trunk, log: this.#log });
    this.#room = rooms.open({ roomId: this.callId, thread });
    // Whoever fails first speaks; the other's failure is met again when the call is closed.
    this.#leg.catch(() => undefined);
    this.#room.catch(() => undefined);
    const agent = (this.#agent = openAgent({
      callId: this.callId,
      profile: number.profile,
      tenant: number.tenant,
      codec,
      thread,
      call: phoneControl({ request: this.request, trunk, leg: () => this.#leg }),
    }));
    const ready = this.#watchAgent(agent);
    const leg = await this.#leg;
    const sdp = await leg.describe(this.request);
    const room = await this.#room;
    await Promise.all([
      room.admitLeg({ participantId: this.legId, legId: this.legId, codec }),
      room.admitAgent({ participantId: agent.portId, portId: agent.portId, codec }),
    ]);
    this.#show({ agent, codec, room, thread });
    const patienceMs = limits.answer_after_ms - (clock.nowMs() - this.#invitedMs);
    const patience = new Promise<void>((resolve) => this.#after(Math.max(0, patienceMs), resolve));
    await Promise.race([ready, patience, this.#over.promise]);
    if (this.#ending !== undefined) return;
    this.#watchLeg(leg);
    await this.#answer(leg, sdp);
  }

  #show(call: Pick<LiveCall, 'agent' | 'codec' | 'room' | 'thread'>): void {
    if (this.#ending !== undefined) return;
    const end = (end: Ending): void => this.end(end);
    const shown = { ...call, callId: this.callId, tenant: this.#admitted.number.tenant, end };
    this.#shown = new ShownCall(this.#parts.deskSide, shown, (detail) => this.#agentFailed(detail));
  }

  /** Rejects when the agent fails before the answer; afterwards its failures are handled by themselves. */
  #watchAgent(agent: AgentParticipant): Promise<void> {
    agent.events.on('hangUp', ({ reason }) => this.end(ending('agent-hung-up', reason)));
    agent.events.on('failed', ({ code, detail }) => this.#agentFailed(`${code}: ${detail}`));
    const ready = agent.ready();
    ready.catch((error: unknown) => this.#agentFailed(messageOf(error)));
    return ready;
  }

  #watchLeg(leg: PhoneLeg): void {
    const { journal } = this.#parts;
    leg.events.on('reached', () => this.#greet());
    leg.events.on('digit', ({ digit }) => {
      this.#digits += 1;
      const isSecret = this.#agent?.digit(digit) ?? false;
      journal.add(this.callId, { type: 'digit', digit: isSecret ? '•' : digit });
    });
    leg.events.on('held', () => {
      this.#holds += 1;
      journal.add(this.callId, { type: 'held' });
    });
    leg.events.on('resumed', () => journal.add(this.callId, { type: 'resumed' }));
    leg.events.on('silent', ({ silentMs }) => this.end(ending('rtp-timeout', `${silentMs} ms`)));
    leg.events.on('transferred', () => this.end(ending('transferred')));
    leg.events.on('failed', ({ error }) => this.end(endingOf(error)));
    leg.events.on('ended', (end) => this.end(endingOfDialog(end)));
  }

  async #answer(leg: PhoneLeg, sdp: string): Promise<void> {
    const { front, clock, limits, journal, sessionExpiresS } = this.#parts;
    const headers = { ...CAPABILITY_HEADERS, ...sessionTimerHeaders(this.request, sessionExpiresS) };
    this.#answering = front.answer(this.request, { sdp, headers }, (dialog) => {
      this.#answeredMs = clock.nowMs();
      this.#admitted.place.answered();
      journal.add(this.callId, { type: 'answered' });
      leg.attach(dialog);
      this.#after(limits.duration_max_ms, () => this.end(ending('max-duration')));
    });
    await this.#answering;
  }

  /** The caller can hear us: the first word is said now, or as soon as the agent has it. Once. */
  #greet(): void {
    if (this.#greeted || this.#ending !== undefined) return;
    this.#greeted = true;
    this.#agent?.greet();
  }

  #agentFailed(detail: string): void {
    if (this.#failing || this.#ending !== undefined) return;
    if (this.#shown?.survives(detail) === true) return;
    this.#failing = true;
    this.#parts.journal.add(this.callId, { type: 'trouble', code: 'MODEL_UNAVAILABLE', detail });
    const end = ending('model-unavailable', detail);
    if (!this.isAnswered || this.#thread === undefined) {
      this.end(end);
      return;
    }
    // Whoever talks to a machine that falls silent waits; a tone says that the call is over.
    const tone = { thread: this.#thread, legId: this.legId, codec: this.#admitted.codec };
    playFarewell(tone, (delayMs, fire) => this.#after(delayMs, fire), this.#over.promise).then(
      () => this.end(end),
      (error: unknown) => this.end(ending('model-unavailable', `${detail}; ${messageOf(error)}`)),
    );
  }

  #after(delayMs: number, fire: () => void): void {
    const cancel = this.#parts.clock.after(delayMs, () => {
      this.#timers.delete(cancel);
      fire();
    });
    this.#timers.add(cancel);
  }

  /** docs/CLOSING.md has the order and its reasons. */
  async #close(end: Ending): Promise<void> {
    this.#shown?.close();
    await this.#hangUp(end);
    const endedMs = this.#parts.clock.nowMs();
    await this.#quietly('agent', () => this.#agent?.close());
    await this.#quietly('room', async () => (await this.#room?.catch(() => undefined))?.close());
    const leg = await this.#leg?.catch(() => undefined);
    const stats = await leg?.close();
    this.#record(end, endedMs, leg, stats);
  }

  async #hangUp(end: Ending): Promise<void> {
    // A 200 is on its way: whether there is a dialog to end is known in a moment.
    if (this.#answering !== undefined && !this.isAnswered)
      await this.#bounded(this.#answering.catch(() => undefined));
    if (this.isAnswered) {
      const leg = await this.#leg;
      const bye = leg?.dialog?.bye({ Reason: reasonHeader(end) });
      if (bye !== undefined) await this.#bounded(bye);
      return;
    }
    // An ending that is no failure cannot be told by a final response of its own: the call was not answered.
    const status = end.sipStatus < 300 ? 480 : end.sipStatus;
    this.request.respond(status, { headers: finalHeaders(end) });
  }

  #bounded(work: Promise<void>): Promise<void> {
    return new Promise((resolve) => {
      const cancel = this.#parts.clock.after(signalling_timeout_ms, resolve);
      void work.finally(() => {
        cancel();
        resolve();
      });
    });
  }

  async #quietly(part: string, close: () => Promise<void> | undefined): Promise<void> {
    try {
      await close();
    } catch (error) {
      this.#log.error({ part, detail: messageOf(error) }, 'part not closed cleanly');
    }
  }

  #record(end: Ending, endedMs: number, leg: PhoneLeg | undefined, stats: LegStats | undefined): void {
    const { trunk, number } = this.#admitted;
    const times: CallTimes = {
      invitedAt: this.#invitedAt,
      invitedMs: this.#invitedMs,
      answeredMs: this.#answeredMs,
      endedMs,
    };
    const record = this.#parts.journal.close(this.callId, end, stats);
    const figures = figuresOf(record?.timeline ?? []);
    const facts = {
      callId: this.callId,
      sipCallId: this.request.callId,
      trunk: trunk.name,
      tenant: number.tenant,
      profile: number.profile,
      number: number.number,
      from: this.#from,
      to: this.#to,
      source: `${this.request.protocol} ${this.request.sourceAddress}:${this.request.sourcePort}`,
      codec: leg?.codec ?? null,
      digits: this.#digits,
      holds: this.#holds,
    };
    writeCdr(this.#parts.log, cdrOf(facts, times, end, stats, figures));
  }
}

const ENDING_OF_ERROR: Partial<Record<ErrorCode, EndingSlug>> = {
  RTP_PORTS_EXHAUSTED: 'no-capacity',
  MEDIA_COMMAND_TIMEOUT: 'no-capacity',
  MEDIA_THREAD_DIED: 'media-failure',
  MEDIA_FAILED: 'media-failure',
  MEDIA_NOT_OPEN: 'media-failure',
  MEDIA_COMMAND_INVALID: 'media-failure',
  SDP_UNPARSABLE: 'bad-sdp',
  SDP_NO_AUDIO: 'no-common-codec',
  SDP_NO_COMMON_CODEC: 'no-common-codec',
  MODEL_UNAVAILABLE: 'model-unavailable',
  SPEECH_UNAVAILABLE: 'model-unavailable',
  ROOM_CLOSED: 'shutting-down',
};

/** An error nobody foresaw is our fault. */
function endingOf(error: unknown): Ending {
  // CANCEL was there before our 200: the library, which has sent its answer, does not tell us of it any more.
  if (/unknown transaction/i.test(messageOf(error))) return ending('caller-cancelled');
  const slug = error instanceof TrunklineError ? ENDING_OF_ERROR[error.code] : undefined;
  return ending(slug ?? 'internal-error', messageOf(error));
}

function endingOfDialog({ by, reason }: SipDialogEvents['ended']): Ending {
  if (by === 'far end') return ending('caller-hung-up', reason === '' ? undefined : reason);
  if (/ack/i.test(reason)) return ending('ack-timeout', reason);
  return ending(/session/i.test(reason) ? 'session-expired' : 'signalling-lost', reason);
}
