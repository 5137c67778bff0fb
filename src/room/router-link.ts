/**
 * A room's wire between its media thread and its router: one loopback link. The voices of the thread are
 * produced into the router from the start; their RTP flows only while somebody consumes it there. What
 * others produce in the router arrives as tracks. When the worker dies, all of it is built again in a
 * new router, under the same SSRCs.
 *
 * Everything is one reconciliation: `#settle` compares what should be with what is, and is asked for
 * again after each change. Calls never wait for it.
 */
import type { Clock } from '../base/clock.ts';
import { TrunklineError, messageOf } from '../base/errors.ts';
import { Events } from '../base/events.ts';
import { newId, random32 } from '../base/ids.ts';
import type { Log } from '../base/log.ts';
import { SerialQueue } from '../base/serial-queue.ts';
import type { Codec, TrackCodec } from '../media/frame.ts';
import type { Sfu } from '../media/sfu.ts';
import { LINK_PAYLOAD_TYPE } from '../media/sfu-codecs.ts';
import { SfuLinkEnd } from '../media/sfu-link-end.ts';
import type { SfuProducer, SfuRouter } from '../media/sfu-router.ts';
import type { ThreadCommands } from './wiring.ts';

/** Remote producers that one link takes; more are left unheard until one of these goes. */
export const tracks_max = 64;
export const settle_retry_ms = 1000;

/**
 * What the room's voices are in the router. `g711`: each in its own codec, so that nothing is translated
 * where a phone takes part. `opus`: for rooms of browsers and agents.
 */
export type RoomTrackCodec = 'g711' | 'opus';

/** A port of the media thread that speaks into the router. */
export interface LinkVoice {
  readonly participantId: string;
  readonly portId: string;
  readonly codec: Codec;
}

/** A producer of somebody else in the router, as a source in the media thread. */
export interface Track {
  readonly sourceId: string;
  readonly producerId: string;
  /** Who speaks: the producer's tag `participantId`, else the producer itself. */
  readonly participantId: string;
}

/** The room's answer to tracks: patches them before their sound comes, and unpatches them. Neither throws. */
export interface TrackKeeper {
  added(track: Track): Promise<void>;
  removed(track: Track): Promise<void>;
}

export interface RouterLinkOptions {
  readonly linkId: string;
  readonly trackCodec: RoomTrackCodec;
  readonly thread: ThreadCommands;
  readonly sfu: Sfu;
  readonly tracks: TrackKeeper;
  readonly clock: Clock;
  readonly log: Log;
}

export interface RouterLinkEvents {
  /** Sound goes through this router now: the first one, and each that replaced a lost one. */
  routed: SfuRouter;
}

interface SentVoice extends LinkVoice {
  readonly trackCodec: TrackCodec;
  readonly ssrc: number;
  producerId: string | undefined;
  /** As the thread was told last; undefined: it does not know the voice yet. */
  flowing: boolean | undefined;
}

interface ReceivedTrack extends Track {
  readonly ssrc: number;
}

export class RouterLink {
  readonly events = new Events<RouterLinkEvents>();
  readonly #options: RouterLinkOptions;
  readonly #queue = new SerialQueue();
  readonly #abort = new AbortController();
  readonly #voices = new Map<string, SentVoice>();
  /** By producerId. */
  readonly #tracks = new Map<string, ReceivedTrack>();
  /** Producers that the thread cannot decode: nothing is gained by asking again. */
  readonly #undecodable = new Set<string>();
  /** Where the thread's socket of this link listens. */
  readonly #port: Promise<number>;
  #end: SfuLinkEnd | undefined;
  #settleWaits = false;
  /** Who waits for the next round, in `router`. */
  readonly #roundWaiters: (() => void)[] = [];
  #cancelRetry: (() => void) | undefined;

  constructor(options: RouterLinkOptions) {
    this.#options = options;
    const { linkId, thread } = options;
    this.#port = thread.request({ type: 'link.open', linkId }).then(({ port }) => port);
    this.#settleSoon();
  }

  /**
   * Resolves when the thread has its end of the link.
   * @throws what the thread said instead
   */
  async opened(): Promise<void> {
    await this.#port;
  }

  /**
   * The router, once there is one and everything asked for so far is in it. Waits while no worker runs.
   * @throws TrunklineError ROOM_CLOSED
   */
  async router(): Promise<SfuRouter> {
    for (;;) {
      this.#abort.signal.throwIfAborted();
      const router = this.#end?.router;
      if (this.#queue.size > 0) await this.#queue.idle();
      else if (router?.closed === false) return router;
      else await this.#nextRound();
    }
  }

  /** Produces a voice into the router, now or as soon as there is one. */
  add(voice: LinkVoice): void {
    const trackCodec: TrackCodec = this.#options.trackCodec === 'opus' ? 'opus' : voice.codec;
    const sent = { ...voice, trackCodec, ssrc: random32(), producerId: undefined, flowing: undefined };
    this.#voices.set(voice.participantId, sent);
    this.#settleSoon();
  }

  /** Takes a voice out; resolves when the thread has let go of its port. Waits for no router. */
  async remove(participantId: string): Promise<void> {
    const voice = this.#voices.get(participantId);
    if (voice === undefined) return;
    this.#voices.delete(participantId);
    if (voice.producerId !== undefined) this.#end?.stopProducing(voice.producerId);
    if (voice.flowing !== undefined) await this.#drop(voice.ssrc);
  }

  /** Closes the router and the thread's end. Idempotent, never throws. */
  async close(): Promise<void> {
    if (this.#isClosed()) return this.#queue.idle();
    this.#abort.abort(new TrunklineError('ROOM_CLOSED', this.#options.linkId));
    this.#cancelRetry?.();
    this.#wakeWaiters();
    this.#end?.router.close();
    await this.#queue.run(async () => {
      this.#end?.router.close();
      await this.#closeThreadEnd();
    });
    this.events.removeAll();
  }

  #isClosed(): boolean {
    return this.#abort.signal.aborted;
  }

  /** Asks for one more round. Rounds that have not begun yet see every change, so one of them is enough. */
  #settleSoon(): void {
    if (this.#settleWaits || this.#isClosed()) return;
    this.#settleWaits = true;
    void this.#queue.run(async () => {
      this.#settleWaits = false;
      try {
        await this.#settle();
      } catch (error) {
        this.#settleFailed(error);
      }
    });
    this.#wakeWaiters();
  }

  #settleFailed(error: unknown): void {
    if (this.#isClosed()) return;
    const { clock, log, linkId } = this.#options;
    if (this.#end?.router.closed === true) {
      this.#settleSoon();
      return;
    }
    log.warn({ linkId, detail: messageOf(error) }, 'the room is not in its router yet');
    this.#cancelRetry?.();
    this.#cancelRetry = clock.after(settle_retry_ms, () => this.#settleSoon());
  }

  async #settle(): Promise<void> {
    if (this.#isClosed()) return;
    if (this.#end?.router.closed === true) await this.#forget(this.#end);
    const isNew = this.#end === undefined;
    const end = this.#end ?? (await this.#enterRouter());
    await Promise.all([...this.#voices.values()].map((voice) => this.#settleVoice(end, voice)));
    await this.#settleTracks(end);
    if (isNew && !this.#isClosed()) this.events.emit('routed', end.router);
  }

  async #enterRouter(): Promise<SfuLinkEnd> {
    const { linkId, sfu, thread } = this.#options;
    const [opened, made] = await Promise.allSettled([this.#port, sfu.createRouter(this.#abort.signal)]);
    if (made.status === 'rejected') throw made.reason;
    const router = made.value;
    try {
      if (opened.status === 'rejected') throw opened.reason;
      const end = await SfuLinkEnd.open(router, { linkId, port: opened.value });
      const { uplinkPort, downlinkPort } = end;
      await thread.request({ type: 'link.target', linkId, uplinkPort, downlinkPort });
      this.#abort.signal.throwIfAborted();
      this.#watch(end);
      this.#end = end;
      return end;
    } catch (error) {
      router.close();
      throw error;
    }
  }

  #watch(end: SfuLinkEnd): void {
    const { events } = end.router;
    const ours = (producerId: string): boolean =>
      [...this.#voices.values()].some((voice) => voice.producerId === producerId);
    events.on('producerAdded', (producer) => {
      if (end.owns(producer)) return;
      if (producer.codec === null) this.#unheard(producer, 'it is neither Opus nor G.711');
      else if (this.#tracks.size >= tracks_max) this.#unheard(producer, `${tracks_max} others are heard`);
      else this.#settleSoon();
    });
    events.on('producerRemoved', (producer) => {
      this.#undecodable.delete(producer.producerId);
      if (!end.owns(producer)) this.#settleSoon();
    });
    events.on('demandChanged', ({ producerId }) => {
      if (ours(producerId)) this.#settleSoon();
    });
    events.on('lost', () => this.#settleSoon());
  }

  #unheard({ producerId, kind }: SfuProducer, detail: string): void {
    const { log, linkId } = this.#options;
    log.warn({ linkId, producerId, kind, detail }, 'a producer is not heard by phones and agents');
  }

  async #settleVoice(end: SfuLinkEnd, voice: SentVoice): Promise<void> {
    const { participantId, trackCodec: codec, ssrc } = voice;
    if (voice.producerId === undefined) {
      const producerId = await end.produce({ participantId, codec, ssrc });
      if (this.#voices.get(participantId) !== voice) {
        end.stopProducing(producerId);
        return;
      }
      voice.producerId = producerId;
    }
    await this.#tellFlow(voice, end.router.demand(voice.producerId) > 0);
  }

  async #tellFlow(voice: SentVoice, flowing: boolean): Promise<void> {
    const { thread, linkId, log } = this.#options;
    const before = voice.flowing;
    if (before === flowing) return;
    voice.flowing = flowing;
    const { participantId, portId: fromId, trackCodec: codec, ssrc } = voice;
    const payloadType = LINK_PAYLOAD_TYPE[codec];
    try {
      await thread.request({ type: 'link.send', linkId, fromId, ssrc, payloadType, codec, flowing });
    } catch (error) {
      if (!isOpusMissing(error)) {
        voice.flowing = before;
        throw error;
      }
      if (flowing)
        log.error({ linkId, participantId, detail: error.detail }, 'a voice is not heard by browsers');
    }
  }

  async #settleTracks(end: SfuLinkEnd): Promise<void> {
    const audible = end.router.producers.filter(
      (one) => one.codec !== null && !end.owns(one) && !this.#undecodable.has(one.producerId),
    );
    const wanted = new Map(audible.slice(0, tracks_max).map((one) => [one.producerId, one]));
    for (const track of [...this.#tracks.values()])
      if (!wanted.has(track.producerId)) await this.#loseTrack(end, track);
    for (const producer of wanted.values()) {
      if (this.#tracks.has(producer.producerId)) continue;
      try {
        await this.#gainTrack(end, producer);
      } catch (error) {
        if (isOpusMissing(error)) {
          this.#undecodable.add(producer.producerId);
          this.#unheard(producer, error.message);
          continue;
        }
        const gone = !end.router.producers.some((one) => one.producerId === producer.producerId);
        if (!gone || end.router.closed) throw error;
      }
    }
  }

  async #gainTrack(end: SfuLinkEnd, producer: SfuProducer): Promise<void> {
    const { linkId, thread, tracks } = this.#options;
    const { producerId, tag } = producer;
    const arrival = await end.consume(producerId);
    const sourceId = newId('track');
    try {
      await thread.request({ type: 'link.receive', linkId, sourceId, ...arrival });
    } catch (error) {
      end.stopConsuming(producerId);
      throw error;
    }
    const tagged = tag['participantId'];
    const participantId = typeof tagged === 'string' ? tagged : producerId;
    const track = { sourceId, producerId, participantId, ssrc: arrival.ssrc };
    this.#tracks.set(producerId, track);
    await tracks.added(track);
    await end.resume(producerId);
  }

  async #loseTrack(end: SfuLinkEnd, track: ReceivedTrack): Promise<void> {
    this.#tracks.delete(track.producerId);
    end.stopConsuming(track.producerId);
    await this.#options.tracks.removed(track);
    await this.#drop(track.ssrc);
  }

  /** The router is lost: nobody consumes any more, and no track is left. */
  async #forget(end: SfuLinkEnd): Promise<void> {
    this.#end = undefined;
    this.#undecodable.clear();
    for (const track of [...this.#tracks.values()]) await this.#loseTrack(end, track);
    for (const voice of this.#voices.values()) {
      voice.producerId = undefined;
      if (voice.flowing === true) await this.#tellFlow(voice, false);
    }
  }

  /** Lets the thread forget a stream; only a dead thread refuses, and it has nothing left to forget. */
  async #drop(ssrc: number): Promise<void> {
    const { linkId, thread, log } = this.#options;
    try {
      await thread.request({ type: 'link.drop', linkId, ssrc });
    } catch (error) {
      log.debug({ linkId, ssrc, detail: messageOf(error) }, 'stream was gone');
    }
  }

  async #closeThreadEnd(): Promise<void> {
    const { linkId, thread, log } = this.#options;
    try {
      await thread.request({ type: 'link.close', linkId });
    } catch (error) {
      log.debug({ linkId, detail: messageOf(error) }, 'link was gone');
    }
  }

  /** Resolves when a round was asked for, or the link is closed. */
  #nextRound(): Promise<void> {
    return new Promise((resolve) => this.#roundWaiters.push(resolve));
  }

  #wakeWaiters(): void {
    for (const wake of this.#roundWaiters.splice(0)) wake();
  }
}

/** Without libopus a track is left out; the rest of the room goes on. */
function isOpusMissing(error: unknown): error is TrunklineError {
  return error instanceof TrunklineError && error.code === 'OPUS_UNAVAILABLE';
}
