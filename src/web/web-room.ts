/**
 * A room as browsers see it: who is here, what can be consumed, and what happens, told to each guest.
 * One for a room that has at least one guest; it is closed when the room is, or when the last guest has left.
 */
import { messageOf } from '../base/errors.ts';
import { Events } from '../base/events.ts';
import type { Log } from '../base/log.ts';
import type { SfuProducer, SfuRouter } from '../media/sfu-router.ts';
import { knowsOf, SUPERVISION, type Supervision } from '../room/hears.ts';
import type { Journal } from '../room/journal.ts';
import type { Room } from '../room/room.ts';
import type { RoomCodec } from './guest-media.ts';
import type { EventName, EventPayload, WireParticipant, WireProducer } from './wire.ts';

/** What a room must know of a browser that is in it. */
export interface Member {
  readonly participant: WireParticipant;
  /** Its token lets it hear at all. */
  readonly hears: boolean;
  /** It may not hear this producer any more: what it has of it is closed. */
  deafenTo(producerId: string): void;
  tell<N extends EventName>(name: N, payload: EventPayload<N>): void;
  moveTo(router: SfuRouter): void;
}

export interface WebRoomEvents {
  /** The room is over; told once, also when it was `close` that ended it here. */
  closed: null;
}

export class WebRoom {
  readonly events = new Events<WebRoomEvents>();
  readonly room: Room;
  readonly #journal: Journal;
  readonly #log: Log;
  /** Everybody who came through a browser, with the producers that it was told it can hear, by id. */
  readonly #members = new Map<Member, Map<string, WireProducer>>();
  readonly #subscriptions: (() => void)[] = [];
  #routerSubscriptions: (() => void)[] = [];
  #router: SfuRouter;
  #closed = false;

  private constructor(options: { room: Room; router: SfuRouter; journal: Journal; log: Log }) {
    this.room = options.room;
    this.#router = options.router;
    this.#journal = options.journal;
    this.#log = options.log;
    this.#watchRoom();
    this.#watchRouter();
  }

  /**
   * Waits until the room is in a router.
   * @throws TrunklineError ROOM_CLOSED
   */
  static async open(options: { room: Room; journal: Journal; log: Log }): Promise<WebRoom> {
    return new WebRoom({ ...options, router: await options.room.router() });
  }

  get router(): SfuRouter {
    return this.#router;
  }

  get codec(): RoomCodec {
    return this.room.trackCodec === 'opus' ? 'opus' : 'pcmu';
  }

  get members(): number {
    return this.#members.size;
  }

  /** Whom `viewer` is told of: everybody but itself, and whoever keeps in the background. */
  participants(viewer: Member): WireParticipant[] {
    const within = this.room.participants.flatMap(({ participantId, kind }): WireParticipant[] =>
      kind === 'leg' || kind === 'agent' ? [{ participantId, kind: kind === 'leg' ? 'phone' : 'agent' }] : [],
    );
    const guests = [...this.#members.keys()].map((one) => one.participant);
    return [...within, ...guests].filter((one) => this.#isShown(viewer, one.participantId));
  }

  /** What a member may consume now: nothing of its own, nothing at all when it may not hear. */
  producers(member: Member): WireProducer[] {
    const audible = this.#router.producers.flatMap((one) => {
      const wire = wireProducer(one);
      return wire !== undefined && this.#mayHear(member, wire) ? [wire] : [];
    });
    if (this.#members.has(member)) this.#members.set(member, byId(audible));
    return audible;
  }

  /** The producer of that id, when the member may consume it. */
  audible(member: Member, producerId: string): { source: SfuProducer; participantId: string } | undefined {
    const source = this.#router.producers.find((one) => one.producerId === producerId);
    const wire = source === undefined ? undefined : wireProducer(source);
    if (source === undefined || wire === undefined || !this.#mayHear(member, wire)) return undefined;
    return { source, participantId: wire.participantId };
  }

  enter(member: Member): void {
    const { participantId, kind } = member.participant;
    this.room.seat(participantId, kind);
    this.#tellWhoKnows(participantId, 'participant.joined', member.participant);
    this.#members.set(member, new Map());
  }

  leave(member: Member): void {
    if (!this.#members.has(member)) return;
    const { participantId } = member.participant;
    this.#tellWhoKnows(participantId, 'participant.left', { participantId });
    this.#members.delete(member);
    this.room.unseat(participantId);
  }

  /** A member speaks to others than before: a supervisor whispers, barges in, or listens. */
  async supervise(member: Member, mode: Supervision): Promise<void> {
    const { participantId } = member.participant;
    const told = new Set(this.#whoKnows(participantId));
    await this.room.setManners([[participantId, SUPERVISION[mode]]]);
    const tells = new Set(this.#whoKnows(participantId));
    for (const one of tells) if (!told.has(one)) one.tell('participant.joined', member.participant);
    for (const one of told) if (!tells.has(one)) one.tell('participant.left', { participantId });
  }

  /** Stops telling. The room itself stays with whoever opened it. Idempotent. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    for (const stop of [...this.#subscriptions, ...this.#routerSubscriptions]) stop();
    this.events.emit('closed', null);
    this.events.removeAll();
    this.#members.clear();
  }

  #watchRoom(): void {
    const { events, roomId } = this.room;
    this.#subscriptions.push(
      events.on('closed', () => this.close()),
      events.on('moved', (router) => this.#moved(router)),
      events.on('hearingChanged', () => this.#settleHearing()),
      events.on('participantJoined', ({ participantId, kind }) => {
        if (kind === 'leg' || kind === 'agent')
          this.#tellAll('participant.joined', { participantId, kind: kind === 'leg' ? 'phone' : 'agent' });
      }),
      events.on('participantLeft', ({ participantId, kind }) => {
        if (kind === 'leg' || kind === 'agent') this.#tellAll('participant.left', { participantId });
      }),
      this.#journal.events.on('caption', ({ callId, ...caption }) => {
        if (callId === roomId && caption.text !== '') this.#tellAll('caption', caption);
      }),
      this.#journal.events.on('added', ({ callId, fact }) => {
        if (callId !== roomId || fact.type !== 'tool') return;
        this.#tellAll('tool', { name: fact.name, state: isFailure(fact.result) ? 'failed' : 'done' });
      }),
    );
  }

  #watchRouter(): void {
    for (const stop of this.#routerSubscriptions) stop();
    const { events } = this.#router;
    this.#routerSubscriptions = [
      events.on('producerAdded', () => this.#settleHearing()),
      events.on('producerRemoved', () => this.#settleHearing()),
    ];
    this.#watchSpeakers(this.#router).catch((error: unknown) =>
      this.#log.debug({ detail: messageOf(error) }, 'nobody tells who speaks'),
    );
  }

  async #watchSpeakers(router: SfuRouter): Promise<void> {
    const speakers = await router.createSpeakers();
    const watch = ({ producerId }: SfuProducer): void => {
      // One that is gone meanwhile has nothing to say.
      speakers.watch(producerId).catch(() => undefined);
    };
    speakers.events.on('speaking', (change) => {
      if (router === this.#router) this.#tellSpeaking(change);
    });
    if (router !== this.#router || this.#closed) return;
    this.#routerSubscriptions.push(router.events.on('producerAdded', watch));
    for (const source of router.producers) watch(source);
  }

  #moved(router: SfuRouter): void {
    this.#router = router;
    this.#watchRouter();
    const { rtpCapabilities } = router;
    for (const member of this.#members.keys()) {
      member.moveTo(router);
      const routerRtpCapabilities = rtpCapabilities as EventPayload<'room.moved'>['routerRtpCapabilities'];
      member.tell('room.moved', { routerRtpCapabilities, producers: this.producers(member) });
    }
  }

  /** Tells every member what it can hear now and could not before, and takes from it what it may not hear. */
  #settleHearing(): void {
    const here = this.#router.producers.flatMap((one) => wireProducer(one) ?? []);
    for (const [member, told] of this.#members) {
      const audible = byId(here.filter((one) => this.#mayHear(member, one)));
      this.#members.set(member, audible);
      for (const one of told.values()) {
        if (audible.has(one.producerId)) continue;
        member.deafenTo(one.producerId);
        member.tell('producer.removed', one);
      }
      for (const one of audible.values()) if (!told.has(one.producerId)) member.tell('producer.added', one);
    }
  }

  #mayHear(member: Member, { participantId }: WireProducer): boolean {
    return member.hears && this.room.hears(member.participant.participantId, participantId);
  }

  #isShown(viewer: Member, participantId: string): boolean {
    const viewerId = viewer.participant.participantId;
    if (viewerId === participantId) return false;
    return knowsOf(this.room.standing(viewerId), this.room.standing(participantId));
  }

  /** Members who are told that this participant is here. */
  #whoKnows(participantId: string): Member[] {
    return [...this.#members.keys()].filter((one) => this.#isShown(one, participantId));
  }

  #tellWhoKnows<N extends EventName>(participantId: string, name: N, payload: EventPayload<N>): void {
    for (const member of this.#whoKnows(participantId)) member.tell(name, payload);
  }

  /** Also to whoever speaks; not to those who do not know that it is here. */
  #tellSpeaking(change: EventPayload<'speaking'>): void {
    for (const member of this.#members.keys()) {
      const isSelf = member.participant.participantId === change.participantId;
      if (isSelf || this.#isShown(member, change.participantId)) member.tell('speaking', change);
    }
  }

  #tellAll<N extends EventName>(name: N, payload: EventPayload<N>): void {
    for (const member of this.#members.keys()) member.tell(name, payload);
  }
}

function byId(producers: readonly WireProducer[]): Map<string, WireProducer> {
  return new Map(producers.map((one) => [one.producerId, one]));
}

/** undefined: something that no participant stands behind, or no sound. */
function wireProducer({ producerId, kind, tag }: SfuProducer): WireProducer | undefined {
  const participantId = tag['participantId'];
  return kind === 'audio' && typeof participantId === 'string' ? { producerId, participantId } : undefined;
}

/** A tool's answer that says of itself that it came to nothing. */
function isFailure(result: unknown): boolean {
  return typeof result === 'object' && result !== null && 'ok' in result && result.ok === false;
}
