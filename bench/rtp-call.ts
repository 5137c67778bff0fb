/** The sound of one generated call: 20 ms of u-law out on each tick, arrivals and probes timed. */
import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { random16, random32 } from '../src/base/ids.ts';
import { FRAME_MS, FRAME_SAMPLES } from '../src/media/frame.ts';
import { silenceOf } from '../src/media/jitter-buffer.ts';
import { Tone } from '../src/media/tone.ts';

const header_bytes = 12;
/** A probe that has not come back by then counts as lost. */
const probe_lost_ms = 3000;
/** u-law bytes of silence and of faint sound have the upper bits of their magnitude set. */
const loud_below = 0x60;
/** Bytes of a packet that must be loud: the ducked voice still passes, line noise does not. */
const loud_bytes_min = 20;

export interface Timings {
  readonly jitterMs: number[];
  readonly delayMs: number[];
  probesLost: number;
  packetsSent: number;
  packetsReceived: number;
  packetsMissing: number;
  packetsRepeated: number;
}

export class RtpCall {
  readonly port: number;
  readonly #socket: Socket;
  readonly #timings: Timings;
  readonly #probeEveryMs: number;
  readonly #packet: Buffer;
  readonly #silence: Uint8Array;
  readonly #probe: Uint8Array;
  #target: { address: string; port: number } | null = null;
  #sequence = random16();
  #timestamp = random32();
  #probing = false;
  #probeSentMs = 0;
  #probeTickMs = 0;
  #nextProbeMs = 0;
  #lastArrivalMs: number | null = null;
  #lastSequence = -1;

  static async open(timings: Timings, probeEveryMs: number): Promise<RtpCall> {
    const socket = createSocket({
      type: 'udp4',
      recvBufferSize: 1 << 20,
      // Without a lookup that answers at once, Node sends after this turn: a packet that is made up for in
      // the same turn would have overwritten this one by then.
      lookup: (address, _options, found) => found(null, address, 4),
    });
    const listening = once(socket, 'listening');
    socket.bind(0, '127.0.0.1');
    await listening;
    return new RtpCall(socket, timings, probeEveryMs);
  }

  constructor(socket: Socket, timings: Timings, probeEveryMs: number) {
    this.#socket = socket;
    this.#timings = timings;
    this.#probeEveryMs = probeEveryMs;
    this.port = socket.address().port;
    this.#silence = silenceOf('pcmu');
    this.#probe = new Uint8Array(FRAME_SAMPLES);
    new Tone([1000], -6).fill('pcmu', this.#probe);
    this.#packet = Buffer.alloc(header_bytes + FRAME_SAMPLES);
    this.#packet[0] = 0x80;
    this.#packet.writeUInt32BE(random32(), 8);
    // A port that another call had a moment ago still gets that call's last packets.
    socket.on('message', (packet, from) => {
      if (from.port === this.#target?.port) this.#arrived(packet);
    });
  }

  /**
   * Starts sending on the next tick. The first probe comes at a random moment, so that calls do not probe
   * together.
   */
  settle(address: string, port: number): void {
    this.#target = { address, port };
    this.#nextProbeMs = performance.now() + this.#probeEveryMs * (1 + Math.random());
  }

  tick(nowMs: number): void {
    if (this.#target === null) return;
    const packet = this.#packet;
    packet.writeUInt16BE(this.#sequence, 2);
    packet.writeUInt32BE(this.#timestamp, 4);
    const probe = !this.#probing && nowMs >= this.#nextProbeMs;
    packet.set(probe ? this.#probe : this.#silence, header_bytes);
    this.#sequence = (this.#sequence + 1) & 0xffff;
    this.#timestamp = (this.#timestamp + FRAME_SAMPLES) >>> 0;
    this.#timings.packetsSent += 1;
    if (probe) {
      this.#probing = true;
      this.#probeTickMs = nowMs;
      this.#probeSentMs = performance.now();
    } else if (this.#probing && nowMs - this.#probeTickMs > probe_lost_ms) {
      this.#timings.probesLost += 1;
      this.#endProbe(nowMs);
    }
    this.#socket.send(packet, this.#target.port, this.#target.address);
  }

  #arrived(packet: Buffer): void {
    const nowMs = performance.now();
    const timings = this.#timings;
    timings.packetsReceived += 1;
    const sequence = packet.readUInt16BE(2);
    if (this.#lastArrivalMs !== null && this.#lastSequence >= 0) {
      const step = (sequence - this.#lastSequence) & 0xffff;
      if (step === 0 || step >= 0x8000) {
        timings.packetsRepeated += 1;
        return;
      }
      timings.packetsMissing += step - 1;
      timings.jitterMs.push(Math.abs(nowMs - this.#lastArrivalMs - FRAME_MS * step));
    }
    this.#lastArrivalMs = nowMs;
    this.#lastSequence = sequence;
    if (!this.#probing || !isLoud(packet)) return;
    timings.delayMs.push(nowMs - this.#probeSentMs);
    this.#endProbe(nowMs);
  }

  #endProbe(nowMs: number): void {
    this.#probing = false;
    this.#nextProbeMs = nowMs + this.#probeEveryMs;
  }

  close(): void {
    this.#target = null;
    this.#socket.close();
  }
}

/** Does an RTP packet of u-law hold sound that one can hear? */
export function isLoud(packet: Uint8Array): boolean {
  let loud = 0;
  for (let at = header_bytes; at < packet.length; at += 1)
    if (((packet[at] ?? 0xff) & 0x7f) < loud_below) loud += 1;
  return loud >= loud_bytes_min;
}
