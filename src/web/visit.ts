/** One visit from the web: a room with an agent, for the browser that opened it and whoever joins. */
import { lifeOf, writeCdr } from '../base/cdr.ts';
import type { Clock } from '../base/clock.ts';
import { ending, type Ending } from '../base/ending.ts';
import { TrunklineError, messageOf } from '../base/errors.ts';
import { newId } from '../base/ids.ts';
import type { Log } from '../base/log.ts';
import type { MediaThreadHandle } from '../media/thread-handle.ts';
import type { AgentParticipant, OpenAgent } from '../room/agent-door.ts';
import { figuresOf } from '../room/call-figures.ts';
import type { Journal } from '../room/journal.ts';
import type { LiveCall } from '../room/live-calls.ts';
import type { Room } from '../room/room.ts';
import type { Rooms } from '../room/rooms.ts';
import { ShownCall, type DeskSide } from '../room/shown-call.ts';
import type { Place } from '../room/tenant-gate.ts';
import type { Guest } from './guest.ts';
import { WebRoom } from './web-room.ts';

export interface VisitParts {
  readonly threads: { leastLoaded(): MediaThreadHandle };
  readonly rooms: Pick<Rooms, 'open' | 'get'>;
  readonly openAgent: OpenAgent;
  readonly deskSide: DeskSide;
  readonly journal: Journal;
  readonly durationMaxMs: number;
  readonly clock: Clock;
  readonly log: Log;
}

export interface VisitOrigin {
  readonly tenant: string;
  readonly profile: string;
  /** The page's origin, or a token's holder: what the record calls the caller. */
  readonly from: string;
}

export class Visit {
  /** Also the id of its room. */
  readonly visitId = newId('visit');
  /** Resolves when everything that the visit opened is closed, and its record is written. Never rejects. */
  readonly ended: Promise<undefined>;
  readonly #parts: VisitParts;
  readonly #place: Place;
  readonly #origin: VisitOrigin;
  readonly #log: Log;
  readonly #startedAt = new Date();
  readonly #startedMs: number;
  readonly #finished = Promise.withResolvers<undefined>();
  #thread: MediaThreadHandle | undefined;
  #opening: Promise<Room> | undefined;
  #webRoom: WebRoom | undefined;
  #agent: AgentParticipant | undefined;
  #cancelLimit: (() => void) | undefined;
  #owner: Guest | undefined;
  #answeredMs: number | undefined;
  #shown: ShownCall | undefined;
  #ending: Ending | undefined;

  /** `place`: the visit's within its tenant's limits; given back when the visit is over. */
  constructor(origin: VisitOrigin, place: Place, parts: VisitParts) {
    this.#origin = origin;
    this.#place = place;
    this.#parts = parts;
    this.#log = parts.log.child({ callId: this.visitId });
    this.#startedMs = parts.clock.nowMs();
    this.ended = this.#finished.promise;
    place.onSpent(({ code, detail }) => this.end(ending('minutes-spent', `${code}: ${detail}`)));
  }

  get thread(): MediaThreadHandle | undefined {
    return this.#thread;
  }

  /**
   * Opens room and agent. When this rejects the visit is over, and `ended` will be told.
   * @throws TrunklineError MEDIA_THREAD_DIED, ROOM_CLOSED …
   */
  async open(): Promise<WebRoom> {
    const { journal } = this.#parts;
    const { tenant, profile, from } = this.#origin;
    const call = { callId: this.visitId, sipCallId: '', trunk: '', source: 'web' } as const;
    journal.open({ ...call, tenant, profile, from, to: profile });
    journal.add(this.visitId, { type: 'ringing' });
    try {
      return await this.#open();
    } catch (error) {
      this.end(ending('media-failure', messageOf(error)));
      throw error;
    }
  }

  /** Whoever opened the visit: it lasts as long as this guest is there. */
  welcome(guest: Guest): void {
    this.#owner = guest;
    guest.events.on('hears', ({ participantId }) => {
      if (participantId === this.#agent?.portId) this.#heard();
    });
    guest.events.on('left', (end) => this.end(end));
  }

  /** Ends the visit for everybody in it. Only the first ending counts. */
  end(end: Ending): void {
    if (this.#ending !== undefined) return;
    this.#ending = end;
    this.#cancelLimit?.();
    if (end.class === 'server' || end.class === 'upstream')
      this.#log.warn({ ending: end.slug, detail: end.detail }, `visit failed: ${end.text}`);
    this.#close(end)
      .catch((error: unknown) => this.#log.error({ detail: messageOf(error) }, 'visit not closed cleanly'))
      .finally(() => {
        this.#place.leave();
        this.#finished.resolve(undefined);
      });
  }

  async #open(): Promise<WebRoom> {
    const { threads, rooms, openAgent, clock, durationMaxMs, journal, log } = this.#parts;
    const { tenant, profile } = this.#origin;
    const thread = (this.#thread = threads.leastLoaded());
    this.#cancelLimit = clock.after(durationMaxMs, () => this.end(ending('max-duration')));
    this.#opening = rooms.open({ roomId: this.visitId, thread, trackCodec: 'opus' });
    // Met again where it is awaited, here or when the visit is closed.
    this.#opening.catch(() => undefined);
    const codec = 'pcmu';
    const agent = openAgent({ callId: this.visitId, profile, tenant, codec, thread });
    this.#agent = agent;
    this.#watchAgent(agent);
    const room = await this.#opening;
    await room.admitAgent({ participantId: agent.portId, portId: agent.portId, codec });
    this.#show({ agent, codec, room, thread });
    const webRoom = await WebRoom.open({ room, journal, log });
    this.#webRoom = webRoom;
    if (this.#ending !== undefined) throw new TrunklineError('ROOM_CLOSED', this.#ending.text);
    return webRoom;
  }

  #show(call: Pick<LiveCall, 'agent' | 'codec' | 'room' | 'thread'>): void {
    if (this.#ending !== undefined) return;
    const end = (end: Ending): void => this.end(end);
    const shown = { ...call, callId: this.visitId, tenant: this.#origin.tenant, end };
    this.#shown = new ShownCall(this.#parts.deskSide, shown, (detail) => this.#agentFailed(detail));
  }

  #watchAgent(agent: AgentParticipant): void {
    agent.events.on('hangUp', ({ reason }) => this.end(ending('agent-hung-up', reason)));
    agent.events.on('failed', ({ code, detail }) => this.#agentFailed(`${code}: ${detail}`));
    agent.ready().catch((error: unknown) => this.#agentFailed(messageOf(error)));
  }

  #agentFailed(detail: string): void {
    if (this.#ending !== undefined) return;
    if (this.#shown?.survives(detail) === true) return;
    this.#parts.journal.add(this.visitId, { type: 'trouble', code: 'MODEL_UNAVAILABLE', detail });
    this.end(ending('model-unavailable', detail));
  }

  /**
   * The visitor can hear the agent, for the first time or after a new start of its page: the first word is
   * said now, or as soon as the agent has it.
   */
  #heard(): void {
    if (this.#answeredMs !== undefined) return;
    this.#answeredMs = this.#parts.clock.nowMs();
    this.#place.answered();
    this.#parts.journal.add(this.visitId, { type: 'answered' });
    if (this.#ending === undefined) this.#agent?.greet();
  }

  /** docs/CLOSING.md has the order and its reasons. */
  async #close(end: Ending): Promise<void> {
    const endedMs = this.#parts.clock.nowMs();
    this.#shown?.close();
    this.#owner?.end(end);
    await this.#agent?.close();
    this.#webRoom?.close();
    await (await this.#opening?.catch(() => undefined))?.close();
    this.#record(end, endedMs);
  }

  #record(end: Ending, endedMs: number): void {
    const answeredMs = this.#answeredMs;
    const record = this.#parts.journal.close(this.visitId, end);
    const span = {
      startedAt: this.#startedAt,
      answeredMs: answeredMs === undefined ? null : answeredMs - this.#startedMs,
      endedMs: endedMs - this.#startedMs,
    };
    writeCdr(this.#parts.log, {
      ...{ callId: this.visitId, source: 'web', ...this.#origin, ...lifeOf(span, end) },
      agent: figuresOf(record?.timeline ?? []),
    });
  }
}
