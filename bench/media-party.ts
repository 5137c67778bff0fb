/**
 * A browser's or phone's sound without the browser or phone: real RTP on a real socket, the same packets over
 * and over, and an account of what comes back.
 */
import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { random16, random32 } from '../src/base/ids.ts';
import { FRAME_SAMPLES } from '../src/media/frame.ts';
import { encode } from '../src/media/g711.ts';
import { OpusEncoder } from '../src/media/opus.ts';

const header_bytes = 12;
const receive_buffer_bytes = 4 << 20;
/** Packets that are made before they are sent over and over: one second. */
const packets_made = 50;
/** Sound that costs what speech costs, and is none: noise below every voice activity detector's gate. */
const noise_peak = 60;

export type PartyCodec = 'opus' | 'pcmu';

/** As the far end must know them (RTP/AVP). */
export const PARTY_FORMAT = {
  opus: { mimeType: 'audio/opus', payloadType: 111, clockRate: 48_000, channels: 2, steps: 960 },
  pcmu: { mimeType: 'audio/PCMU', payloadType: 0, clockRate: 8000, channels: 1, steps: 160 },
} as const;

/** One second of faint noise in packets of 20 ms. */
export function noise(codec: PartyCodec): Uint8Array[] {
  const opus = codec === 'opus' ? new OpusEncoder() : undefined;
  const packets = Array.from({ length: packets_made }, () => {
    const samples = Int16Array.from({ length: FRAME_SAMPLES }, () => (Math.random() * 2 - 1) * noise_peak);
    const packet = new Uint8Array(FRAME_SAMPLES);
    if (opus !== undefined) return packet.slice(0, opus.encode(samples, packet));
    encode('pcmu', samples, packet);
    return packet;
  });
  opus?.free();
  return packets;
}

/** Missing and received packets of every stream (SSRC) that comes to a socket. */
export class Account {
  received = 0;
  missing = 0;
  readonly #last = new Map<number, number>();

  take(ssrc: number, sequence: number): void {
    const last = this.#last.get(ssrc);
    const step = last === undefined ? 1 : (sequence - last) & 0xffff;
    this.received += 1;
    // Older than the last one: it was counted as missing, and is not.
    if (step >= 0x8000) this.missing -= 1;
    else {
      this.missing += Math.max(0, step - 1);
      this.#last.set(ssrc, sequence);
    }
  }

  /** Counts anew; where each stream stands is kept. */
  reset(): void {
    this.received = 0;
    this.missing = 0;
  }
}

export class MediaParty {
  readonly ssrc = random32();
  readonly account = new Account();
  readonly #socket: Socket;
  readonly #packets: readonly Buffer[];
  readonly #steps: number;
  #targetPort: number | undefined;
  #sequence = random16();
  #timestamp = random32();

  private constructor(socket: Socket, codec: PartyCodec, payloads: readonly Uint8Array[]) {
    const { payloadType, steps } = PARTY_FORMAT[codec];
    this.#socket = socket;
    this.#steps = steps;
    this.#packets = payloads.map((payload) => {
      const packet = Buffer.alloc(header_bytes + payload.length);
      packet.writeUInt8(0x80, 0);
      packet.writeUInt8(payloadType, 1);
      packet.writeUInt32BE(this.ssrc, 8);
      packet.set(payload, header_bytes);
      return packet;
    });
    socket.on('message', (packet) => {
      const type = packet.readUInt8(1) & 0x7f;
      // RTCP shares the port (RFC 5761 §4).
      if (packet.length < header_bytes || (type >= 64 && type <= 95)) return;
      this.account.take(packet.readUInt32BE(8), packet.readUInt16BE(2));
    });
  }

  static async open(codec: PartyCodec, payloads: readonly Uint8Array[]): Promise<MediaParty> {
    const socket = createSocket({
      type: 'udp4',
      recvBufferSize: receive_buffer_bytes,
      // Sent in this turn, before the same packet is stamped again.
      lookup: (address, _options, found) => found(null, address, 4),
    });
    const listening = once(socket, 'listening');
    socket.bind(0, '127.0.0.1');
    await listening;
    return new MediaParty(socket, codec, payloads);
  }

  get port(): number {
    return this.#socket.address().port;
  }

  /** Sends there from the next tick on. */
  sendTo(port: number): void {
    this.#targetPort = port;
  }

  tick(): void {
    const packet = this.#packets[this.#sequence % this.#packets.length];
    if (this.#targetPort === undefined || packet === undefined) return;
    packet.writeUInt16BE(this.#sequence, 2);
    packet.writeUInt32BE(this.#timestamp, 4);
    this.#sequence = (this.#sequence + 1) & 0xffff;
    this.#timestamp = (this.#timestamp + this.#steps) >>> 0;
    this.#socket.send(packet, this.#targetPort, '127.0.0.1');
  }

  close(): void {
    this.#targetPort = undefined;
    this.#socket.close();
  }
}

/** Packets that the kernel threw away because nobody read these local ports in time (`/proc/net/udp`). */
export function dropsOf(ports: readonly number[], table = readFileSync('/proc/net/udp', 'utf8')): number {
  let drops = 0;
  for (const line of table.split('\n').slice(1)) {
    const fields = line.trim().split(/\s+/);
    const port = Number.parseInt(fields[1]?.split(':')[1] ?? '', 16);
    if (ports.includes(port)) drops += Number(fields.at(-1));
  }
  return drops;
}
