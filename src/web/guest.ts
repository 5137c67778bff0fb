/**
 * One participant that came through a browser: its rights, its sound, and the socket that it has just now.
 * A socket may be lost and another take its place; the participant stays the same meanwhile.
 */
import { randomBytes } from 'node:crypto';
import type { Clock } from '../base/clock.ts';
import { ending, type Ending } from '../base/ending.ts';
import { TrunklineError } from '../base/errors.ts';
import { Events } from '../base/events.ts';
import { newId } from '../base/ids.ts';
import type { Log } from '../base/log.ts';
import { SerialQueue } from '../base/serial-queue.ts';
import type { SfuRouter } from '../media/sfu-router.ts';
import type { Supervision } from '../room/hears.ts';
import { GuestMedia } from './guest-media.ts';
import { iceServersFor } from './ice-servers.ts';
import { IceWatch } from './ice-watch.ts';
import type { IceSettings, WatchSettings } from './settings.ts';
import type { Grant } from './tokens.ts';
import type { Member, WebRoom } from './web-room.ts';
import {
  RELOAD_WITHIN_MS,
  RESUME_WITHIN_MS,
  type Ask,
  type EventName,
  type EventPayload,
  type Joined,
  type Permission,
  type RequestName,
  type Result,
  type WireParticipant,
} from './wire.ts';

/** A socket, as far as a guest needs it. */
export interface Line {
  send(name: EventName, payload: unknown): void;
  /** Closes the socket once everything that was sent is out. */
  hangUp(): void;
}

export interface GuestEvents {
  /** Sound of this participant goes out to the browser now. */
  hears: { participantId: string };
  /** The media path was lost for a while: an ICE restart is being tried. */
  alert: { transportId: string };
  /** It is over for this guest; told once. */
  left: Ending;
  /** Its microphone has a way in now; also again later. */
  speaks: null;
  /** Its socket is lost, and it may still come back. */
  away: null;
  back: null;
}

/** A human agent's or supervisor's hands on the call. Each tells whether it was possible just now. */
export interface DeskControls {
  hold(held: boolean): boolean;
  handBack(): boolean;
  /** For everybody. */
  endCall(): boolean;
  supervised(mode: Supervision): void;
}

export interface GuestOptions {
  readonly grant: Grant;
  readonly room: WebRoom;
  /** What it can do with the call besides talking; absent in rooms that no call stands behind. */
  readonly desk?: DeskControls;
  /** How long a lost socket may be away. */
  readonly graceMs?: number;
  readonly ice: IceSettings;
  readonly watch: WatchSettings;
  readonly clock: Clock;
  readonly log: Log;
}

const NEEDED_FOR: Readonly<Record<Supervision, Permission>> = {
  listen: 'hear',
  whisper: 'whisper',
  barge: 'publish',
};

type Handlers = { [N in Exclude<RequestName, 'join'>]: (ask: Ask<N>) => Promise<Result<N>> };

export class Guest implements Member {
  readonly participantId = newId('guest');
  readonly events = new Events<GuestEvents>();
  readonly #options: GuestOptions;
  readonly #media: GuestMedia;
  readonly #watch: IceWatch;
  readonly #queue = new SerialQueue();
  #resumeToken = '';
  #line: Line | undefined;
  #cancelGrace: (() => void) | undefined;
  #left = false;

  constructor(options: GuestOptions) {
    const { room, watch, clock, log } = options;
    this.#options = options;
    this.#media = new GuestMedia({
      participantId: this.participantId,
      codec: room.codec,
      router: room.router,
    });
    this.#watch = new IceWatch(watch, clock);
    this.#media.events.on('ice', ({ transportId, state }) => this.#watch.state(transportId, state));
    this.#media.events.on('hears', (heard) => this.events.emit('hears', heard));
    this.#media.events.on('speaks', () => this.events.emit('speaks', null));
    this.#watch.events.on('alert', ({ transportId }) => {
      log.warn({ participantId: this.participantId, transportId }, 'a browser has lost its media path');
      this.events.emit('alert', { transportId });
      this.tell('ice.restart', { transportId });
    });
    this.#watch.events.on('recovered', ({ transportId }) =>
      log.info({ participantId: this.participantId, transportId }, 'a browser has its media path again'),
    );
    this.#watch.events.on('gaveUp', () => this.end(ending('ice-lost')));
  }

  get participant(): WireParticipant {
    return { participantId: this.participantId, kind: this.#options.grant.role };
  }

  get hears(): boolean {
    return this.#may('hear');
  }

  deafenTo(producerId: string): void {
    this.#media.stopConsuming(producerId);
  }

  get room(): WebRoom {
    return this.#options.room;
  }

  get resumeToken(): string {
    return this.#resumeToken;
  }

  get transports(): number {
    return this.#media.transports;
  }

  /** Takes a socket, the first one or one that follows a lost one; the answer to its `join`. */
  attach(line: Line): Joined {
    const resumed = this.#resumeToken !== '';
    this.#cancelGrace?.();
    if (resumed) this.events.emit('back', null);
    this.#line?.hangUp();
    this.#line = line;
    this.#resumeToken = randomBytes(24).toString('base64url');
    const { grant, room, ice } = this.#options;
    const { rtpCapabilities } = room.router;
    return {
      participantId: this.participantId,
      roomId: room.room.roomId,
      role: grant.role,
      permissions: [...grant.permissions],
      codec: room.codec,
      routerRtpCapabilities: rtpCapabilities as Joined['routerRtpCapabilities'],
      ...iceServersFor(this.participantId, ice, Date.now()),
      participants: room.participants(this),
      producers: room.producers(this),
      resumeToken: this.#resumeToken,
      resumed,
    };
  }

  /** The socket is lost: another one may take its place for RESUME_WITHIN_MS. Sound goes on meanwhile. */
  detach(line: Line): void {
    if (this.#line !== line) return;
    this.#line = undefined;
    const { clock, graceMs = RESUME_WITHIN_MS } = this.#options;
    this.#cancelGrace = clock.after(graceMs, () => this.end(ending('visitor-lost')));
    this.events.emit('away', null);
  }

  /** Without a socket nothing is told: whoever comes back learns from `join` how things are. */
  tell<N extends EventName>(name: N, payload: EventPayload<N>): void {
    this.#line?.send(name, payload);
  }

  moveTo(router: SfuRouter): void {
    this.#media.moveTo(router);
  }

  /**
   * Answers one question; questions are answered one after another.
   * @throws TrunklineError WEB_FORBIDDEN, WEB_NOT_FOUND, WEB_MEDIA_REFUSED
   */
  async answer<N extends Exclude<RequestName, 'join'>>(name: N, ask: Ask<N>): Promise<Result<N>> {
    const handle = this.#handlers[name] as (ask: Ask<N>) => Promise<Result<N>>;
    return this.#queue.run(async () => {
      if (this.#left) throw new TrunklineError('WEB_NOT_FOUND', 'the participant has left');
      return handle(ask);
    });
  }

  /** It is over: the browser is told, and everything of it here is closed. Only the first ending counts. */
  end(end: Ending): void {
    if (this.#left) return;
    this.#left = true;
    this.#cancelGrace?.();
    this.#watch.close();
    this.#media.close();
    this.room.leave(this);
    this.tell('ending', { slug: end.slug, text: end.text });
    this.#line?.hangUp();
    this.#line = undefined;
    this.events.emit('left', end);
    this.events.removeAll();
  }

  #audible(producerId: string): NonNullable<ReturnType<WebRoom['audible']>> {
    const heard = this.room.audible(this, producerId);
    if (heard === undefined) throw new TrunklineError('WEB_NOT_FOUND', `producer ${producerId}`);
    return heard;
  }

  /** As `detach`, but known to be meant: whoever loads a page anew is back soon, or does not come back. */
  #pageGone(): void {
    const line = this.#line;
    if (this.#left || line === undefined) return;
    this.#line = undefined;
    this.#media.moveTo(this.room.router);
    line.hangUp();
    this.#cancelGrace = this.#options.clock.after(RELOAD_WITHIN_MS, () => this.end(ending('visitor-left')));
    this.events.emit('away', null);
  }

  #may(permission: Permission): boolean {
    return this.#options.grant.permissions.includes(permission);
  }

  #need(permission: Permission): void {
    if (!this.#may(permission)) throw new TrunklineError('WEB_FORBIDDEN', `not permitted: ${permission}`);
  }

  #leave(): Promise<Record<string, never>> {
    // After the answer, which would be lost with the socket otherwise.
    setImmediate(() => this.end(ending('visitor-left')));
    return Promise.resolve({});
  }

  /** What holds for everybody needs the permission to end the call for everybody. */
  #control(name: string, act: (desk: DeskControls) => boolean): Promise<Record<string, never>> {
    this.#need('end');
    const { desk } = this.#options;
    if (desk === undefined || !act(desk)) throw new TrunklineError('WEB_NOT_FOUND', `no call to ${name}`);
    return Promise.resolve({});
  }

  readonly #handlers: Handlers = {
    'transport.create': ({ direction }) => {
      this.#need(direction === 'send' ? 'publish' : 'hear');
      return this.#media.createTransport(direction);
    },
    'transport.connect': (ask) => done(this.#media.connect(ask)),
    'transport.restartIce': async ({ transportId, pathLost }) => {
      if (pathLost === true) this.#watch.reported(transportId);
      const { iceServers } = iceServersFor(this.participantId, this.#options.ice, Date.now());
      return { ...(await this.#media.restartIce(transportId)), iceServers };
    },
    produce: async (ask) => {
      this.#need('publish');
      return { producerId: await this.#media.produce(ask) };
    },
    'producer.pause': ({ producerId }) => done(this.#media.pauseProducer(producerId)),
    'producer.resume': ({ producerId }) => done(this.#media.resumeProducer(producerId)),
    'producer.close': ({ producerId }) => {
      this.#media.closeProducer(producerId);
      return Promise.resolve({});
    },
    consume: async ({ producerId, rtpCapabilities }) => {
      const heard = this.#audible(producerId);
      const consuming = await this.#media.consume(heard.source, heard.participantId, rtpCapabilities);
      // It may have been put out of hearing meanwhile, before there was anything to close.
      if (this.room.audible(this, producerId) === undefined) this.#media.stopConsuming(producerId);
      this.#audible(producerId);
      return consuming;
    },
    'consumer.pause': ({ consumerId }) => done(this.#media.pauseConsumer(consumerId)),
    'consumer.resume': ({ consumerId }) => done(this.#media.resumeConsumer(consumerId)),
    mode: async ({ mode }) => {
      if (this.#options.grant.role !== 'supervisor') throw new TrunklineError('WEB_FORBIDDEN', 'mode');
      this.#need(NEEDED_FOR[mode]);
      await this.room.supervise(this, mode);
      this.#options.desk?.supervised(mode);
      return {};
    },
    hold: ({ held }) => this.#control('hold', (desk) => desk.hold(held)),
    handBack: async () => {
      await this.#control('handBack', (desk) => desk.handBack());
      return this.#leave();
    },
    'page.gone': () => {
      setImmediate(() => this.#pageGone());
      return Promise.resolve({});
    },
    end: () => this.#control('end', (desk) => desk.endCall()),
    leave: () => this.#leave(),
  };
}

async function done(work: Promise<void>): Promise<Record<string, never>> {
  await work;
  return {};
}
