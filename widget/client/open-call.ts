/** One call from its first connection to its end: what is lost on the way, and what brings it back. */
import type { Ask, EventPayload, Joined, WireParticipant } from '../../src/web/wire.ts';
import { endingOf, LOCAL_ENDING, type CallEnding } from './call-ending.ts';
import type { ClientEvents } from './client-events.ts';
import { GatewayRefusal, type Signalling } from './signalling.ts';
import type { CallMedia, Direction } from './webrtc-media.ts';

/** A page's right to call: the site's public key, or a token that the site's own server made. */
export type Credentials =
  { readonly widgetKey: string; readonly profile: string } | { readonly token: string };

/** How often the first connection may fail before the gateway counts as unreachable. */
const connect_attempts_max = 3;

/** Questions that change the call for others. */
export type CallControl = 'mode' | 'hold' | 'handBack' | 'end';

export interface OpenCallParts {
  readonly signalling: Signalling;
  readonly media: CallMedia;
  /** A resume token: the call was on in a page before this one. */
  readonly credentials: Credentials | { readonly resumeToken: string };
  readonly patienceMs: number;
  readonly microphone: () => MediaStreamTrack;
  readonly muted: () => boolean;
  readonly moved: (event: 'connected' | 'lost' | 'restored') => void;
  readonly over: (ending: CallEnding) => void;
  readonly tell: <K extends keyof ClientEvents>(name: K, payload: ClientEvents[K]) => void;
}

export class OpenCall {
  readonly media: CallMedia;
  readonly #parts: OpenCallParts;
  readonly #signalling: Signalling;
  /** What is away at the moment; the call goes on when nothing is. */
  readonly #away = new Set<'socket' | Direction>();
  /** The call is taken over from another page: everything of it is built here for the first time. */
  readonly #resuming: boolean;
  #joined: Joined | undefined;
  #talking = false;
  #closed = false;
  #attempts = 0;
  #patience: ReturnType<typeof setTimeout> | undefined;
  #participants: readonly WireParticipant[] = [];

  constructor(parts: OpenCallParts) {
    this.#parts = parts;
    this.#resuming = 'resumeToken' in parts.credentials;
    if (this.#resuming) {
      this.#talking = true;
      for (const what of ['socket', 'send'] as const) this.#away.add(what);
    }
    this.#signalling = parts.signalling;
    this.media = parts.media;
    this.#followSignalling();
    this.#followRoom();
    this.media.events.on('connection', ({ direction, up }) => {
      if (up) {
        this.#isBack(direction);
        return;
      }
      this.#isAway(direction);
      // While the socket is away nothing can be asked; coming back restarts ICE anyway.
      if (!this.#away.has('socket')) this.#attempt(this.media.restartIce());
    });
    this.media.events.on('playbackBlocked', () => parts.tell('playbackBlocked', null));
    this.media.events.on('relayRefused', ({ url, reason }) => {
      parts.tell('trouble', new Error(`the relay ${url} refused us: ${reason}`));
      // A call that is on has a path still, or gets new credentials with the next attempt.
      if (!this.#talking) this.#over(LOCAL_ENDING.relayRefused);
    });
    this.#patience = this.#giveUpLater(this.#resuming ? LOCAL_ENDING.lost : LOCAL_ENDING.unreachable);
  }

  /** What another page of this visitor needs to go on with the call; undefined before it has begun. */
  get resumeToken(): string | undefined {
    return this.#joined?.resumeToken;
  }

  /** What a human agent or supervisor does with the call. @throws GatewayRefusal, GatewayUnreachable */
  async control<N extends CallControl>(name: N, ask: Ask<N>): Promise<void> {
    await this.#signalling.ask(name, ask);
  }

  mute(muted: boolean): void {
    this.#attempt(this.media.mute(muted));
  }

  /** Leaves the room, for good or for another page, if it can still be told. Idempotent. */
  close(how: 'leave' | 'page.gone' = 'leave'): void {
    if (this.#closed) return;
    this.#closed = true;
    clearTimeout(this.#patience);
    this.media.close();
    this.#signalling.leave(how);
  }

  #followSignalling(): void {
    const { events } = this.#signalling;
    events.on('open', () => void this.#enter());
    events.on('unreachable', () => {
      this.#attempts += 1;
      if (this.#joined === undefined && !this.#resuming && this.#attempts >= connect_attempts_max)
        this.#over(LOCAL_ENDING.unreachable);
    });
    events.on('lost', ({ final }) => {
      if (final || !this.#talking) this.#over(LOCAL_ENDING.lost);
      else this.#isAway('socket');
    });
    events.on('ending', (ending) => this.#over(ending.slug, ending.text));
  }

  #followRoom(): void {
    const { events } = this.#signalling;
    const { tell } = this.#parts;
    events.on('caption', (caption) => tell('caption', caption));
    events.on('tool', (tool) => tell('tool', tool));
    events.on('speaking', (speaking) => tell('speaking', speaking));
    events.on('participant.joined', (one) => this.#setParticipants([...this.#without(one), one]));
    events.on('participant.left', (one) => this.#setParticipants(this.#without(one)));
    events.on('producer.added', (producer) => this.#attempt(this.media.add(producer)));
    events.on('producer.removed', ({ producerId }) => this.media.remove(producerId));
    events.on('ice.restart', ({ transportId }) => this.#attempt(this.media.restartIce(transportId)));
    events.on('room.moved', (moved) => void this.#follow(moved));
  }

  /** Joins on a new socket: for the first time, or as the participant we were. */
  async #enter(): Promise<void> {
    const before = this.#joined;
    try {
      const ask = before === undefined ? this.#parts.credentials : { resumeToken: before.resumeToken };
      const joined = await this.#signalling.ask('join', ask);
      if (this.#closed) return;
      this.#joined = joined;
      this.#setParticipants(joined.participants);
      if (joined.resumed && before !== undefined) await this.#resume(joined);
      else await this.#open(joined);
      this.#isBack('socket');
    } catch (error) {
      const { slug, text } = endingOf(error);
      // While the socket is away again, the next one brings another attempt.
      if (before === undefined && !this.#resuming) this.#over(slug, text);
      else if (error instanceof GatewayRefusal) this.#over(LOCAL_ENDING.lost, text);
    }
  }

  async #open(joined: Joined): Promise<void> {
    await this.media.open(joined, this.#parts.microphone());
    if (this.#parts.muted()) await this.media.mute(true);
    if (!joined.permissions.includes('publish')) this.#isBack('send');
  }

  /** The network may be another one now, so ICE looks for its ways anew. */
  async #resume(joined: Joined): Promise<void> {
    await this.media.restartIce();
    await this.media.settle(joined.producers);
    await this.media.mute(this.#parts.muted());
  }

  /** The room lives in another router: everything is built again there. */
  async #follow(moved: EventPayload<'room.moved'>): Promise<void> {
    if (this.#joined === undefined) return;
    this.#joined = { ...this.#joined, ...moved };
    this.#isAway('send');
    this.#away.delete('receive');
    try {
      await this.#open(this.#joined);
    } catch {
      this.#over(LOCAL_ENDING.lost);
    }
  }

  #isAway(what: 'socket' | Direction): void {
    if (!this.#talking || this.#closed) return;
    if (this.#away.size === 0) {
      this.#patience = this.#giveUpLater(LOCAL_ENDING.lost);
      this.#parts.moved('lost');
    }
    this.#away.add(what);
  }

  #isBack(what: 'socket' | Direction): void {
    if (this.#closed) return;
    if (!this.#talking) {
      // The first sound that flows makes it a conversation; being let in alone does not.
      if (what !== 'send') return;
      this.#talking = true;
      clearTimeout(this.#patience);
      this.#parts.moved('connected');
      return;
    }
    if (!this.#away.delete(what) || this.#away.size > 0) return;
    clearTimeout(this.#patience);
    this.#parts.moved('restored');
  }

  #setParticipants(participants: readonly WireParticipant[]): void {
    this.#participants = participants;
    this.#parts.tell('participants', participants);
  }

  #without({ participantId }: { participantId: string }): WireParticipant[] {
    return this.#participants.filter((one) => one.participantId !== participantId);
  }

  /** For work whose failure shows by itself: as a loss of the connection, or as a voice that is not heard. */
  #attempt(work: Promise<void>): void {
    work.catch((error: unknown) => {
      if (!this.#closed)
        this.#parts.tell('trouble', error instanceof Error ? error : new Error(String(error)));
    });
  }

  #giveUpLater(slug: string): ReturnType<typeof setTimeout> {
    return setTimeout(() => this.#over(slug), this.#parts.patienceMs);
  }

  #over(slug: string, text = ''): void {
    if (!this.#closed) this.#parts.over({ slug, text });
  }
}
