import { describe, expect, it } from 'vitest';
import { OutgoingLine } from '../../../src/media/outgoing-line.ts';
import { ReceivedLine } from '../../../src/media/received-line.ts';
import { middle, ntp, RtcpSession } from '../../../src/media/rtcp-session.ts';
import { parseRtcp } from '../../../src/media/rtcp.ts';
import type { RtcpPacket } from '../../../src/media/rtcp.ts';
import { RtpHeader } from '../../../src/media/rtp.ts';

class Side {
  readonly sending = new OutgoingLine();
  readonly receiving = new ReceivedLine('pcmu');
  readonly rtcp: RtcpSession;
  readonly #header = new RtpHeader();

  constructor() {
    this.rtcp = new RtcpSession({
      sending: this.sending,
      receiving: this.receiving,
      cname: 'x',
      nowMs: 0,
    });
  }

  /** Sends one packet to the other side; it arrives or not. */
  sendTo(other: Side, arrives: boolean): void {
    this.sending.advance(160);
    this.sending.stamp(this.#header, 160);
    this.#header.payloadStart = 12;
    this.#header.payloadEnd = 172;
    if (arrives) other.receiving.accept(this.#header);
  }
}

/** The next report that is due after `fromMs`, and when. */
function nextReport(side: Side, fromMs: number): { atMs: number; packet: Buffer } {
  for (let atMs = fromMs; atMs < fromMs + 20_000; atMs += 20) {
    const packet = side.rtcp.tick(atMs);
    if (packet !== null) return { atMs, packet: Buffer.from(packet) };
  }
  throw new Error('no report within 20 s');
}

function first(packet: Buffer): RtcpPacket {
  const [part] = parseRtcp(packet) ?? [];
  if (part === undefined) throw new Error('no RTCP');
  return part;
}

describe('reports', () => {
  it('come within 1.25 to 3.75 s at first, then 2.5 to 7.5 s apart, never in step (RFC 3550 §6.3.1)', () => {
    const gaps: number[] = [];
    for (let round = 0; round < 20; round++) {
      const side = new Side();
      const start = nextReport(side, 0);
      expect(start.atMs).toBeGreaterThanOrEqual(1240);
      expect(start.atMs).toBeLessThanOrEqual(3780);
      const second = nextReport(side, start.atMs + 20);
      gaps.push(second.atMs - start.atMs);
    }
    expect(Math.min(...gaps)).toBeGreaterThanOrEqual(2500);
    expect(Math.max(...gaps)).toBeLessThanOrEqual(7540);
    expect(new Set(gaps).size).toBeGreaterThan(5);
  });

  it('are SR after sending, RR otherwise, both with the name', () => {
    const [a, b] = [new Side(), new Side()];
    a.sendTo(b, true);
    const sr = nextReport(a, 0);
    expect(first(sr.packet)).toMatchObject({
      type: 'sr',
      ssrc: a.sending.ssrc,
      sender: { packets: 1, bytes: 160 },
    });
    expect(parseRtcp(sr.packet)?.[1]).toEqual({
      type: 'sdes',
      cnames: [{ ssrc: a.sending.ssrc, cname: 'x' }],
    });
    expect(first(nextReport(a, sr.atMs + 20).packet)).toMatchObject({ type: 'rr', reports: [] });
  });

  it('end with BYE', () => {
    const side = new Side();
    expect(parseRtcp(side.rtcp.bye(0))?.at(-1)).toEqual({ type: 'bye', ssrcs: [side.sending.ssrc] });
  });

  it('carry loss and the highest sequence of what came in', () => {
    const [a, b] = [new Side(), new Side()];
    for (let i = 0; i < 100; i++) a.sendTo(b, i % 4 !== 1);
    const report = first(nextReport(b, 0).packet);
    expect(report).toMatchObject({
      type: 'rr',
      reports: [
        { ssrc: a.sending.ssrc, fractionLost: 64, cumulativeLost: 25, lastSr: 0, delaySinceLastSr: 0 },
      ],
    });
  });
});

describe('what the far end reports', () => {
  it('is nothing before it does', () => {
    expect(new Side().rtcp.far).toEqual({ lossRatio: null, jitterMs: null, roundTripMs: null });
  });

  it('gives loss over the whole call', () => {
    const [a, b] = [new Side(), new Side()];
    for (let i = 0; i < 1000; i++) a.sendTo(b, i % 10 !== 5);
    a.rtcp.receive(nextReport(b, 0).packet, 5000);
    expect(a.rtcp.far.lossRatio).toBeCloseTo(0.1, 3);
    expect(a.rtcp.far.jitterMs).toBe(0);
    expect(a.rtcp.far.roundTripMs).toBeNull();
  });

  it('gives loss after the sequence wrapped', () => {
    const [a, b] = [new Side(), new Side()];
    for (let i = 0; i < 150_000; i++) a.sendTo(b, i % 100 !== 50);
    a.rtcp.receive(nextReport(b, 0).packet, 5000);
    expect(a.rtcp.far.lossRatio).toBeCloseTo(0.01, 3);
  });

  it('gives the round trip: now - LSR - DLSR (RFC 3550 §6.4.1)', () => {
    const [a, b] = [new Side(), new Side()];
    a.sendTo(b, true);
    const sr = nextReport(a, 0);
    // 30 ms there, a while on the other side, 50 ms back.
    b.rtcp.receive(sr.packet, sr.atMs + 30);
    const rr = nextReport(b, sr.atMs + 500);
    a.rtcp.receive(rr.packet, rr.atMs + 50);
    expect(a.rtcp.far.roundTripMs).toBeCloseTo(80, 0);
  });

  it('of another line is not ours', () => {
    const [a, b, c] = [new Side(), new Side(), new Side()];
    c.sendTo(b, true);
    a.rtcp.receive(nextReport(b, 0).packet, 5000);
    expect(a.rtcp.far.lossRatio).toBeNull();
  });

  it('is refused when it is broken, and counted', () => {
    const side = new Side();
    expect(side.rtcp.receive(Buffer.from('nonsense'), 0)).toBe(false);
    expect(side.rtcp.malformed).toBe(1);
  });
});

describe('NTP time', () => {
  it('is the wall clock since 1900, whose middle is what LSR holds', () => {
    const nowMs = performance.now();
    const { seconds, fraction } = ntp(nowMs);
    const unixMs = (seconds - 2_208_988_800) * 1000 + (fraction / 2 ** 32) * 1000;
    expect(Math.abs(unixMs - (performance.timeOrigin + nowMs))).toBeLessThan(1);
    expect(middle(0xb44db705, 0x20000000)).toBe(0xb7052000);
  });
});
