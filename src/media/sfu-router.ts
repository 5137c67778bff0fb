/**
 * One mediasoup router: the sound of one room. It tells which producers are in it and how many
 * consumers want each, whoever made them, and makes transports for the doors.
 */
import type { types } from 'mediasoup';
import { Events } from '../base/events.ts';
import type { TrackCodec } from './frame.ts';
import { codecOf } from './sfu-codecs.ts';
import { SfuSpeakers } from './sfu-speakers.ts';

export type PlainTransport = types.PlainTransport;
export type DirectTransport = types.DirectTransport;
export type WebRtcTransport = types.WebRtcTransport;
export type RtpCapabilities = types.RtpCapabilities;
/** What a transport, producer or consumer carries for whoever made it. */
export type Tag = Readonly<Record<string, unknown>>;

export interface SfuProducer {
  readonly producerId: string;
  readonly kind: 'audio' | 'video';
  /** null: something that no media thread can take (G.722, video). */
  readonly codec: TrackCodec | null;
  readonly tag: Tag;
}

export interface SfuRouterEvents {
  producerAdded: SfuProducer;
  producerRemoved: SfuProducer;
  /** `consumers` counts those that are not paused. */
  demandChanged: { producerId: string; consumers: number };
  /** The worker died, and everything in the router with it. Never told after `close`. */
  lost: null;
}

/** A browser that makes no STUN check for so long is away (RFC 7675 §5.1); mediasoup takes no less. */
const ICE_CONSENT_TIMEOUT_S = 10;

/** Where the loopback transports listen: no other part of the gateway takes ports from there by itself. */
export interface PortRange {
  readonly min: number;
  readonly max: number;
}

export class SfuRouter {
  readonly events = new Events<SfuRouterEvents>();
  readonly #router: types.Router;
  readonly #webRtcServer: types.WebRtcServer;
  readonly #loopbackPorts: PortRange;
  readonly #producers = new Map<string, SfuProducer>();
  readonly #sources = new Map<string, types.Producer>();
  /** producerId -> ids of the consumers that take its sound now. */
  readonly #wanting = new Map<string, Set<string>>();
  #closing = false;

  constructor(options: { router: types.Router; webRtcServer: types.WebRtcServer; loopbackPorts: PortRange }) {
    this.#router = options.router;
    this.#webRtcServer = options.webRtcServer;
    this.#loopbackPorts = options.loopbackPorts;
    this.#router.observer.on('newtransport', (transport) => this.#watch(transport));
    this.#router.observer.once('close', () => {
      if (!this.#closing) this.events.emit('lost', null);
      this.events.removeAll();
    });
  }

  get id(): string {
    return this.#router.id;
  }

  get closed(): boolean {
    return this.#router.closed;
  }

  get rtpCapabilities(): RtpCapabilities {
    return this.#router.rtpCapabilities;
  }

  /** Everything that is produced here now, oldest first. */
  get producers(): readonly SfuProducer[] {
    return [...this.#producers.values()];
  }

  /** How many unpaused consumers a producer has now. */
  demand(producerId: string): number {
    return this.#wanting.get(producerId)?.size ?? 0;
  }

  /** RTP packets that have come in for a producer since it was made; 0 for one that is gone. */
  async packetsFrom(producerId: string): Promise<number> {
    const streams = (await this.#sources.get(producerId)?.getStats()) ?? [];
    return streams.reduce((sum, stream) => sum + stream.packetCount, 0);
  }

  /** Plain RTP on 127.0.0.1, RTP and RTCP on one port (RFC 5761). `connect` fixes the only peer it hears. */
  createPlainTransport(options: { tag?: Tag; learnPeer?: boolean } = {}): Promise<PlainTransport> {
    return this.#router.createPlainTransport({
      listenInfo: { protocol: 'udp', ip: '127.0.0.1', portRange: { ...this.#loopbackPorts } },
      rtcpMux: true,
      comedia: options.learnPeer ?? false,
      appData: { ...options.tag },
    });
  }

  /** RTP in and out of this very process: for tests, and for what needs no hurry. */
  createDirectTransport(options: { tag?: Tag } = {}): Promise<DirectTransport> {
    return this.#router.createDirectTransport({ appData: { ...options.tag } });
  }

  /** A browser's transport on the worker's one UDP and TCP port. */
  createWebRtcTransport(options: { tag?: Tag } = {}): Promise<WebRtcTransport> {
    return this.#router.createWebRtcTransport({
      webRtcServer: this.#webRtcServer,
      enableUdp: true,
      enableTcp: true,
      preferUdp: true,
      iceConsentTimeout: ICE_CONSENT_TIMEOUT_S,
      appData: { ...options.tag },
    });
  }

  /** Tells who of the producers that it is asked to `watch` speaks; it ends with the router. */
  createSpeakers(): Promise<SfuSpeakers> {
    return SfuSpeakers.create(this.#router);
  }

  /** Closes the router with all its transports. Idempotent. */
  close(): void {
    this.#closing = true;
    this.#router.close();
  }

  #watch(transport: types.Transport): void {
    transport.observer.on('newproducer', (producer) => {
      // One that was under way when its transport closed: nobody would tell of its end.
      if (!transport.closed) this.#watchProducer(producer);
    });
    transport.observer.on('newconsumer', (consumer) => {
      if (!transport.closed) this.#watchConsumer(consumer);
    });
  }

  #watchProducer(producer: types.Producer): void {
    const added: SfuProducer = {
      producerId: producer.id,
      kind: producer.kind,
      codec: codecOf(producer.rtpParameters),
      tag: producer.appData,
    };
    this.#producers.set(producer.id, added);
    this.#sources.set(producer.id, producer);
    this.#wanting.set(producer.id, new Set());
    producer.observer.once('close', () => {
      this.#producers.delete(producer.id);
      this.#sources.delete(producer.id);
      this.#wanting.delete(producer.id);
      if (!this.closed) this.events.emit('producerRemoved', added);
    });
    this.events.emit('producerAdded', added);
  }

  #watchConsumer(consumer: types.Consumer): void {
    const update = (): void => {
      const wanting = this.#wanting.get(consumer.producerId);
      if (wanting === undefined) return;
      const before = wanting.size;
      if (consumer.closed || consumer.paused || consumer.producerPaused) wanting.delete(consumer.id);
      else wanting.add(consumer.id);
      if (wanting.size === before || this.closed) return;
      this.events.emit('demandChanged', { producerId: consumer.producerId, consumers: wanting.size });
    };
    consumer.observer.on('pause', update);
    consumer.observer.on('resume', update);
    consumer.observer.once('close', update);
    update();
  }
}
