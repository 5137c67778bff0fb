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
import {
  firstManner,
  hears,
  wiresOf,
  type Manner,
  type Party,
  type Standing,
  type StandingRole,
} from './hears.ts';
import { RouterLink, type RoomTrackCodec, type Track } from './router-link.ts';
import { Wiring, type ThreadCommands } from './wiring.ts';

export const participants_max = 64;

/** `remote`: whoever produces in the router from outside this room's media thread. */
export type ParticipantKind = 'leg' | 'agent' | 'music' | 'remote';

const ROLE_OF_KIND: Readonly<Record<ParticipantKind, StandingRole>> = {
  leg: 'phone',
  agent: 'agent',
  music: 'music',
  remote: 'visitor',
};

export interface RoomEvents {
  participantJoined: { participantId: string; kind: ParticipantKind };
  participantLeft: { participantId: string; kind: ParticipantKind };
  /** Who hears whom has changed: doors close what may not be heard any more, at once. */
  hearingChanged: null;
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

interface Participant {
  readonly kind: ParticipantKind;
  readonly participantId: string;
  readonly sourceIds: readonly string[];
  readonly sinkId: string | null;
}

export class Room {
  readonly roomId: string;
  /** What a browser should produce here: sound in the other codec is translated for legs and agents. */
  readonly trackCodec: RoomTrackCodec;
  readonly events = new Events<RoomEvents>();
  readonly #log: Log;
  readonly #participants = new Map<string, Participant>();
  /** What everybody is and does, with sound or without. */
  readonly #standings = new Map<string, Standing>();
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

  /** Lets a player in that held callers hear, as `admitLeg`. */
  admitMusic(music: Admission): Promise<void> {
    return this.#admit('music', music);
  }

  /**
   * A browser takes part as `role`, before it sends or fetches any sound. Whoever produces in the router
   * without a seat counts as a visitor.
   */
  seat(participantId: string, role: StandingRole): Standing {
    const standing = { participantId, role, manner: firstManner(role) };
    this.#standings.set(participantId, standing);
    this.#hearingChanged();
    return standing;
  }

  /** The browser of that seat has left. Idempotent. */
  unseat(participantId: string): void {
    if (this.#standings.delete(participantId)) this.#hearingChanged();
  }

  /** What somebody is and does; somebody unknown is a visitor who speaks. */
  standing(participantId: string): Standing {
    return this.#standings.get(participantId) ?? { participantId, role: 'visitor', manner: 'open' };
  }

  get standings(): readonly Standing[] {
    return [...this.#standings.values()];
  }

  hears(listenerId: string, speakerId: string): boolean {
    return hears(this.standing(listenerId), this.standing(speakerId));
  }

  /**
   * Changes what some participants do. Browsers have lost what they may not hear when `hearingChanged` has
   * been told, the media thread when this resolves. Whoever is not here (any more) is left out. Never throws.
   */
  async setManners(changes: Iterable<readonly [participantId: string, manner: Manner]>): Promise<void> {
    let changed = false;
    for (const [participantId, manner] of changes) {
      const standing = this.#standings.get(participantId);
      if (standing === undefined || standing.manner === manner) continue;
      this.#standings.set(participantId, { ...standing, manner });
      changed = true;
    }
    if (!changed) return;
    this.events.emit('hearingChanged', null);
    await this.#rewireQuietly();
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
    this.#standings.delete(participantId);
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
    const sinkId = kind === 'music' ? null : portId;
    this.#participants.set(participantId, { kind, participantId, sourceIds: [portId], sinkId });
    const role = ROLE_OF_KIND[kind];
    this.#standings.set(participantId, { participantId, role, manner: firstManner(role) });
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
    this.#standings.clear();
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
    const parties = [...this.#participants.values()].map((one): Party => ({
      ...one,
      ...this.standing(one.participantId),
    }));
    return this.#wiring.set(wiresOf(parties));
  }

  /** With nobody waiting for the media thread. */
  #hearingChanged(): void {
    this.events.emit('hearingChanged', null);
    void this.#rewireQuietly();
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
