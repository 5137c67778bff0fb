import { SAMPLE_RATE_HZ } from './frame.ts';
import type { OutgoingLine } from './outgoing-line.ts';
import type { ReceivedLine } from './received-line.ts';
import { parseRtcp, RTCP_BYTES_MAX, writeRtcp } from './rtcp.ts';
import type { ReportBlock, SenderInfo } from './rtcp.ts';

/** Minimum interval of RFC 3550 §6.2; each one is spread over 0.5 to 1.5 of it (§6.3.1). */
const INTERVAL_MS = 5000;
/** Seconds from 1900 (NTP) to 1970 (Unix). */
const NTP_EPOCH_S = 2_208_988_800;
/** A longer round trip is a broken report. */
const ROUND_TRIP_MS_MAX = 10_000;

/** What the far end said of our line; null until it did. */
export interface FarReport {
  lossRatio: number | null;
  jitterMs: number | null;
  roundTripMs: number | null;
}

/** RTCP of one leg: SR or RR with CNAME every five seconds, BYE at the end, and what the far end reports. */
export class RtcpSession {
  readonly far: FarReport = { lossRatio: null, jitterMs: null, roundTripMs: null };
  malformed = 0;
  readonly #sending: OutgoingLine;
  readonly #receiving: ReceivedLine;
  readonly #cname: string;
  readonly #packet = Buffer.alloc(RTCP_BYTES_MAX);
  #dueMs: number;
  #packetsAtReport = 0;
  #lastSr = 0;
  #lastSrMs = 0;

  constructor(lines: { sending: OutgoingLine; receiving: ReceivedLine; cname: string; nowMs: number }) {
    this.#sending = lines.sending;
    this.#receiving = lines.receiving;
    this.#cname = lines.cname;
    // The first one comes in half the time (§6.2).
    this.#dueMs = lines.nowMs + spread(INTERVAL_MS / 2);
  }

  /** The compound packet that is due now, or null. Valid until the next call. */
  tick(nowMs: number): Buffer | null {
    if (nowMs < this.#dueMs) return null;
    this.#dueMs = nowMs + spread(INTERVAL_MS);
    return this.#report(nowMs, false);
  }

  /** The last packet of the leg. */
  bye(nowMs: number): Buffer {
    return this.#report(nowMs, true);
  }

  /** Takes what the far end sent. false: malformed, counted. */
  receive(packet: Buffer, nowMs: number): boolean {
    const parts = parseRtcp(packet);
    if (parts === null) {
      this.malformed++;
      return false;
    }
    for (const part of parts) {
      if (part.type === 'sr') {
        this.#lastSr = middle(part.sender.ntpSeconds, part.sender.ntpFraction);
        this.#lastSrMs = nowMs;
      }
      if (part.type !== 'sr' && part.type !== 'rr') continue;
      for (const block of part.reports) {
        if (block.ssrc === this.#sending.ssrc) this.#learn(block, nowMs);
      }
    }
    return true;
  }

  #learn(block: ReportBlock, nowMs: number): void {
    // Counted from our first packet, modulo 2^32, as the far end's cycles began with it.
    const expected = ((block.highestSequence - this.#sending.firstSequence) >>> 0) + 1;
    const reported = expected <= this.#sending.packets + 0xffff ? expected : this.#sending.packets;
    if (reported > 0) {
      this.far.lossRatio = Math.min(1, Math.max(0, block.cumulativeLost) / reported);
    }
    this.far.jitterMs = (block.jitter * 1000) / SAMPLE_RATE_HZ;
    if (block.lastSr === 0) return;
    const { seconds, fraction } = ntp(nowMs);
    const trip = (middle(seconds, fraction) - block.lastSr - block.delaySinceLastSr) | 0;
    const tripMs = (trip * 1000) / 65_536;
    if (tripMs >= 0 && tripMs <= ROUND_TRIP_MS_MAX) this.far.roundTripMs = tripMs;
  }

  #report(nowMs: number, bye: boolean): Buffer {
    const sent = this.#sending.packets > this.#packetsAtReport;
    this.#packetsAtReport = this.#sending.packets;
    const length = writeRtcp(this.#packet, {
      ssrc: this.#sending.ssrc,
      cname: this.#cname,
      ...(sent ? { sender: this.#senderInfo(nowMs) } : {}),
      reports: this.#reports(nowMs),
      bye,
    });
    return this.#packet.subarray(0, length);
  }

  #senderInfo(nowMs: number): SenderInfo {
    const { seconds, fraction } = ntp(nowMs);
    return {
      ntpSeconds: seconds,
      ntpFraction: fraction,
      rtpTimestamp: this.#sending.timestamp,
      packets: this.#sending.packets,
      bytes: this.#sending.bytes,
    };
  }

  #reports(nowMs: number): ReportBlock[] {
    const ssrc = this.#receiving.ssrc;
    if (ssrc === null) return [];
    const { reception } = this.#receiving;
    const sinceSr = this.#lastSr === 0 ? 0 : Math.round(((nowMs - this.#lastSrMs) * 65_536) / 1000);
    return [
      {
        ssrc,
        fractionLost: reception.takeFractionLost(),
        cumulativeLost: reception.lost,
        highestSequence: reception.highestSequence,
        jitter: Math.round(reception.jitter),
        lastSr: this.#lastSr,
        delaySinceLastSr: Math.min(0xffffffff, sinceSr),
      },
    ];
  }
}

function spread(intervalMs: number): number {
  return intervalMs * (0.5 + Math.random());
}

/** NTP time of a moment of the process's monotonic clock (RFC 3550 §4). */
export function ntp(nowMs: number): { seconds: number; fraction: number } {
  const unixMs = performance.timeOrigin + nowMs;
  const wholeS = Math.floor(unixMs / 1000);
  return {
    seconds: (wholeS + NTP_EPOCH_S) >>> 0,
    fraction: Math.floor(((unixMs - wholeS * 1000) / 1000) * 0x1_0000_0000) >>> 0,
  };
}

/** The middle 32 bits of an NTP time: what LSR holds (RFC 3550 §6.4.1). */
export function middle(seconds: number, fraction: number): number {
  return (((seconds & 0xffff) << 16) | (fraction >>> 16)) >>> 0;
}
