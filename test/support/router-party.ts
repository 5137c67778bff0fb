/** Somebody in a router who is not in the room's media thread: plain RTP, or packets of this process. */
import type { Codec } from '../../src/media/frame.ts';
import type { DirectTransport, PlainTransport, SfuRouter } from '../../src/media/sfu-router.ts';
import { PAYLOAD_TYPE_OF, RtpEndpoint } from './phone/rtp-endpoint.ts';
import type { ReceivedPacket } from './phone/rtp-record.ts';

const mime_type = { pcmu: 'audio/PCMU', pcma: 'audio/PCMA' } as const;

/** Sound as it came out of the router: one SSRC per consumer. */
export interface Heard {
  readonly ssrc: number;
  readonly payload: Uint8Array;
}

/** A second PlainTransport with a real socket behind it. */
export class PlainParty {
  readonly endpoint: RtpEndpoint;
  readonly #router: SfuRouter;
  readonly #transport: PlainTransport;
  readonly #codec: Codec;

  private constructor(router: SfuRouter, endpoint: RtpEndpoint, transport: PlainTransport, codec: Codec) {
    this.#router = router;
    this.endpoint = endpoint;
    this.#transport = transport;
    this.#codec = codec;
  }

  static async join(router: SfuRouter, codec: Codec): Promise<PlainParty> {
    const endpoint = await RtpEndpoint.open(codec);
    const transport = await router.createPlainTransport();
    await transport.connect({ ip: '127.0.0.1', port: endpoint.port });
    return new PlainParty(router, endpoint, transport, codec);
  }

  /** Produces; the endpoint's stream starts, silent until it plays something. */
  async produce(participantId: string): Promise<Producer> {
    const codec = {
      mimeType: mime_type[this.#codec],
      payloadType: PAYLOAD_TYPE_OF[this.#codec],
      clockRate: 8000,
    };
    const producer = await this.#transport.produce({
      kind: 'audio',
      rtpParameters: { codecs: [codec], encodings: [{ ssrc: this.endpoint.ssrc }] },
      appData: { participantId },
    });
    this.endpoint.sendTo({ address: '127.0.0.1', port: this.#transport.tuple.localPort });
    return producer;
  }

  consume(producerId: string): Promise<Consumer> {
    return this.#transport.consume({ producerId, rtpCapabilities: this.#router.rtpCapabilities });
  }

  /** What came from the router as sound: RTCP shares the port. */
  get heard(): ReceivedPacket[] {
    return this.endpoint.received.packets.filter((one) => one.payloadType === PAYLOAD_TYPE_OF[this.#codec]);
  }

  close(): void {
    this.#transport.close();
    this.endpoint.close();
  }
}

/** A DirectTransport: what it consumes comes as packets into this very process. */
export class DirectParty {
  readonly heard: Heard[] = [];
  readonly #router: SfuRouter;
  readonly #transport: DirectTransport;

  private constructor(router: SfuRouter, transport: DirectTransport) {
    this.#router = router;
    this.#transport = transport;
  }

  static async join(router: SfuRouter): Promise<DirectParty> {
    return new DirectParty(router, await router.createDirectTransport());
  }

  /** Keeps every packet in `heard`. */
  async consume(producerId: string): Promise<Consumer> {
    const consumer = await this.#transport.consume({
      producerId,
      rtpCapabilities: this.#router.rtpCapabilities,
    });
    consumer.on('rtp', (packet) =>
      this.heard.push({ ssrc: packet.readUInt32BE(8), payload: payloadOf(packet) }),
    );
    return consumer;
  }

  close(): void {
    this.#transport.close();
  }
}

type Producer = Awaited<ReturnType<PlainTransport['produce']>>;
type Consumer = Awaited<ReturnType<PlainTransport['consume']>>;

/** The payload of an RTP packet with or without a header extension (RFC 3550 §5.1, §5.3.1). */
function payloadOf(packet: Buffer): Buffer {
  const first = packet.readUInt8(0);
  const fixed = 12 + (first & 0x0f) * 4;
  const extension = (first & 0x10) === 0 ? 0 : 4 + packet.readUInt16BE(fixed + 2) * 4;
  return Buffer.from(packet.subarray(fixed + extension));
}
