/** A caller with a voice: one SIP call whose RTP carries what is to be said, and keeps what was heard. */
import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { random16, random32 } from '../src/base/ids.ts';
import { FRAME_MS, FRAME_SAMPLES } from '../src/media/frame.ts';
import { silenceOf } from '../src/media/jitter-buffer.ts';
import { levelOfUlaw, soundsIn, type Heard } from './heard.ts';
import type { SipClient } from './sip-client.ts';

const header_bytes = 12;
const look_every_ms = 5;

export const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

export class SoundCall {
  /** Everything that arrived, in order. */
  readonly heard: Heard[] = [];
  /** How late each packet was sent, by this process's own clock, in ms. */
  readonly lateMs: number[] = [];
  readonly #socket: Socket;
  readonly #sip: SipClient;
  readonly #packet = Buffer.alloc(header_bytes + FRAME_SAMPLES);
  readonly #silence = silenceOf('pcmu');
  #callId = '';
  #target: { address: string; port: number } | null = null;
  #sequence = random16();
  #timestamp = random32();
  #ticker: NodeJS.Timeout | undefined;
  #nextMs = 0;
  #sound: Uint8Array = new Uint8Array(0);
  #soundAt = 0;
  #begun: ((sentMs: number) => void) | null = null;
  /** Told of every packet, for those who cannot look again and again. */
  onHeard: ((one: Heard) => void) | null = null;
  /** When the INVITE left, and when its 200 came. */
  invitedMs = 0;
  answeredMs = 0;

  /** Calls `number`; the call is answered, and sound goes both ways. */
  static async place(sip: SipClient, number: string): Promise<SoundCall> {
    const socket = createSocket('udp4').bind(0, '127.0.0.1');
    await once(socket, 'listening');
    const call = new SoundCall(sip, socket);
    try {
      await call.#invite(number);
    } catch (error) {
      socket.close();
      throw error;
    }
    return call;
  }

  /** The SIP Call-ID. */
  get callId(): string {
    return this.#callId;
  }

  private constructor(sip: SipClient, socket: Socket) {
    this.#sip = sip;
    this.#socket = socket;
    this.#packet[0] = 0x80;
    this.#packet.writeUInt32BE(random32(), 8);
    socket.on('message', (packet) => this.#arrived(packet));
  }

  async #invite(number: string): Promise<void> {
    this.invitedMs = performance.now();
    const { callId, answered } = await this.#sip.invite(number, this.#socket.address().port);
    this.answeredMs = performance.now();
    this.#callId = callId;
    this.#target = { address: answered.rtpAddress, port: answered.rtpPort };
    this.#nextMs = performance.now();
    this.#ticker = setInterval(() => this.#catchUp(), look_every_ms);
  }

  /** Says it from the next packet on; resolves when that packet is sent, with when that was. */
  say(sound: Uint8Array): Promise<number> {
    this.#sound = sound;
    this.#soundAt = 0;
    return new Promise((resolve) => (this.#begun = resolve));
  }

  /** Resolves when something is heard after `fromMs`, with when; null when nothing is in good time. */
  async hears(fromMs: number, patienceMs: number): Promise<number | null> {
    const endMs = performance.now() + patienceMs;
    while (performance.now() < endMs) {
      const [first] = soundsIn(this.heard, { fromMs, toMs: Infinity });
      if (first !== undefined) return first.atMs;
      await pause(look_every_ms);
    }
    return null;
  }

  /** Resolves when nothing has been heard for `ms`; false when there was no end of it. */
  async falls(ms: number, patienceMs: number): Promise<boolean> {
    const endMs = performance.now() + patienceMs;
    while (performance.now() < endMs) {
      const nowMs = performance.now();
      if (
        soundsIn(this.heard.slice(-Math.ceil(ms / FRAME_MS) - 5), { fromMs: nowMs - ms, toMs: nowMs })
          .length === 0
      )
        return true;
      await pause(FRAME_MS);
    }
    return false;
  }

  async hangUp(): Promise<void> {
    clearInterval(this.#ticker);
    await this.#sip.bye(this.#callId);
    this.#socket.close();
  }

  #catchUp(): void {
    const nowMs = performance.now();
    while (this.#nextMs <= nowMs) {
      this.lateMs.push(nowMs - this.#nextMs);
      this.#nextMs += FRAME_MS;
      this.#send();
    }
  }

  #send(): void {
    if (this.#target === null) return;
    this.#packet.writeUInt16BE(this.#sequence, 2);
    this.#packet.writeUInt32BE(this.#timestamp, 4);
    this.#packet.set(this.#silence, header_bytes);
    const next = this.#sound.subarray(this.#soundAt, this.#soundAt + FRAME_SAMPLES);
    this.#packet.set(next, header_bytes);
    this.#soundAt += next.length;
    this.#sequence = (this.#sequence + 1) & 0xffff;
    this.#timestamp = (this.#timestamp + FRAME_SAMPLES) >>> 0;
    // A copy: what is sent later in this turn must not be sent in its place.
    this.#socket.send(Buffer.from(this.#packet), this.#target.port, this.#target.address);
    if (next.length === 0) return;
    this.#begun?.(performance.now());
    this.#begun = null;
  }

  #arrived(packet: Buffer): void {
    if (packet.length <= header_bytes) return;
    const one = {
      atMs: performance.now(),
      levelDbfs: levelOfUlaw(packet.subarray(header_bytes)),
      sequence: packet.readUInt16BE(2),
    };
    this.heard.push(one);
    this.onHeard?.(one);
  }
}
