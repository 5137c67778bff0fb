import { describe, expect, it } from 'vitest';
import { parseRtcp, RTCP_BYTES_MAX, writeRtcp } from '../../../src/media/rtcp.ts';
import type { OutgoingReport, ReportBlock } from '../../../src/media/rtcp.ts';
import { SeededRandom } from '../../support/random.ts';

const BLOCK: ReportBlock = {
  ssrc: 0xcafe0001,
  fractionLost: 25,
  cumulativeLost: 1234,
  highestSequence: 0x0002fffe,
  jitter: 77,
  lastSr: 0xb7052000,
  delaySinceLastSr: 0x00054000,
};
const SENDER = {
  ntpSeconds: 0xb44db705,
  ntpFraction: 0x20000000,
  rtpTimestamp: 0x11223344,
  packets: 500,
  bytes: 80_000,
};

function written(report: Partial<OutgoingReport>): Buffer {
  const target = Buffer.alloc(RTCP_BYTES_MAX, 0xee);
  const length = writeRtcp(target, { ssrc: 0x01020304, cname: 'leg@trunkline', reports: [], ...report });
  return target.subarray(0, length);
}

describe('RTCP compounds', () => {
  it('come back as they were written: SR, SDES and BYE', () => {
    expect(parseRtcp(written({ sender: SENDER, reports: [BLOCK], bye: true }))).toEqual([
      { type: 'sr', ssrc: 0x01020304, sender: SENDER, reports: [BLOCK] },
      { type: 'sdes', cnames: [{ ssrc: 0x01020304, cname: 'leg@trunkline' }] },
      { type: 'bye', ssrcs: [0x01020304] },
    ]);
  });

  it('are an RR when nothing was sent', () => {
    expect(parseRtcp(written({ reports: [BLOCK] }))?.[0]).toEqual({
      type: 'rr',
      ssrc: 0x01020304,
      reports: [BLOCK],
    });
  });

  it('have the bytes of RFC 3550 §6.4.2', () => {
    const packet = written({ reports: [BLOCK] });
    expect(packet.toString('hex', 0, 32)).toBe(
      '81c90007' + '01020304' + 'cafe0001' + '190004d2' + '0002fffe' + '0000004d' + 'b7052000' + '00054000',
    );
  });

  it('end SDES with one to four zero bytes on a border, for every length of name', () => {
    for (let length = 1; length <= 255; length++) {
      const cname = 'x'.repeat(length);
      const packet = written({ cname });
      expect(packet.length % 4).toBe(0);
      expect(parseRtcp(packet)?.[1]).toEqual({ type: 'sdes', cnames: [{ ssrc: 0x01020304, cname }] });
    }
  });

  it('carry a loss below zero, and one too big for 24 bits as the biggest', () => {
    const lossOf = (cumulativeLost: number): number | undefined => {
      const [first] = parseRtcp(written({ reports: [{ ...BLOCK, cumulativeLost }] })) ?? [];
      return first?.type === 'rr' ? first.reports[0]?.cumulativeLost : undefined;
    };
    expect(lossOf(-5)).toBe(-5);
    expect(lossOf(0x7fffff + 10)).toBe(0x7fffff);
  });

  it('pass over packet types nobody asked for (APP, RTPFB, XR)', () => {
    const app = Buffer.from('80cc0002' + '01020304' + '41424344', 'hex');
    const parts = parseRtcp(Buffer.concat([written({}), app]));
    expect(parts?.map((part) => part.type)).toEqual(['rr', 'sdes']);
  });

  it('read a foreign SDES with other items and two chunks', () => {
    const rr = Buffer.from('80c90001' + '01020304', 'hex');
    // SSRC 1: CNAME "ab", TOOL "x"; SSRC 2: CNAME "c".
    const sdes = Buffer.from(
      '82ca0006' + '00000001' + '01026162' + '06017800' + '00000002' + '01016300' + '00000000',
      'hex',
    );
    expect(parseRtcp(Buffer.concat([rr, sdes]))?.[1]).toEqual({
      type: 'sdes',
      cnames: [
        { ssrc: 1, cname: 'ab' },
        { ssrc: 2, cname: 'c' },
      ],
    });
  });
});

describe('broken RTCP is refused', () => {
  const good = written({ sender: SENDER, reports: [BLOCK], bye: true });
  const with_ = (at: number, byte: number): Buffer => {
    const packet = Buffer.from(good);
    packet[at] = byte;
    return packet;
  };

  it.each([
    ['nothing at all', Buffer.alloc(0)],
    ['half a word', good.subarray(0, good.length - 2)],
    ['a last part that is cut', good.subarray(0, good.length - 4)],
    ['another version', with_(0, 0x41)],
    ['a compound that begins with SDES', with_(1, 202)],
    ['RTP', with_(1, 0)],
    ['a length beyond the packet', with_(3, 0xff)],
    ['more reports than there is room for', with_(0, 0x9f)],
    ['padding before the last part', with_(0, 0xa1)],
    ['another version further back', with_(52, 0x01)],
  ])('%s', (_what, packet) => {
    expect(parseRtcp(packet)).toBeNull();
  });

  it('and nothing that chance makes gets it to throw', () => {
    const random = new SeededRandom(2);
    let taken = 0;
    for (let round = 0; round < 100_000; round++) {
      const packet = random.chance(0.8) ? random.mutate(good) : random.bytes(random.below(25) * 4);
      if (parseRtcp(packet) !== null) taken++;
    }
    expect(taken).toBeGreaterThan(1000);
  });
});
