/**
 * The sound side of a phone: one UDP socket, 20 ms packets at an even pace, everything received kept.
 * It can misbehave on purpose, as real phones do: change its SSRC, move to another port, fall silent,
 * press keys without a marker or an end bit.
 */
import dgram from 'node:dgram';
import { once } from 'node:events';
import { random16, random32 } from '../../../src/base/ids.ts';
import type { Codec } from '../../../src/media/frame.ts';
import { decode, encode } from '../../../src/media/g711.ts';
import { RTP_HEADER_BYTES, RtpHeader, parseRtp, writeRtpHeader } from '../../../src/media/rtp.ts';
import { RtpRecord, type ReceivedPacket } from './rtp-record.ts';

export const PAYLOAD_TYPE_OF = { pcmu: 0, pcma: 8 } as const satisfies Record<Codec, number>;
export const TELEPHONE_EVENT_PAYLOAD_TYPE = 101;

const packet_samples = 160;
const packet_ms = 20;
/** Packets sent at once after the event loop was held up; older ones are skipped, as a phone would. */
const catch_up_packets_max = 10;
const digits = '0123456789*#ABCD';

export interface Address {
  readonly address: string;
  readonly port: number;
}

export interface PressOptions {
  readonly toneMs?: number;
  readonly gapMs?: number;
  /** First packet carries the marker bit (RFC 4733 §2.5.1.2). Some phones forget it. */
  readonly marker?: boolean;
  /** The last packets carry the end bit. Some phones never send it. */
  readonly endBit?: boolean;
}

interface Waiting {
  readonly packets: OutgoingPacket[];
  readonly sent: () => void;
}

type OutgoingPacket =
  | { readonly kind: 'sound'; readonly samples: Int16Array }
  | { readonly kind: 'event'; readonly bytes: Buffer; readonly marker: boolean; readonly first: boolean };

export class RtpEndpoint {
  readonly received = new RtpRecord();
  readonly openedMs = performance.now();
  /** Asked for every packet, in order. */
  onPacket: ((packet: ReceivedPacket) => void) | undefined;
  /** Told every packet of sound that was sent, silence included. */
  onSent: ((samples: Int16Array) => void) | undefined;
  readonly #codec: Codec;
  #socket: dgram.Socket;
  #target: Address | undefined;
  #source: Address | undefined;
  #timer: NodeJS.Timeout | undefined;
  #dueMs = 0;
  #waiting: Waiting[] = [];
  readonly #header = new RtpHeader();
  readonly #parsed = new RtpHeader();
  #eventTimestamp = 0;
  #muted = false;

  private constructor(socket: dgram.Socket, codec: Codec) {
    this.#socket = socket;
    this.#codec = codec;
    this.#header.ssrc = random32();
    this.#header.sequence = random16();
    this.#header.timestamp = random32();
    this.#listen(socket);
  }

  static async open(codec: Codec, at: Address = { address: '127.0.0.1', port: 0 }): Promise<RtpEndpoint> {
    return new RtpEndpoint(await bound(at), codec);
  }

  get port(): number {
    return this.#socket.address().port;
  }

  get ssrc(): number {
    return this.#header.ssrc;
  }

  get sendsTo(): Address | undefined {
    return this.#target;
  }

  /** Where the last packet came from. */
  get source(): Address {
    if (this.#source === undefined) throw new Error('nothing was received yet');
    return this.#source;
  }

  /** Where packets go from now on; the first call starts the stream. */
  sendTo(target: Address): void {
    this.#target = target;
    if (this.#timer === undefined) {
      this.#dueMs = performance.now();
      this.#run();
    }
  }

  /** Resolves when the last packet of it has been sent; what waits already comes first. */
  play(samples: Int16Array): Promise<void> {
    const packets: OutgoingPacket[] = [];
    for (let start = 0; start < samples.length; start += packet_samples) {
      const part = new Int16Array(packet_samples);
      part.set(samples.subarray(start, start + packet_samples));
      packets.push({ kind: 'sound', samples: part });
    }
    return this.#enqueue(packets);
  }

  /** Presses keys one after the other (RFC 4733 §2.5). */
  async press(keys: string, options: PressOptions = {}): Promise<void> {
    const { toneMs = 100, gapMs = 100, marker = true, endBit = true } = options;
    for (const key of keys) {
      await this.#enqueue([
        ...eventPackets(digits.indexOf(key), { toneMs, marker, endBit }),
        ...Array.from({ length: Math.ceil(gapMs / packet_ms) }, silentPacket),
      ]);
    }
  }

  /** A new SSRC, sequence and timestamp from the next packet on, as after a hand-over inside the carrier. */
  changeSsrc(): void {
    this.#header.ssrc = random32();
    this.#header.sequence = random16();
    this.#header.timestamp = random32();
  }

  /** Sends (and listens) on a new port from the next packet on. */
  async moveToNewPort(): Promise<void> {
    const old = this.#socket;
    const next = await bound({ address: old.address().address, port: 0 });
    this.#listen(next);
    this.#socket = next;
    old.close();
  }

  /** Stops sending altogether; time goes on. */
  set muted(muted: boolean) {
    this.#muted = muted;
  }

  close(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#target = undefined;
    for (const { sent } of this.#waiting.splice(0)) sent();
    this.#socket.close();
  }

  #enqueue(packets: OutgoingPacket[]): Promise<void> {
    return new Promise((resolve) => {
      this.#waiting.push({ packets, sent: resolve });
    });
  }

  #listen(socket: dgram.Socket): void {
    socket.on('message', (bytes, { address, port }) => {
      if (this.#take(bytes)) this.#source = { address, port };
    });
    // An ICMP "port unreachable" after the other side hung up is no failure of the phone.
    socket.on('error', () => undefined);
  }

  #take(bytes: Buffer): boolean {
    const header = this.#parsed;
    if (!parseRtp(bytes, header)) return false;
    const packet: ReceivedPacket = {
      arrivalMs: performance.now() - this.openedMs,
      sequence: header.sequence,
      timestamp: header.timestamp,
      ssrc: header.ssrc,
      payloadType: header.payloadType,
      marker: header.marker,
      payload: new Uint8Array(bytes.subarray(header.payloadStart, header.payloadEnd)),
    };
    this.received.add(packet);
    this.onPacket?.(packet);
    return true;
  }

  #run(): void {
    const now = performance.now();
    if (now - this.#dueMs > catch_up_packets_max * packet_ms) this.#dueMs = now;
    while (this.#dueMs <= now) {
      this.#sendNext();
      this.#dueMs += packet_ms;
    }
    this.#timer = setTimeout(() => this.#run(), Math.max(1, this.#dueMs - performance.now()));
  }

  #sendNext(): void {
    const current = this.#waiting[0];
    const packet = current?.packets.shift() ?? silentPacket();
    if (packet.kind === 'sound') {
      this.#send(this.#encoded(packet.samples), PAYLOAD_TYPE_OF[this.#codec]);
      this.onSent?.(packet.samples);
    } else {
      if (packet.first) this.#eventTimestamp = this.#header.timestamp;
      this.#send(packet.bytes, TELEPHONE_EVENT_PAYLOAD_TYPE, packet.marker, this.#eventTimestamp);
      this.onSent?.(new Int16Array(packet_samples));
    }
    this.#header.timestamp = (this.#header.timestamp + packet_samples) >>> 0;
    if (current?.packets.length === 0) {
      this.#waiting.shift();
      current.sent();
    }
  }

  #encoded(samples: Int16Array): Buffer {
    const bytes = Buffer.alloc(samples.length);
    encode(this.#codec, samples, bytes);
    return bytes;
  }

  #send(payload: Buffer, payloadType: number, marker = false, timestamp = this.#header.timestamp): void {
    if (this.#muted || this.#target === undefined) return;
    const header = Object.assign(new RtpHeader(), this.#header, { payloadType, marker, timestamp });
    this.#header.sequence = (this.#header.sequence + 1) & 0xffff;
    const packet = Buffer.alloc(RTP_HEADER_BYTES + payload.length);
    writeRtpHeader(packet, header);
    payload.copy(packet, RTP_HEADER_BYTES);
    this.#socket.send(packet, this.#target.port, this.#target.address);
  }
}

/** The samples of a packet, or none when it carries no sound of this codec. */
export function soundOf(packet: ReceivedPacket, codec: Codec): Int16Array {
  if (packet.payloadType !== PAYLOAD_TYPE_OF[codec]) return new Int16Array(0);
  const samples = new Int16Array(packet.payload.length);
  decode(codec, packet.payload, samples);
  return samples;
}

function silentPacket(): OutgoingPacket {
  return { kind: 'sound', samples: new Int16Array(packet_samples) };
}

function eventPackets(
  event: number,
  { toneMs, marker, endBit }: Required<Omit<PressOptions, 'gapMs'>>,
): OutgoingPacket[] {
  if (event < 0) throw new Error('a key that no telephone has');
  const updates = Math.max(1, Math.round(toneMs / packet_ms));
  const ends = endBit ? 3 : 0;
  return Array.from({ length: updates + ends }, (_, index) => {
    const bytes = Buffer.alloc(4);
    bytes.writeUInt8(event, 0);
    bytes.writeUInt8((index >= updates ? 0x80 : 0) | 10, 1);
    bytes.writeUInt16BE(Math.min(index + 1, updates) * packet_samples, 2);
    return { kind: 'event', bytes, marker: marker && index === 0, first: index === 0 };
  });
}

async function bound({ address, port }: Address): Promise<dgram.Socket> {
  const socket = dgram.createSocket('udp4');
  socket.bind(port, address);
  await once(socket, 'listening');
  return socket;
}
