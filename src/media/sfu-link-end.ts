/**
 * The router's end of a media thread's loopback link: two PlainTransports on 127.0.0.1 that talk to
 * the link's one socket. The uplink carries the producers of the thread's voices, the downlink the
 * consumers of what others produce in the router.
 */
import type { types } from 'mediasoup';
import type { TrackCodec } from './frame.ts';
import { LINK_PAYLOAD_TYPE, codecOf, linkCapabilities, producerParameters } from './sfu-codecs.ts';
import type { PlainTransport, SfuProducer, SfuRouter } from './sfu-router.ts';

/** A remote producer as it arrives on the downlink. */
export interface Arrival {
  readonly ssrc: number;
  readonly payloadType: number;
  readonly codec: TrackCodec;
}

export class SfuLinkEnd {
  readonly router: SfuRouter;
  readonly linkId: string;
  readonly #uplink: PlainTransport;
  readonly #downlink: PlainTransport;
  readonly #producers = new Map<string, types.Producer>();
  /** By producerId. */
  readonly #consumers = new Map<string, types.Consumer>();

  private constructor(router: SfuRouter, linkId: string, transports: [PlainTransport, PlainTransport]) {
    this.router = router;
    this.linkId = linkId;
    [this.#uplink, this.#downlink] = transports;
  }

  /**
   * `port` is where the link's socket listens; nothing from any other port is heard.
   * When it rejects, one of the two transports may be open: the router is to be closed.
   */
  static async open(router: SfuRouter, options: { linkId: string; port: number }): Promise<SfuLinkEnd> {
    const { linkId, port } = options;
    const open = async (): Promise<PlainTransport> => {
      const transport = await router.createPlainTransport({ tag: { linkId } });
      await transport.connect({ ip: '127.0.0.1', port });
      return transport;
    };
    return new SfuLinkEnd(router, linkId, await Promise.all([open(), open()]));
  }

  get uplinkPort(): number {
    return this.#uplink.tuple.localPort;
  }

  get downlinkPort(): number {
    return this.#downlink.tuple.localPort;
  }

  /** Puts a voice of the thread into the router, where others may consume it from then on; its producerId. */
  async produce(options: { participantId: string; codec: TrackCodec; ssrc: number }): Promise<string> {
    const { participantId, codec, ssrc } = options;
    const producer = await this.#uplink.produce({
      kind: 'audio',
      rtpParameters: producerParameters({ codec, ssrc, cname: participantId }),
      appData: { linkId: this.linkId, participantId },
    });
    this.#producers.set(producer.id, producer);
    return producer.id;
  }

  stopProducing(producerId: string): void {
    this.#producers.get(producerId)?.close();
    this.#producers.delete(producerId);
  }

  /** Is this one of our own voices? They are patched inside the thread, never through the router. */
  owns(producer: SfuProducer): boolean {
    return producer.tag['linkId'] === this.linkId;
  }

  /** Consumes a producer, paused until `resume`: the thread must know the SSRC before sound comes. */
  async consume(producerId: string): Promise<Arrival> {
    const consumer = await this.#downlink.consume({
      producerId,
      rtpCapabilities: linkCapabilities(this.router.rtpCapabilities),
      paused: true,
      appData: { linkId: this.linkId },
    });
    const codec = codecOf(consumer.rtpParameters);
    const ssrc = consumer.rtpParameters.encodings?.[0]?.ssrc;
    if (codec === null || ssrc === undefined) {
      consumer.close();
      throw new Error(`the router gave no stream that we can take for producer ${producerId}`);
    }
    this.#consumers.set(producerId, consumer);
    consumer.observer.once('close', () => this.#consumers.delete(producerId));
    const payloadType = consumer.rtpParameters.codecs[0]?.payloadType ?? LINK_PAYLOAD_TYPE[codec];
    return { ssrc, payloadType, codec };
  }

  async resume(producerId: string): Promise<void> {
    await this.#consumers.get(producerId)?.resume();
  }

  stopConsuming(producerId: string): void {
    this.#consumers.get(producerId)?.close();
  }

  /** Closes both transports and all that is on them. Idempotent. */
  close(): void {
    this.#uplink.close();
    this.#downlink.close();
    this.#producers.clear();
  }
}
