import { at } from '../base/at.ts';
import { DtmfSender } from './dtmf-sender.ts';
import { DtmfTones } from './dtmf-tones.ts';
import { FRAME_SAMPLES } from './frame.ts';
import { G711 } from './g711.ts';
import { Mixer } from './mixer.ts';
import { OutgoingLine } from './outgoing-line.ts';
import { RTP_HEADER_BYTES, RtpHeader, writeRtpHeader } from './rtp.ts';

/** A packet may wait in the kernel's hands while the next ones are written. */
const PACKETS = 4;
const EVENT_BYTES = 4;

export interface StreamFormat {
  readonly payloadType: number;
  readonly telephoneEventPayloadType: number | null;
}

/**
 * What the far end hears: one packet per tick, whatever happens inside. Sound, or a key we press, or silence;
 * always the same SSRC, the next sequence number, and the timestamp of its moment.
 */
export class CallerStream {
  readonly mixer = new Mixer('pcmu');
  readonly line = new OutgoingLine();
  readonly #events = new DtmfSender();
  readonly #tones = new DtmfTones();
  readonly #header = new RtpHeader();
  readonly #packets = Array.from({ length: PACKETS }, () => {
    const sound = Buffer.alloc(RTP_HEADER_BYTES + FRAME_SAMPLES);
    return { sound, event: sound.subarray(0, RTP_HEADER_BYTES + EVENT_BYTES) };
  });
  #packet = 0;
  #lastTick: number | null = null;
  /** The next packet of sound is the first after a pause. */
  #paused = true;

  /** false: too many digits wait already. Without a negotiated event type they go out as tones. */
  press(digits: string, timing: { toneMs: number; gapMs: number }, asEvents: boolean): boolean {
    return asEvents ? this.#events.enqueue(digits, timing) : this.#tones.enqueue(digits, timing);
  }

  /**
   * Moves on to `tick`. The packet to send, or null while `format` is null:
   * then sound that comes meanwhile is lost,
   * as it should be, and the timestamp goes on with time.
   */
  next(tick: number, format: StreamFormat | null): Buffer | null {
    if (this.#lastTick !== null) this.line.advance((tick - this.#lastTick) * FRAME_SAMPLES);
    this.#lastTick = tick;
    const sound = this.mixer.read();
    if (format === null) {
      this.#paused = true;
      return null;
    }
    this.#packet = (this.#packet + 1) % PACKETS;
    if (format.telephoneEventPayloadType !== null && this.#events.step(this.line.timestamp)) {
      return this.#writeEvent(format.telephoneEventPayloadType);
    }
    return this.#writeSound(format.payloadType, this.#tones.step(this.mixer.codec) ?? sound);
  }

  #writeSound(payloadType: number, payload: Uint8Array | null): Buffer {
    const packet = at(this.#packets, this.#packet).sound;
    this.#header.payloadType = payloadType;
    this.#header.marker = this.#paused;
    this.#paused = false;
    this.line.stamp(this.#header, FRAME_SAMPLES);
    writeRtpHeader(packet, this.#header);
    if (payload === null) packet.fill(G711[this.mixer.codec].silence, RTP_HEADER_BYTES);
    else packet.set(payload, RTP_HEADER_BYTES);
    return packet;
  }

  #writeEvent(payloadType: number): Buffer {
    const packet = at(this.#packets, this.#packet).event;
    this.#header.payloadType = payloadType;
    this.#header.marker = this.#events.marker;
    this.line.stamp(this.#header, EVENT_BYTES, this.#events.timestamp);
    writeRtpHeader(packet, this.#header);
    packet.set(this.#events.payload, RTP_HEADER_BYTES);
    return packet;
  }
}
