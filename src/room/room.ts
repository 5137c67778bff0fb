/**
 * One room: its participants, who hears whom, and its place in a router. Participants that live in the
 * room's media thread (phone leg, agent) are joined there by direct wires; the router is for everybody else.
 */
import { systemClock, type Clock } from '../base/clock.ts';
import { TrunklineError, messageOf } from '../base/errors.ts';
import { Events } from '../base/events.ts';
import { newId } from '../base/ids.ts';
import type { Log } from '../base/log.ts';
import type { Codec } from '../media/frame.ts';
import type { Sfu } from '../media/sfu.ts';
import type { SfuRouter } from '../media/sfu-router.ts';
import { wiresOf, type Party } from './hears.ts';
import { RouterLink, type RoomTrackCodec, type Track } from './router-link.ts';
import { Wiring, type ThreadCommands } from './wiring.ts';

export const participants_max = 64;

/** `remote`: whoever produces in the router from outside this room's media thread. */
export type ParticipantKind = 'leg' | 'agent' | 'remote';

export interface RoomEvents {
  participantJoined: { participantId: string; kind: ParticipantKind };
  participantLeft: { participantId: string; kind: ParticipantKind };
  /** The worker died and the room lives in this router now: doors make their transports again. */
  moved: SfuRouter;
  closed: null;
}

export interface RoomOptions {
  readonly roomId: string;
  /** The media thread in which all legs and agents of the room live. */
  readonly thread: ThreadCommands;
  /** What legs and agents are in the router: `opus` in rooms without a phone. Left out: `g711`. */
  readonly trackCodec?: RoomTrackCodec;
  readonly sfu: Sfu;
  readonly log: Log;
  readonly clock?: Clock;
}

/** A port of the room's media thread that takes part; it is open before it is admitted. */
export interface Admission {
  readonly participantId: string;
  readonly portId: string;
  readonly codec: Codec;
}

interface Participant extends Party {
  readonly kind: ParticipantKind;
}

export class Room {
  readonly roomId: string;
  /** What a browser should produce here: sound in the other codec is translated for legs and agents. */
  readonly trackCodec: RoomTrackCodec;
  readonly events = new Events<RoomEvents>();
  readonly #log: Log;
  readonly #participants = new Map<string, Participant>();
  readonly #wiring: Wiring;
  readonly #link: RouterLink;
  #hadRouter = false;
  #closing: Promise<void> | undefined;

  /** Begins to make its router at once; nothing but `router` waits for it. */
  constructor(options: RoomOptions) {
    const { roomId, thread, trackCodec = 'g711', sfu, clock = systemClock } = options;
    this.roomId = roomId;
    this.trackCodec = trackCodec;
    this.#log = options.log.child({ roomId });
    this.#wiring = new Wiring(thread, this.#log);
    this.#link = new RouterLink({
      linkId: newId('link'),
      trackCodec,
      thread,
      sfu,
      tracks: { added: (track) => this.#trackAdded(track), removed: (track) => this.#trackRemoved(track) },
      clock,
      log: this.#log,
    });
    this.#link.events.on('routed', (router) => this.#routed(router));
  }

  /**
   * Resolves when the media thread is ready for the room. The router may still be on its way.
   * @throws TrunklineError MEDIA_THREAD_DIED
   */
  opened(): Promise<void> {
    return this.#link.opened();
  }

  get participantIds(): readonly string[] {
    return [...this.#participants.keys()];
  }

  /** Who is here as far as sound goes: a browser that sends none is not. */
  get participants(): readonly { readonly participantId: string; readonly kind: ParticipantKind }[] {
    return [...this.#participants.values()].map(({ participantId, kind }) => ({ participantId, kind }));
  }

  /** Lets a phone leg in: when this resolves, it hears whoever is here, and they hear it. */
  admitLeg(leg: { participantId: string; legId: string; codec: Codec }): Promise<void> {
    const { participantId, legId: portId, codec } = leg;
    return this.#admit('leg', { participantId, portId, codec });
  }

  /** Lets an agent in, as `admitLeg`. */
  admitAgent(agent: Admission): Promise<void> {
    return this.#admit('agent', agent);
  }

  /**
   * A re-INVITE changed the codec of a leg: its producer in the router is replaced by one of the new codec,
   * so that nothing is translated on the way. Until then, and without this call, the link translates.
   * Wires inside the media thread are not touched.
   */
  async changeCodec(admission: Admission): Promise<void> {
    if (this.trackCodec === 'opus' || !this.#participants.has(admission.participantId)) return;
    await this.#link.remove(admission.participantId);
    if (this.#participants.has(admission.participantId)) this.#link.add(admission);
  }

  /** Lets a participant of the media thread go; do so before its port is closed. Idempotent, never throws. */
  async remove(participantId: string): Promise<void> {
    const participant = this.#participants.get(participantId);
    if (participant === undefined) return;
    this.#participants.delete(participantId);
    await Promise.all([this.#link.remove(participantId), this.#rewireQuietly()]);
    this.events.emit('participantLeft', { participantId, kind: participant.kind });
  }

  /**
   * The room's router once everybody here is in it: for doors whose participants come through it.
   * Waits while no worker runs.
   * @throws TrunklineError ROOM_CLOSED
   */
  router(): Promise<SfuRouter> {
    return this.#link.router();
  }

  /** Cuts all wires and closes the router; ports stay with whoever opened them. Idempotent, never throws. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #admit(kind: ParticipantKind, { participantId, portId, codec }: Admission): Promise<void> {
    if (this.#closing !== undefined) throw new TrunklineError('ROOM_CLOSED', this.roomId);
    if (this.#participants.size >= participants_max) throw new TrunklineError('ROOM_FULL', this.roomId);
    if (this.#participants.has(participantId)) throw new Error(`${participantId} is in the room already`);
    this.#participants.set(participantId, {
      kind,
      participantId,
      sourceIds: [portId],
      sinkId: portId,
      speaksTo: 'everyone',
    });
    this.#link.add({ participantId, portId, codec });
    try {
      await this.#rewire();
    } catch (error) {
      await this.remove(participantId);
      throw error;
    }
    this.events.emit('participantJoined', { participantId, kind });
  }

  async #close(): Promise<void> {
    this.#participants.clear();
    await Promise.all([this.#rewireQuietly(), this.#link.close()]);
    this.events.emit('closed', null);
    this.events.removeAll();
  }

  async #trackAdded({ participantId, sourceId }: Track): Promise<void> {
    if (this.#closing !== undefined) return;
    const known = this.#participants.get(participantId);
    this.#participants.set(participantId, {
      kind: 'remote',
      participantId,
      sourceIds: [...(known?.sourceIds ?? []), sourceId],
      sinkId: null,
      speaksTo: 'everyone',
    });
    await this.#rewireQuietly();
    if (known === undefined) this.events.emit('participantJoined', { participantId, kind: 'remote' });
  }

  async #trackRemoved({ participantId, sourceId }: Track): Promise<void> {
    const known = this.#participants.get(participantId);
    if (known === undefined) return;
    const sourceIds = known.sourceIds.filter((one) => one !== sourceId);
    if (sourceIds.length > 0) this.#participants.set(participantId, { ...known, sourceIds });
    else this.#participants.delete(participantId);
    await this.#rewireQuietly();
    if (sourceIds.length === 0) this.events.emit('participantLeft', { participantId, kind: 'remote' });
  }

  #routed(router: SfuRouter): void {
    if (this.#hadRouter) this.events.emit('moved', router);
    this.#hadRouter = true;
  }

  #rewire(): Promise<void> {
    return this.#wiring.set(wiresOf([...this.#participants.values()]));
  }

  /** For changes that nobody waits for an answer to: the wire that failed is in the log, and tried again. */
  async #rewireQuietly(): Promise<void> {
    try {
      await this.#rewire();
    } catch (error) {
      this.#log.warn({ detail: messageOf(error) }, 'not everybody hears everybody');
    }
  }
}
