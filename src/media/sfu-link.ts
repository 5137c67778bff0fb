import type { RemoteInfo } from 'node:dgram';
import { at } from '../base/at.ts';
import type { Clock } from '../base/clock.ts';
import { TrunklineError } from '../base/errors.ts';
import { AUDIO_LEVEL_BYTES, audioLevel, writeAudioLevel } from './audio-level.ts';
import { FRAME_SAMPLES, SAMPLE_RATE_HZ } from './frame.ts';
import type { Frame, Port, Sink, Source, TrackCodec } from './frame.ts';
import { decode, transcode } from './g711.ts';
import { OPUS_CLOCK_HZ, OpusEncoder } from './opus.ts';
import { OpusLine } from './opus-line.ts';
import { OutgoingLine } from './outgoing-line.ts';
import { PAYLOAD_BYTES_MAX, ReceivedLine } from './received-line.ts';
import { parseRtp, RTP_HEADER_BYTES, RtpHeader, writeRtpHeader } from './rtp.ts';
import { bindUdp } from './udp.ts';
import type { SocketLedger, UdpSocket } from './udp.ts';

const LOOPBACK = '127.0.0.1';
/** One link carries every remote voice of a room. */
const SOCKET_BUFFER_BYTES = 512 * 1024;
/** Voices one link may carry, each way. */
export const TRACKS_MAX = 256;
const PACKETS = 4;
/** In front of the sound: the fixed header, and how loud it is. */
const HEADER_BYTES = RTP_HEADER_BYTES + AUDIO_LEVEL_BYTES;
/** Steps of the RTP clock in one sample of ours. */
const CLOCK_RATIO = { pcmu: 1, pcma: 1, opus: OPUS_CLOCK_HZ / SAMPLE_RATE_HZ } as const;

export interface Track {
  readonly ssrc: number;
  readonly payloadType: number;
  readonly codec: TrackCodec;
}

export interface LinkOptions {
  readonly linkId: string;
  readonly ledger: SocketLedger;
  readonly clock: Clock;
  readonly onError: (error: unknown) => void;
}

/**
 * A loopback wire to the router: RTP to its uplink PlainTransport, and from its downlink PlainTransport.
 * Only packets of these two ports on 127.0.0.1 are looked at.
 */
export class SfuLink {
  readonly id: string;
  droppedForeignSource = 0;
  droppedUnknown = 0;
  droppedMalformed = 0;
  readonly #clock: Clock;
  readonly #senders = new Map<number, LinkSender>();
  readonly #receivers = new Map<number, LinkReceiver>();
  readonly #header = new RtpHeader();
  #socket: UdpSocket | null = null;
  #uplinkPort: number | null = null;
  #downlinkPort: number | null = null;
  #closed: Promise<void> | null = null;

  private constructor(options: LinkOptions) {
    this.id = options.linkId;
    this.#clock = options.clock;
  }

  static async open(options: LinkOptions): Promise<SfuLink> {
    const link = new SfuLink(options);
    link.#socket = await bindUdp({
      address: LOOPBACK,
      port: 0,
      ledger: options.ledger,
      bufferBytes: SOCKET_BUFFER_BYTES,
      onPacket: (packet, from) => link.#onPacket(packet, from),
      onError: options.onError,
    });
    return link;
  }

  /** Where the router's downlink sends to. */
  get port(): number {
    if (this.#socket === null) throw new TrunklineError('MEDIA_NOT_OPEN', this.id);
    return this.#socket.port;
  }

  /** The router's two ports; again after the room moved to another router. */
  target(ports: { uplinkPort: number; downlinkPort: number }): void {
    this.#uplinkPort = ports.uplinkPort;
    this.#downlinkPort = ports.downlinkPort;
  }

  /** The sink that sends as `track`; made once, then the same for its SSRC. Throws OPUS_UNAVAILABLE. */
  sender(track: Track): LinkSender {
    const known = this.#senders.get(track.ssrc);
    if (known !== undefined) {
      known.track = track;
      return known;
    }
    this.#checkRoom(this.#senders.size);
    const sender = new LinkSender(`${this.id}:${track.ssrc}`, track, this.#clock, (packet) =>
      this.#send(packet),
    );
    this.#senders.set(track.ssrc, sender);
    return sender;
  }

  /**
   * The source that the router's packets with this SSRC feed.
   * Throws MEDIA_COMMAND_INVALID for one that is known.
   */
  receiver(sourceId: string, track: Track): LinkReceiver {
    if (this.#receivers.has(track.ssrc)) {
      throw new TrunklineError('MEDIA_COMMAND_INVALID', `link ${this.id} receives ${track.ssrc} already`);
    }
    this.#checkRoom(this.#receivers.size);
    const receiver = new LinkReceiver(sourceId, track);
    this.#receivers.set(track.ssrc, receiver);
    return receiver;
  }

  /** Forgets what has this SSRC, either way: its ports, for the caller to close. */
  drop(ssrc: number): Port[] {
    const dropped = [this.#senders.get(ssrc), this.#receivers.get(ssrc)].filter((port) => port !== undefined);
    this.#senders.delete(ssrc);
    this.#receivers.delete(ssrc);
    return dropped;
  }

  /** Every sender and receiver. */
  get ports(): Port[] {
    return [...this.#senders.values(), ...this.#receivers.values()];
  }

  /** Idempotent; resolves when the socket is closed. */
  close(): Promise<void> {
    this.#closed ??= this.#socket?.close() ?? Promise.resolve();
    for (const port of this.ports) port.close();
    this.#senders.clear();
    this.#receivers.clear();
    return this.#closed;
  }

  #checkRoom(tracks: number): void {
    if (tracks >= TRACKS_MAX) {
      throw new TrunklineError(
        'MEDIA_COMMAND_INVALID',
        `link ${this.id} carries ${TRACKS_MAX} tracks already`,
      );
    }
  }

  #send(packet: Buffer): void {
    if (this.#uplinkPort !== null) this.#socket?.send(packet, this.#uplinkPort, LOOPBACK);
  }

  #onPacket(packet: Buffer, from: RemoteInfo): void {
    const ours = from.port === this.#downlinkPort || from.port === this.#uplinkPort;
    if (!ours || from.address !== LOOPBACK) {
      this.droppedForeignSource++;
      return;
    }
    const header = this.#header;
    if (!parseRtp(packet, header) || header.payloadEnd - header.payloadStart > PAYLOAD_BYTES_MAX) {
      this.droppedMalformed++;
      return;
    }
    const receiver = this.#receivers.get(header.ssrc);
    // The router's RTCP comes here too; its payload type is none of ours (RFC 5761 §4).
    if (receiver?.payloadType !== header.payloadType) this.droppedUnknown++;
    else if (!receiver.receive(packet, header, this.#clock.nowMs())) this.droppedMalformed++;
  }
}

/** Sends one source's frames to the router as one track, untouched where the codec allows. */
export class LinkSender implements Port, Sink {
  readonly id: string;
  /** What is patched, by the id of its port. */
  fromId: string | null = null;
  readonly #clock: Clock;
  readonly #send: (packet: Buffer) => void;
  readonly #line: OutgoingLine;
  readonly #header = new RtpHeader();
  readonly #packets = Array.from({ length: PACKETS }, () => Buffer.alloc(HEADER_BYTES + FRAME_SAMPLES));
  readonly #payloads = this.#packets.map((packet) => packet.subarray(HEADER_BYTES));
  readonly #samples = new Int16Array(FRAME_SAMPLES);
  #track: Track;
  #opus: OpusEncoder | null = null;
  #packet = 0;
  #flowing = false;
  #source: Source | null = null;
  #sourceTimestamp = 0;
  #sentMs: number | null = null;

  /** Throws OPUS_UNAVAILABLE. */
  constructor(id: string, track: Track, clock: Clock, send: (packet: Buffer) => void) {
    this.id = id;
    this.#clock = clock;
    this.#send = send;
    this.#line = new OutgoingLine(track.ssrc);
    this.#track = track;
    if (track.codec === 'opus') this.#opus = new OpusEncoder();
  }

  get packets(): number {
    return this.#line.packets;
  }

  /** May change when the room moves to another router; the line goes on. */
  set track(track: Track) {
    if (track.codec === 'opus') this.#opus ??= new OpusEncoder();
    this.#track = track;
  }

  /** false: nothing is sent, because nobody in the router listens. The line goes on when it flows again. */
  set flowing(flowing: boolean) {
    this.#flowing = flowing;
    this.#source = null;
  }

  take(frame: Frame, from: Source): void {
    if (!this.#flowing || frame.payload.length !== FRAME_SAMPLES) return;
    const nowMs = this.#clock.nowMs();
    this.#line.advance(this.#samplesSince(frame, from, nowMs) * CLOCK_RATIO[this.#track.codec]);
    const resumed = this.#source !== from;
    this.#source = from;
    this.#sourceTimestamp = frame.rtpTimestamp;
    this.#sentMs = nowMs;
    this.#packet = (this.#packet + 1) % PACKETS;
    const packet = at(this.#packets, this.#packet);
    const bytes = this.#encode(frame, at(this.#payloads, this.#packet));
    if (bytes === 0) return;
    this.#header.payloadType = this.#track.payloadType;
    this.#header.marker = frame.marker || resumed;
    this.#line.stamp(this.#header, bytes);
    writeRtpHeader(packet, this.#header);
    writeAudioLevel(packet, RTP_HEADER_BYTES, audioLevel(this.#samples));
    this.#send(bytes === FRAME_SAMPLES ? packet : packet.subarray(0, HEADER_BYTES + bytes));
  }

  sourceRemoved(): void {
    this.#source = null;
  }

  /** Idempotent. */
  close(): void {
    this.#flowing = false;
    this.#opus?.free();
  }

  /**
   * Writes the frame's sound into `payload` as the track's codec wants it, and its samples into `#samples`;
   * how many bytes.
   */
  #encode(frame: Frame, payload: Buffer): number {
    decode(frame.codec, frame.payload, this.#samples);
    if (this.#track.codec === 'opus') return this.#opus?.encode(this.#samples, payload) ?? 0;
    if (frame.codec === this.#track.codec) payload.set(frame.payload);
    else transcode(frame.codec, frame.payload, payload);
    return FRAME_SAMPLES;
  }

  /** The source's own clock while it goes on; the wall clock over a change of source or a pause. */
  #samplesSince(frame: Frame, from: Source, nowMs: number): number {
    if (this.#sentMs === null) return 0;
    if (from === this.#source) {
      const step = (frame.rtpTimestamp - this.#sourceTimestamp) | 0;
      if (step > 0) return step;
    }
    const frames = Math.round(((nowMs - this.#sentMs) * SAMPLE_RATE_HZ) / 1000 / FRAME_SAMPLES);
    return Math.max(1, frames) * FRAME_SAMPLES;
  }
}

/** One remote voice of the router, as it arrives; from Opus it is decoded to PCMU. */
export class LinkReceiver implements Port, Source {
  readonly id: string;
  readonly paced = false;
  readonly payloadType: number;
  sinks: readonly Sink[] = [];
  readonly #line: ReceivedLine | OpusLine;

  /** Throws OPUS_UNAVAILABLE. */
  constructor(id: string, track: Track) {
    this.id = id;
    this.payloadType = track.payloadType;
    this.#line = track.codec === 'opus' ? new OpusLine() : new ReceivedLine(track.codec);
  }

  get packets(): number {
    return this.#line.reception.packets;
  }

  /** false: the packet holds no sound of the track's codec. */
  receive(packet: Buffer, header: RtpHeader, nowMs: number): boolean {
    if (this.#line instanceof OpusLine) return this.#line.receive(packet, header, nowMs, this);
    if (this.#line.accept(header)) this.#line.deliver(packet, header, nowMs, this);
    return true;
  }

  /** Idempotent. */
  close(): void {
    this.sinks = [];
    if (this.#line instanceof OpusLine) this.#line.free();
  }
}
