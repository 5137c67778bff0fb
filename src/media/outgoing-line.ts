import { random16, random32 } from '../base/ids.ts';
import type { RtpHeader } from './rtp.ts';

/**
 * One RTP line as a receiver sees it: one SSRC for life, contiguous sequence numbers,
 * timestamps that follow time whether or not anything is sent (RFC 3550 §5.1).
 */
export class OutgoingLine {
  readonly ssrc: number;
  /** Sequence number of the first packet: what a receiver counts its expectation from. */
  readonly firstSequence = random16();
  packets = 0;
  bytes = 0;
  #sequence = this.firstSequence;
  #timestamp = random32();

  constructor(ssrc: number = random32()) {
    this.ssrc = ssrc;
  }

  /** Moves on by so many samples. */
  advance(samples: number): void {
    this.#timestamp = (this.#timestamp + samples) >>> 0;
  }

  /** RTP clock of the present moment of the line. */
  get timestamp(): number {
    return this.#timestamp;
  }

  /**
   * Puts the next sequence number into `header` and counts the packet.
   * `timestamp`: another one than now (RFC 4733).
   */
  stamp(header: RtpHeader, payloadBytes: number, timestamp: number = this.#timestamp): void {
    header.ssrc = this.ssrc;
    header.sequence = this.#sequence;
    header.timestamp = timestamp;
    this.#sequence = (this.#sequence + 1) & 0xffff;
    this.packets++;
    this.bytes += payloadBytes;
  }
}
