/** RTCP compound packets: SR, RR, SDES and BYE (RFC 3550 §6). Once in seconds, so plain objects. */

const VERSION = 2;
const TYPE_SR = 200;
const TYPE_RR = 201;
const TYPE_SDES = 202;
const TYPE_BYE = 203;
const SDES_CNAME = 1;
const REPORT_BYTES = 24;
/** Room for SR + one report block + SDES + BYE with the longest CNAME. */
export const RTCP_BYTES_MAX = 512;

/** What a receiver says of one sender (RFC 3550 §6.4.1). */
export interface ReportBlock {
  readonly ssrc: number;
  /** Lost since the last report, 0 to 255 of 256. */
  readonly fractionLost: number;
  /** 24 bits, signed: duplicates can make it negative. */
  readonly cumulativeLost: number;
  /** Sequence number with the count of cycles above it, 32 bits. */
  readonly highestSequence: number;
  /** In units of the RTP clock. */
  readonly jitter: number;
  /** Middle 32 bits of the NTP time of the last SR; 0 when there was none. */
  readonly lastSr: number;
  /** In 1/65536 s. */
  readonly delaySinceLastSr: number;
}

/** What a sender says of itself. */
export interface SenderInfo {
  readonly ntpSeconds: number;
  readonly ntpFraction: number;
  readonly rtpTimestamp: number;
  readonly packets: number;
  readonly bytes: number;
}

export type RtcpPacket =
  | {
      readonly type: 'sr';
      readonly ssrc: number;
      readonly sender: SenderInfo;
      readonly reports: ReportBlock[];
    }
  | { readonly type: 'rr'; readonly ssrc: number; readonly reports: ReportBlock[] }
  | { readonly type: 'sdes'; readonly cnames: { readonly ssrc: number; readonly cname: string }[] }
  | { readonly type: 'bye'; readonly ssrcs: number[] };

/**
 * Reads a compound packet with the checks of RFC 3550 appendix A.2; unknown packet types are skipped.
 * null: not RTCP, or lengths that do not add up.
 */
export function parseRtcp(packet: Buffer): RtcpPacket[] | null {
  if (packet.length < 8 || packet.length % 4 !== 0) return null;
  const first = packet.readUInt8(1);
  if (first !== TYPE_SR && first !== TYPE_RR) return null;
  const found: RtcpPacket[] = [];
  let start = 0;
  while (start < packet.length) {
    if (start + 4 > packet.length) return null;
    const head = packet.readUInt8(start);
    if (head >> 6 !== VERSION) return null;
    const end = start + 4 + packet.readUInt16BE(start + 2) * 4;
    if (end > packet.length) return null;
    // Padding stands in the last packet of a compound only.
    if ((head & 0x20) !== 0 && end !== packet.length) return null;
    const part = parsePart(packet.subarray(start, end), packet.readUInt8(start + 1), head & 0x1f);
    if (part === null) return null;
    if (part !== 'unknown') found.push(part);
    start = end;
  }
  return found;
}

function parsePart(part: Buffer, type: number, count: number): RtcpPacket | 'unknown' | null {
  switch (type) {
    case TYPE_SR: {
      if (part.length < 28 + count * REPORT_BYTES) return null;
      const sender = {
        ntpSeconds: part.readUInt32BE(8),
        ntpFraction: part.readUInt32BE(12),
        rtpTimestamp: part.readUInt32BE(16),
        packets: part.readUInt32BE(20),
        bytes: part.readUInt32BE(24),
      };
      return { type: 'sr', ssrc: part.readUInt32BE(4), sender, reports: parseReports(part, 28, count) };
    }
    case TYPE_RR:
      if (part.length < 8 + count * REPORT_BYTES) return null;
      return { type: 'rr', ssrc: part.readUInt32BE(4), reports: parseReports(part, 8, count) };
    case TYPE_SDES:
      return parseSdes(part, count);
    case TYPE_BYE: {
      if (part.length < 4 + count * 4) return null;
      return { type: 'bye', ssrcs: Array.from({ length: count }, (_, i) => part.readUInt32BE(4 + i * 4)) };
    }
    default:
      return 'unknown';
  }
}

function parseReports(part: Buffer, start: number, count: number): ReportBlock[] {
  return Array.from({ length: count }, (_, i) => {
    const at = start + i * REPORT_BYTES;
    return {
      ssrc: part.readUInt32BE(at),
      fractionLost: part.readUInt8(at + 4),
      cumulativeLost: part.readIntBE(at + 5, 3),
      highestSequence: part.readUInt32BE(at + 8),
      jitter: part.readUInt32BE(at + 12),
      lastSr: part.readUInt32BE(at + 16),
      delaySinceLastSr: part.readUInt32BE(at + 20),
    };
  });
}

function parseSdes(part: Buffer, count: number): RtcpPacket | null {
  const cnames: { ssrc: number; cname: string }[] = [];
  let at = 4;
  for (let chunk = 0; chunk < count; chunk++) {
    if (at + 4 > part.length) return null;
    const ssrc = part.readUInt32BE(at);
    at += 4;
    while (at < part.length && part.readUInt8(at) !== 0) {
      if (at + 2 > part.length) return null;
      const length = part.readUInt8(at + 1);
      if (at + 2 + length > part.length) return null;
      if (part.readUInt8(at) === SDES_CNAME) {
        cnames.push({ ssrc, cname: part.toString('utf8', at + 2, at + 2 + length) });
      }
      at += 2 + length;
    }
    // A chunk ends with one to four zero bytes, on a word's border (RFC 3550 §6.5).
    at += 4 - (at % 4);
  }
  return { type: 'sdes', cnames };
}

export interface OutgoingReport {
  readonly ssrc: number;
  /** At most 255 bytes of UTF-8. */
  readonly cname: string;
  /** Present when we sent since the last report: SR instead of RR. */
  readonly sender?: SenderInfo;
  readonly reports: readonly ReportBlock[];
  /** true: a BYE closes the compound. */
  readonly bye?: boolean;
}

/** Writes SR or RR, then SDES with the CNAME, then BYE if asked (RFC 3550 §6.1). Returns the bytes used. */
export function writeRtcp(target: Buffer, report: OutgoingReport): number {
  let at = writeHead(target, 0, report.sender === undefined ? TYPE_RR : TYPE_SR, report.reports.length);
  at = target.writeUInt32BE(report.ssrc, at);
  if (report.sender !== undefined) {
    at = target.writeUInt32BE(report.sender.ntpSeconds, at);
    at = target.writeUInt32BE(report.sender.ntpFraction, at);
    at = target.writeUInt32BE(report.sender.rtpTimestamp, at);
    at = target.writeUInt32BE(report.sender.packets >>> 0, at);
    at = target.writeUInt32BE(report.sender.bytes >>> 0, at);
  }
  for (const block of report.reports) at = writeReportBlock(target, at, block);
  closePart(target, 0, at);
  at = writeSdes(target, at, report);
  if (report.bye === true) {
    const start = at;
    at = target.writeUInt32BE(report.ssrc, writeHead(target, at, TYPE_BYE, 1));
    closePart(target, start, at);
  }
  return at;
}

function writeHead(target: Buffer, at: number, type: number, count: number): number {
  target.writeUInt8((VERSION << 6) | count, at);
  return target.writeUInt8(type, at + 1) + 2;
}

/** Length in words, minus one (RFC 3550 §6.4.1). */
function closePart(target: Buffer, start: number, end: number): void {
  target.writeUInt16BE((end - start) / 4 - 1, start + 2);
}

function writeReportBlock(target: Buffer, start: number, block: ReportBlock): number {
  const lost = Math.max(-0x800000, Math.min(0x7fffff, block.cumulativeLost));
  let at = target.writeUInt32BE(block.ssrc, start);
  at = target.writeUInt8(block.fractionLost, at);
  at = target.writeIntBE(lost, at, 3);
  at = target.writeUInt32BE(block.highestSequence, at);
  at = target.writeUInt32BE(block.jitter, at);
  at = target.writeUInt32BE(block.lastSr, at);
  return target.writeUInt32BE(block.delaySinceLastSr, at);
}

function writeSdes(target: Buffer, start: number, report: OutgoingReport): number {
  const cname = Buffer.from(report.cname, 'utf8').subarray(0, 255);
  let at = target.writeUInt32BE(report.ssrc, writeHead(target, start, TYPE_SDES, 1));
  at = target.writeUInt8(SDES_CNAME, at);
  at = target.writeUInt8(cname.length, at);
  at += cname.copy(target, at);
  const end = at + 4 - ((at - start) % 4);
  target.fill(0, at, end);
  closePart(target, start, end);
  return end;
}
