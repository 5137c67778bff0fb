/** A far end under full control: one UDP socket that sends any packet and keeps all that come. */
import { createSocket } from 'node:dgram';
import type { Socket } from 'node:dgram';
import { until } from '../until.ts';
import { eventPayload, readRtp, rtpPacket } from './packets.ts';
import type { ParsedRtp, RtpFields } from './packets.ts';

export class RtpParty {
  /** RTP that came, in order. */
  readonly received: ParsedRtp[] = [];
  /** RTCP that came, as it is. */
  readonly reports: Buffer[] = [];
  readonly port: number;
  ssrc = 0x1000;
  sequence = 100;
  timestamp = 8000;
  payloadType = 0;
  readonly #socket: Socket;
  #targetPort = 0;

  private constructor(socket: Socket) {
    this.#socket = socket;
    this.port = socket.address().port;
    socket.on('message', (packet) => {
      const type = packet[1] ?? 0;
      if (type >= 192 && type <= 223) this.reports.push(packet);
      else this.received.push(readRtp(packet));
    });
  }

  static async open(options: { targetPort?: number } = {}): Promise<RtpParty> {
    const socket = createSocket('udp4');
    await new Promise<void>((resolve, reject) => {
      socket.once('error', reject);
      socket.bind(0, '127.0.0.1', resolve);
    });
    const party = new RtpParty(socket);
    party.#targetPort = options.targetPort ?? 0;
    return party;
  }

  set targetPort(port: number) {
    this.#targetPort = port;
  }

  /** Any bytes, now; resolves when the kernel has them. */
  raw(packet: Uint8Array, port = this.#targetPort): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#socket.send(packet, port, '127.0.0.1', (error) => (error ? reject(error) : resolve()));
    });
  }

  /** The next packet of sound, all of it `value`. */
  async speak(value: number, fields: Partial<RtpFields> = {}): Promise<void> {
    await this.raw(
      rtpPacket({
        payloadType: this.payloadType,
        sequence: this.sequence,
        timestamp: this.timestamp,
        ssrc: this.ssrc,
        payload: new Uint8Array(160).fill(value),
        ...fields,
      }),
    );
    this.sequence++;
    this.timestamp += 160;
  }

  /** A press of 100 ms: five packets and three ends, with or without what phones forget. */
  async press(event: number, options: { marker?: boolean; end?: boolean } = {}): Promise<void> {
    const { marker = true, end = true } = options;
    for (let i = 1; i <= 8; i++) {
      const payload = eventPayload(event, { duration: Math.min(i, 6) * 160, end: end && i >= 6 });
      const sequence = this.sequence++;
      const { timestamp, ssrc } = this;
      await this.raw(
        rtpPacket({ payloadType: 101, sequence, timestamp, ssrc, payload, marker: marker && i === 1 }),
      );
    }
    this.timestamp += 8 * 160;
  }

  /** Waits until so many packets have come in all. */
  heard(packets: number): Promise<void> {
    return until(`${packets} packets`, () => this.received.length >= packets);
  }

  close(): Promise<void> {
    return new Promise((resolve) => this.#socket.close(() => resolve()));
  }
}

/** Throws when what a far end received is not one unbroken line (RFC 4733 events apart). */
export function checkUnbroken(received: readonly ParsedRtp[]): void {
  let sound: ParsedRtp | undefined;
  for (const [i, packet] of received.entries()) {
    const before = received[i - 1];
    if (before !== undefined && packet.ssrc !== before.ssrc) throw new Error(`SSRC changed at ${i}`);
    if (before !== undefined && packet.sequence !== ((before.sequence + 1) & 0xffff)) {
      throw new Error(`sequence jumped at ${i}: ${before.sequence} to ${packet.sequence}`);
    }
    if (packet.payloadType === 101) continue;
    const step = sound === undefined ? 160 : (packet.timestamp - sound.timestamp) >>> 0;
    if (step === 0 || step % 160 !== 0 || step > 8000 * 60)
      throw new Error(`timestamp jumped at ${i}: ${step}`);
    sound = packet;
  }
}
