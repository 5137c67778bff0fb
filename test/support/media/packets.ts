/** RTP packets as tests write and read them. */
import { parseRtp, RTP_HEADER_BYTES, RtpHeader, writeRtpHeader } from '../../../src/media/rtp.ts';

export interface RtpFields {
  readonly payloadType?: number;
  readonly marker?: boolean;
  readonly sequence: number;
  readonly timestamp: number;
  readonly ssrc: number;
  readonly payload?: Uint8Array;
}

export interface ParsedRtp extends Required<RtpFields> {
  readonly arrivedMs: number;
}

export function rtpPacket(fields: RtpFields): Buffer {
  const payload = fields.payload ?? new Uint8Array(160).fill(0x55);
  const packet = Buffer.alloc(RTP_HEADER_BYTES + payload.length);
  const header = new RtpHeader();
  header.payloadType = fields.payloadType ?? 0;
  header.marker = fields.marker ?? false;
  header.sequence = fields.sequence & 0xffff;
  header.timestamp = fields.timestamp >>> 0;
  header.ssrc = fields.ssrc;
  writeRtpHeader(packet, header);
  packet.set(payload, RTP_HEADER_BYTES);
  return packet;
}

/** Throws for what is no RTP. */
export function readRtp(packet: Buffer): ParsedRtp {
  const header = new RtpHeader();
  if (!parseRtp(packet, header)) throw new Error('not RTP');
  return {
    payloadType: header.payloadType,
    marker: header.marker,
    sequence: header.sequence,
    timestamp: header.timestamp,
    ssrc: header.ssrc,
    payload: Uint8Array.from(packet.subarray(header.payloadStart, header.payloadEnd)),
    arrivedMs: performance.now(),
  };
}

/** RFC 4733 payload. */
export function eventPayload(event: number, options: { end?: boolean; duration: number }): Uint8Array {
  const { duration } = options;
  return Uint8Array.of(event, (options.end === true ? 0x80 : 0) | 10, duration >> 8, duration & 0xff);
}
