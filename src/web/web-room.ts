/**
 * A room as browsers see it: who is here, what can be consumed, and what happens, told to each guest.
 * One for a room that has at least one guest; it is closed when the room is, or when the last guest has left.
 */
import { messageOf } from '../base/errors.ts';
import { Events } from '../base/events.ts';
import type { Log } from '../base/log.ts';
import type { SfuProducer, SfuRouter } from '../media/sfu-router.ts';
import type { Journal } from '../room/journal.ts';
import type { Room } from '../room/room.ts';
import type { RoomCodec } from './guest-media.ts';
import type { EventName, EventPayload, WireParticipant, WireProducer } from './wire.ts';

/** What a room must know of a browser that is in it. */
export interface Member {
  readonly participant: WireParticipant;
  readonly hears: boolean;
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
  readonly #members = new Set<Member>();
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

  /** Who is here, without `except`. */
  participants(except?: Member): WireParticipant[] {
    const within = this.room.participants.flatMap(({ participantId, kind }): WireParticipant[] =>
      kind === 'remote' ? [] : [{ participantId, kind: kind === 'leg' ? 'phone' : 'agent' }],
    );
    const guests = [...this.#members].filter((one) => one !== except).map((one) => one.participant);
    return [...within, ...guests];
  }

  /** What a member may consume now: nothing of its own, nothing at all when it may not hear. */
  producers(member: Member): WireProducer[] {
    return this.#router.producers.flatMap((one) => {
      const wire = wireProducer(one);
      return wire !== undefined && mayHear(member, wire) ? [wire] : [];
    });
  }

  /** The producer of that id, when the member may consume it. */
  audible(member: Member, producerId: string): { source: SfuProducer; participantId: string } | undefined {
    const source = this.#router.producers.find((one) => one.producerId === producerId);
    const wire = source === undefined ? undefined : wireProducer(source);
    if (source === undefined || wire === undefined || !mayHear(member, wire)) return undefined;
    return { source, participantId: wire.participantId };
  }

  enter(member: Member): void {
    this.#tellOthers(member, 'participant.joined', member.participant);
    this.#members.add(member);
  }

  leave(member: Member): void {
    if (!this.#members.delete(member)) return;
    this.#tellAll('participant.left', { participantId: member.participant.participantId });
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
      events.on('participantJoined', ({ participantId, kind }) => {
        if (kind !== 'remote')
          this.#tellAll('participant.joined', { participantId, kind: kind === 'leg' ? 'phone' : 'agent' });
      }),
      events.on('participantLeft', ({ participantId, kind }) => {
        if (kind !== 'remote') this.#tellAll('participant.left', { participantId });
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
    const tell = (name: 'producer.added' | 'producer.removed', source: SfuProducer): void => {
      const wire = wireProducer(source);
      if (wire === undefined) return;
      for (const member of this.#members) if (mayHear(member, wire)) member.tell(name, wire);
    };
    this.#routerSubscriptions = [
      events.on('producerAdded', (source) => tell('producer.added', source)),
      events.on('producerRemoved', (source) => tell('producer.removed', source)),
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
      if (router === this.#router) this.#tellAll('speaking', change);
    });
    if (router !== this.#router || this.#closed) return;
    this.#routerSubscriptions.push(router.events.on('producerAdded', watch));
    for (const source of router.producers) watch(source);
  }

  #moved(router: SfuRouter): void {
    this.#router = router;
    this.#watchRouter();
    const { rtpCapabilities } = router;
    for (const member of this.#members) {
      member.moveTo(router);
      const routerRtpCapabilities = rtpCapabilities as EventPayload<'room.moved'>['routerRtpCapabilities'];
      member.tell('room.moved', { routerRtpCapabilities, producers: this.producers(member) });
    }
  }

  #tellAll<N extends EventName>(name: N, payload: EventPayload<N>): void {
    for (const member of this.#members) member.tell(name, payload);
  }

  #tellOthers<N extends EventName>(except: Member, name: N, payload: EventPayload<N>): void {
    for (const member of this.#members) if (member !== except) member.tell(name, payload);
  }
}

function mayHear(member: Member, producer: WireProducer): boolean {
  return member.hears && producer.participantId !== member.participant.participantId;
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
