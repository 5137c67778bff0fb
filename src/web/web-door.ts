/** The browser door: lets visitors in by Socket.IO, gives each a room with an agent, serves the widget. */
import type { IncomingMessage } from 'node:http';
import type { FastifyInstance } from 'fastify';
import { Server, type Socket } from 'socket.io';
import { systemClock } from '../base/clock.ts';
import { ending } from '../base/ending.ts';
import { TrunklineError, type ErrorCode } from '../base/errors.ts';
import { TokenBucket } from '../base/token-bucket.ts';
import type { MediaThreads } from '../media/threads.ts';
import type { ApiParts } from './api/ports.ts';
import type { HandoffQueue } from '../room/handoff-queue.ts';
import type { LiveCalls } from '../room/live-calls.ts';
import {
  FREE_PLACE,
  isReached,
  type LimitReached,
  type Place,
  type TenantGate,
} from '../room/tenant-gate.ts';
import { grantFor, isOriginAllowed, type Entry } from './access.ts';
import type { BoardParts } from './board/board.ts';
import { Connection, type ConnectionParts } from './connection.ts';
import { CallControls } from './desk-controls.ts';
import { DeskConnection } from './desk-connection.ts';
import { DESK_NAMESPACE } from './desk-wire.ts';
import { Guest } from './guest.ts';
import type { DeskAccess, WebSettings } from './settings.ts';
import { createSite } from './site.ts';
import { Tokens, type Grant } from './tokens.ts';
import { Visit, type VisitParts } from './visit.ts';
import { WebRoom } from './web-room.ts';
import { SOCKET_PATH, type Ask, type Joined } from './wire.ts';

/** How often a socket is asked whether it is there, and how long it may take to say so, in ms. */
const ping_every_ms = 10_000;
const ping_timeout_ms = 8000;
/** Refused visits written to the log each second; a flood beyond it is only counted. */
const refusals_logged_per_second = 20;

/** What human agents at /desk work with. */
export interface DeskServices {
  readonly access: DeskAccess;
  readonly queue: HandoffQueue;
  readonly calls: LiveCalls;
  /** Speaks a text: a WAV file. @throws TrunklineError SPEECH_UNAVAILABLE */
  readonly speak: (text: string) => Promise<Uint8Array>;
}

export interface WebDoorOptions extends Omit<VisitParts, 'clock' | 'threads' | 'deskSide'> {
  readonly desk: DeskServices;
  /** Asked for a place of the visit's tenant; when left out, tenants have no limits. */
  readonly tenantGate?: TenantGate | undefined;
  readonly settings: WebSettings;
  readonly profiles: ReadonlySet<string>;
  readonly threads: Pick<MediaThreads, 'leastLoaded' | 'events'>;
  /** The built widget with its page. */
  readonly folder: string;
  /** The built pages of human agents. */
  readonly consoleFolder: string;
  /** The HTTP API; without a store there is none. */
  readonly api?: ApiParts | undefined;
  readonly board?: BoardParts | undefined;
  readonly clock?: VisitParts['clock'];
}

export interface WebCensus {
  readonly sockets: number;
  readonly visits: number;
  readonly guests: number;
  readonly transports: number;
}

export class WebDoor {
  readonly url: string;
  readonly #options: WebDoorOptions;
  readonly #parts: VisitParts;
  readonly #tokens: Tokens;
  readonly #site: FastifyInstance;
  readonly #io: Server;
  readonly #visits = new Set<Visit>();
  readonly #guests = new Set<Guest>();
  readonly #desks = new Set<DeskConnection>();
  readonly #webRooms = new Map<string, WebRoom>();
  readonly #refusals = new Map<ErrorCode, number>();
  readonly #socketsOf = new Map<string, number>();
  readonly #stopWatchingThreads: () => void;
  readonly #logPace: TokenBucket;
  #alerts = 0;
  #draining = false;
  #closing: Promise<void> | undefined;

  private constructor(options: WebDoorOptions, tokens: Tokens, site: FastifyInstance, url: string) {
    const { clock = systemClock } = options;
    this.#options = options;
    const { queue: desk, calls } = options.desk;
    this.#parts = { ...options, clock, deskSide: { calls, desk } };
    this.#tokens = tokens;
    this.#logPace = new TokenBucket(refusals_logged_per_second, clock);
    this.#site = site;
    this.url = url;
    this.#io = this.#listen();
    this.#stopWatchingThreads = options.threads.events.on('died', ({ thread, reason }) => {
      for (const visit of this.#visits)
        if (visit.thread === thread) visit.end(ending('media-failure', reason));
    });
  }

  /** @throws TrunklineError WEB_PORT_IN_USE */
  static async start(options: WebDoorOptions): Promise<WebDoor> {
    const { settings, journal, rooms } = options;
    const tokens = new Tokens({ secret: settings.token_secret });
    let door: WebDoor | undefined;
    const site = await createSite({
      ...options,
      deskAccess: options.desk.access,
      tokens,
      tenantOf: (roomId) => (rooms.get(roomId) === undefined ? undefined : journal.get(roomId)?.tenant),
      refused: (code) => door?.count(code),
    });
    const { host, port } = settings;
    try {
      const url = await site.listen({ host, port });
      door = new WebDoor(options, tokens, site, url);
      return door;
    } catch (error) {
      await site.close();
      if ((error as NodeJS.ErrnoException).code !== 'EADDRINUSE') throw error;
      throw new TrunklineError('WEB_PORT_IN_USE', `${host}:${port}`, { cause: error });
    }
  }

  census(): WebCensus {
    const transports = [...this.#guests].reduce((sum, guest) => sum + guest.transports, 0);
    const sockets = this.#io.engine.clientsCount;
    return { sockets, visits: this.#visits.size, guests: this.#guests.size, transports };
  }

  /** What was refused since the start, by code. */
  get refusals(): ReadonlyMap<ErrorCode, number> {
    return this.#refusals;
  }

  /** How often a browser was without its media path for `web.watch.alert_after_ms`, since the start. */
  get alerts(): number {
    return this.#alerts;
  }

  count(code: ErrorCode): void {
    this.#refusals.set(code, (this.#refusals.get(code) ?? 0) + 1);
  }

  /** From now on nobody new is let in; open visits go on. */
  drain(): void {
    this.#draining = true;
  }

  /** Resolves when no visit is open. */
  async idle(): Promise<void> {
    while (this.#visits.size > 0) await Promise.all([...this.#visits].map((visit) => visit.ended));
  }

  /** Ends all visits as `shutting-down`, waits for them, and stops listening. Idempotent. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    this.drain();
    for (const visit of this.#visits) visit.end(ending('shutting-down'));
    for (const guest of this.#guests) guest.end(ending('shutting-down'));
    for (const desk of this.#desks) desk.close();
    await this.idle();
    this.#stopWatchingThreads();
    await this.#io.close();
    await this.#site.close();
  }

  #listen(): Server {
    const { settings, desk } = this.#options;
    const { limits, widget_keys } = settings;
    const io = new Server(this.#site.server, {
      path: SOCKET_PATH,
      serveClient: false,
      maxHttpBufferSize: limits.message_bytes_max,
      pingInterval: ping_every_ms,
      pingTimeout: ping_timeout_ms,
      cors: { origin: [...new Set([...widget_keys, desk.access].flatMap((one) => one.origins))] },
      allowRequest: (request, decide) => this.#screen(request, decide),
    });
    io.engine.on(
      'connection',
      (raw: { remoteAddress: string; once(name: 'close', fn: () => void): void }) => {
        const { remoteAddress } = raw;
        this.#socketsOf.set(remoteAddress, this.#socketsFrom(remoteAddress) + 1);
        raw.once('close', () => {
          const left = this.#socketsFrom(remoteAddress) - 1;
          if (left > 0) this.#socketsOf.set(remoteAddress, left);
          else this.#socketsOf.delete(remoteAddress);
        });
      },
    );
    const { clock } = this.#parts;
    const parts: ConnectionParts = {
      join: (ask, connection) => this.#join(ask, connection),
      refused: (code) => this.count(code),
      ...{ limits, clock, log: this.#options.log },
    };
    io.on('connection', (socket: Socket) => {
      new Connection(socket, parts);
    });
    io.of(DESK_NAMESPACE).on('connection', (socket: Socket) => {
      const { journal } = this.#options;
      const sources = { ...desk, journal, tokens: this.#tokens };
      const connection: DeskConnection = new DeskConnection(socket, { ...parts, ...sources }, () =>
        this.#desks.delete(connection),
      );
      this.#desks.add(connection);
    });
    return io;
  }

  /** Before a socket is opened: the page's origin, and how many sockets its address has. */
  #screen(request: IncomingMessage, decide: (error: string | undefined, fine: boolean) => void): void {
    const { settings, desk } = this.#options;
    const { widget_keys, limits } = settings;
    const address = request.socket.remoteAddress ?? '';
    const code = !isOriginAllowed(request.headers.origin, [...widget_keys, desk.access])
      ? 'WEB_ORIGIN_REFUSED'
      : this.#socketsFrom(address) >= limits.sockets_per_address
        ? 'WEB_SOCKETS_EXHAUSTED'
        : undefined;
    if (code !== undefined) this.count(code);
    decide(code, code === undefined);
  }

  #socketsFrom(address: string): number {
    return this.#socketsOf.get(address) ?? 0;
  }

  async #join(ask: Ask<'join'>, connection: Connection): Promise<{ guest: Guest; joined: Joined }> {
    const guest =
      'resumeToken' in ask ? this.#resumed(ask.resumeToken) : await this.#admit(ask, connection.origin);
    return { guest, joined: guest.attach(connection) };
  }

  /** Tokens are random and used once: a lookup that takes its time tells nothing worth knowing. */
  #resumed(resumeToken: string): Guest {
    const guest = [...this.#guests].find((one) => one.resumeToken === resumeToken);
    if (guest === undefined) throw new TrunklineError('WEB_RESUME_TOO_LATE', 'no such participant');
    return guest;
  }

  async #admit(entry: Entry, origin: string | undefined): Promise<Guest> {
    const { settings } = this.#options;
    const grant = await grantFor(entry, origin, { keys: settings.widget_keys, tokens: this.#tokens });
    if (this.#draining) throw new TrunklineError('WEB_FULL', 'the gateway is stopping');
    if (grant.roomId !== undefined) return this.#seat(grant, await this.#enter(grant, grant.roomId));
    return this.#visit(grant, origin ?? 'token');
  }

  async #visit(grant: Grant, from: string): Promise<Guest> {
    const { profiles } = this.#options;
    const { tenant, profile } = grant;
    if (profile === undefined || !profiles.has(profile))
      throw new TrunklineError('WEB_NOT_FOUND', `profile ${String(profile)}`);
    this.#demandRoom();
    const place = await this.#placeOf(tenant);
    const visit = new Visit({ tenant, profile, from }, place, this.#parts);
    this.#visits.add(visit);
    void visit.ended.then(() => this.#visits.delete(visit));
    const webRoom = await visit.open();
    this.#keep(webRoom);
    const guest = this.#seat(grant, webRoom);
    visit.welcome(guest);
    return guest;
  }

  /** @throws TrunklineError WEB_FULL */
  #demandRoom(): void {
    if (this.#draining) throw new TrunklineError('WEB_FULL', 'the gateway is stopping');
    if (this.#visits.size >= this.#options.settings.limits.visits_max)
      throw new TrunklineError('WEB_FULL', `${this.#visits.size} visits are open`);
  }

  /** @throws TrunklineError TENANT_VISITS_FULL, TENANT_VISITS_TOO_FAST, TENANT_MINUTES_SPENT, WEB_FULL */
  async #placeOf(tenant: string): Promise<Place> {
    const place = (await this.#options.tenantGate?.enter({ tenant, kind: 'visit' })) ?? FREE_PLACE;
    if (isReached(place)) throw this.#refusedBy(place, tenant);
    try {
      // Others may have come meanwhile.
      this.#demandRoom();
      return place;
    } catch (error) {
      place.leave();
      throw error;
    }
  }

  /** The operator is told which limit it was; the visitor, what it means. */
  #refusedBy({ code, detail }: LimitReached, tenant: string): TrunklineError {
    if (this.#logPace.take()) this.#options.log.warn({ tenant, code, detail }, 'visit refused');
    return new TrunklineError(code, 'no room for this visit');
  }

  /** A room that is open already: a visit's, or one that holds a phone. */
  async #enter({ tenant }: Grant, roomId: string): Promise<WebRoom> {
    const known = this.#webRooms.get(roomId);
    const { rooms, journal, log } = this.#options;
    const room = rooms.get(roomId);
    if (room === undefined) throw new TrunklineError('WEB_NOT_FOUND', `room ${roomId}`);
    if (journal.get(roomId)?.tenant !== tenant)
      throw new TrunklineError('WEB_TOKEN_INVALID', 'the room belongs to another tenant');
    if (known !== undefined) return known;
    const opened = await WebRoom.open({ room, journal, log });
    // Two may have come at once.
    const first = this.#webRooms.get(roomId);
    if (first === undefined) return this.#keep(opened);
    opened.close();
    return first;
  }

  #keep(webRoom: WebRoom): WebRoom {
    const { roomId } = webRoom.room;
    this.#webRooms.set(roomId, webRoom);
    webRoom.events.once('closed', () => this.#webRooms.delete(roomId));
    return webRoom;
  }

  #seat(grant: Grant, room: WebRoom): Guest {
    const { settings, log } = this.#options;
    const { ice, watch } = settings;
    const isStaff = grant.role === 'human' || grant.role === 'supervisor';
    const { desk: services, journal } = this.#options;
    const desk = isStaff ? new CallControls(grant, room.room.roomId, { ...services, journal }) : undefined;
    const guest = new Guest({
      ...{ grant, room, ice, watch, clock: this.#parts.clock, log },
      ...(desk === undefined ? {} : { desk, graceMs: services.access.away_ms }),
    });
    this.#guests.add(guest);
    desk?.watch(guest);
    const stopWatching = room.events.once('closed', () => guest.end(ending('room-closed')));
    guest.events.on('alert', () => (this.#alerts += 1));
    guest.events.once('left', () => {
      this.#guests.delete(guest);
      stopWatching();
      if (room.members === 0) room.close();
    });
    room.enter(guest);
    return guest;
  }
}
