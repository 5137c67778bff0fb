/** RTP headers, read and written in place (RFC 3550 §5.1). */

export const RTP_HEADER_BYTES = 12;
const VERSION = 2;

/** One header. Made once, filled for every packet: the hot path allocates nothing. */
export class RtpHeader {
  payloadType = 0;
  marker = false;
  sequence = 0;
  timestamp = 0;
  ssrc = 0;
  /** Where the payload stands in the packet: behind CSRCs and extension, before padding. */
  payloadStart = RTP_HEADER_BYTES;
  payloadEnd = RTP_HEADER_BYTES;
}

/**
 * Fills `header` from a packet that may hold anything.
 * false: not RTP (too short, other version, lengths that do not add up); `header` is then undefined.
 */
export function parseRtp(packet: Buffer, header: RtpHeader): boolean {
  const length = packet.length;
  if (length < RTP_HEADER_BYTES) return false;
  const first = packet.readUInt8(0);
  if (first >> 6 !== VERSION) return false;
  let start = RTP_HEADER_BYTES + (first & 0x0f) * 4;
  if ((first & 0x10) !== 0) {
    // Extension: 16 bits of profile, 16 bits of length in words (RFC 3550 §5.3.1).
    if (start + 4 > length) return false;
    start += 4 + packet.readUInt16BE(start + 2) * 4;
  }
  let end = length;
  if ((first & 0x20) !== 0) {
    const padding = packet.readUInt8(length - 1);
    if (padding === 0) return false;
    end -= padding;
  }
  if (start > end) return false;
  const second = packet.readUInt8(1);
  header.marker = (second & 0x80) !== 0;
  header.payloadType = second & 0x7f;
  header.sequence = packet.readUInt16BE(2);
  header.timestamp = packet.readUInt32BE(4);
  header.ssrc = packet.readUInt32BE(8);
  header.payloadStart = start;
  header.payloadEnd = end;
  return true;
}

/** Writes the 12 fixed bytes: no CSRC, no extension, no padding. */
export function writeRtpHeader(packet: Buffer, header: RtpHeader): void {
  packet.writeUInt8(VERSION << 6, 0);
  packet.writeUInt8((header.marker ? 0x80 : 0) | header.payloadType, 1);
  packet.writeUInt16BE(header.sequence, 2);
  packet.writeUInt32BE(header.timestamp, 4);
  packet.writeUInt32BE(header.ssrc, 8);
}

/** Tells RTCP from RTP on one port by its second byte (RFC 5761 §4). */
export function looksLikeRtcp(packet: Buffer): boolean {
  if (packet.length < 8) return false;
  const type = packet.readUInt8(1);
  return type >= 192 && type <= 223;
}
