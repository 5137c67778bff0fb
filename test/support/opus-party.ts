/** A browser's sound without the browser: Opus at 48 kHz over a PlainTransport with a real socket. */
import { random16, random32 } from '../../src/base/ids.ts';
import { encode } from '../../src/media/g711.ts';
import { OPUS_SAMPLES_MAX, OpusDecoder } from '../../src/media/opus.ts';
import type { PlainTransport, SfuRouter } from '../../src/media/sfu-router.ts';
import type { ParsedRtp } from './media/packets.ts';
import { rtpPacket } from './media/packets.ts';
import { RtpParty } from './media/rtp-party.ts';
import { BrowserEncoder, type BrowserFormat } from './opus.ts';
import type { Heard } from './router-party.ts';

/** Any dynamic one: the router translates. */
const produced_payload_type = 111;
const packet_ms = 20;
const ssrc = (): number => Math.max(1, random32());

export class OpusParty {
  readonly #router: SfuRouter;
  readonly #transport: PlainTransport;
  readonly #socket: RtpParty;
  readonly #encoder: BrowserEncoder;
  readonly #ssrc = ssrc();
  readonly #decoders = new Map<number, OpusDecoder>();
  readonly #heard: Heard[] = [];
  readonly #samples = new Int16Array(OPUS_SAMPLES_MAX);
  #decoded = 0;
  #sequence = random16();
  #timestamp = random32();
  #timer: NodeJS.Timeout | undefined;

  private constructor(parts: {
    router: SfuRouter;
    transport: PlainTransport;
    socket: RtpParty;
    format: BrowserFormat;
  }) {
    this.#router = parts.router;
    this.#transport = parts.transport;
    this.#socket = parts.socket;
    this.#encoder = new BrowserEncoder({ ...parts.format, frameMs: packet_ms });
  }

  static async join(router: SfuRouter, format: BrowserFormat = {}): Promise<OpusParty> {
    const transport = await router.createPlainTransport();
    const socket = await RtpParty.open({ targetPort: transport.tuple.localPort });
    await transport.connect({ ip: '127.0.0.1', port: socket.port });
    return new OpusParty({ router, transport, socket, format });
  }

  async produce(participantId: string): Promise<void> {
    const codec = { mimeType: 'audio/opus', payloadType: produced_payload_type, clockRate: 48_000 };
    const parameters = { useinbandfec: 1, usedtx: 1 };
    await this.#transport.produce({
      kind: 'audio',
      rtpParameters: {
        codecs: [{ ...codec, channels: 2, parameters }],
        encodings: [{ ssrc: this.#ssrc }],
      },
      appData: { participantId },
    });
  }

  async consume(producerId: string): Promise<void> {
    await this.#transport.consume({ producerId, rtpCapabilities: this.#router.rtpCapabilities });
  }

  /** Plays a tone from now on. `lost`: which packets of it never arrive. */
  play(frequencyHz: number, lost: (packet: number) => boolean = () => false): void {
    clearInterval(this.#timer);
    const startMs = performance.now();
    let sent = 0;
    this.#timer = setInterval(() => {
      for (; sent * packet_ms <= performance.now() - startMs; sent++) {
        const payload = this.#encoder.tone(frequencyHz);
        const sequence = this.#sequence++;
        const timestamp = this.#timestamp;
        this.#timestamp = (timestamp + this.#encoder.frameSamples) >>> 0;
        const payloadType = produced_payload_type;
        if (!lost(sent))
          void this.#socket.raw(rtpPacket({ payloadType, sequence, timestamp, ssrc: this.#ssrc, payload }));
      }
    }, packet_ms / 2);
  }

  /** The packets that came from the router, of any stream. */
  get packets(): readonly ParsedRtp[] {
    return this.#socket.received;
  }

  /** What came from the router, decoded, as PCMU. */
  get heard(): readonly Heard[] {
    for (const packet of this.packets.slice(this.#decoded)) {
      const decoder = this.#decoders.get(packet.ssrc) ?? new OpusDecoder();
      this.#decoders.set(packet.ssrc, decoder);
      const samples = decoder.decode(packet.payload, packet.payload.length, this.#samples);
      const payload = new Uint8Array(samples);
      encode('pcmu', this.#samples.subarray(0, samples), payload);
      this.#heard.push({ ssrc: packet.ssrc, payload });
    }
    this.#decoded = this.packets.length;
    return this.#heard;
  }

  async close(): Promise<void> {
    clearInterval(this.#timer);
    this.#transport.close();
    await this.#socket.close();
    this.#encoder.free();
    for (const decoder of this.#decoders.values()) decoder.free();
  }
}
