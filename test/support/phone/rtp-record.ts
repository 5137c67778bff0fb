/** Every packet that a phone received, and what a caller would say about the line. */

export interface ReceivedPacket {
  /** On the phone's clock, in ms since the phone opened its socket. */
  readonly arrivalMs: number;
  readonly sequence: number;
  readonly timestamp: number;
  readonly ssrc: number;
  readonly payloadType: number;
  readonly marker: boolean;
  readonly payload: Uint8Array;
}

/** Ten minutes of 20 ms packets. */
const packets_kept_max = 30_000;

export class RtpRecord {
  readonly packets: ReceivedPacket[] = [];
  /** Packets beyond the limit: counted, not kept. */
  beyondLimit = 0;

  add(packet: ReceivedPacket): void {
    if (this.packets.length < packets_kept_max) this.packets.push(packet);
    else this.beyondLimit += 1;
  }

  get last(): ReceivedPacket | undefined {
    return this.packets.at(-1);
  }
}

export interface Pause {
  /** Between the arrivals of the packets on both sides of it. */
  readonly arrivalMs: number;
  /** Between their timestamps. */
  readonly timestampMs: number;
}

export interface Continuity {
  readonly packets: number;
  /** One for the life of a leg. */
  readonly ssrcs: number[];
  /** Steps other than +1: lost, repeated or reordered packets. */
  readonly sequenceJumps: number;
  /** Steps of the sound's timestamp other than one packet of 20 ms at 8 kHz. */
  readonly timestampJumps: number;
  readonly longestGapMs: number;
  /** Where a stretch ended and another began with a marker bit (RFC 3551 §4.1), as after a hold. */
  readonly pauses: readonly Pause[];
  /** `packet 412: sequence 17 after 15`, at most ten. */
  readonly remarks: string[];
}

const samples_per_packet = 160;
const samples_per_ms = 8;
const remarks_max = 10;

/**
 * Judges the line as RFC 3550 §5.1 wants it: one SSRC, sequence +1, timestamp +160, no gap in time.
 * A packet with a marker bit begins a new stretch: it is a pause, whose length the caller of this judges.
 */
export function continuity(packets: readonly ReceivedPacket[]): Continuity {
  let sequenceJumps = 0;
  let timestampJumps = 0;
  let longestGapMs = 0;
  const pauses: Pause[] = [];
  const remarks: string[] = [];
  const remark = (index: number, text: string): void => {
    if (remarks.length < remarks_max) remarks.push(`packet ${index}: ${text}`);
  };
  for (let i = 1; i < packets.length; i += 1) {
    const [before, now] = [packets[i - 1], packets[i]];
    if (before === undefined || now === undefined) break;
    const sequenceStep = (now.sequence - before.sequence) & 0xffff;
    if (sequenceStep !== 1) {
      sequenceJumps += 1;
      remark(i, `sequence ${now.sequence} after ${before.sequence}`);
    }
    const timestampStep = (now.timestamp - before.timestamp) >>> 0;
    const gapMs = now.arrivalMs - before.arrivalMs;
    if (now.marker) {
      pauses.push({ arrivalMs: gapMs, timestampMs: timestampStep / samples_per_ms });
      continue;
    }
    if (timestampStep !== samples_per_packet) {
      timestampJumps += 1;
      remark(i, `timestamp step ${timestampStep}`);
    }
    if (gapMs > 40) remark(i, `${Math.round(gapMs)} ms after the one before`);
    longestGapMs = Math.max(longestGapMs, gapMs);
  }
  const ssrcs = [...new Set(packets.map((packet) => packet.ssrc))];
  return { packets: packets.length, ssrcs, sequenceJumps, timestampJumps, longestGapMs, pauses, remarks };
}
