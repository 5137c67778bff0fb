import { describe, expect, it } from 'vitest';
import {
  looksLikeRtcp,
  parseRtp,
  RTP_HEADER_BYTES,
  RtpHeader,
  writeRtpHeader,
} from '../../../src/media/rtp.ts';
import { readRtp, rtpPacket } from '../../support/media/packets.ts';
import { SeededRandom } from '../../support/random.ts';

/** PCMU, sequence 0x1234, timestamp 0x01020304, SSRC 0xdeadbeef, marker, 4 bytes of sound. */
const PLAIN = Buffer.from('80801234' + '01020304' + 'deadbeef' + 'aabbccdd', 'hex');

function parsed(packet: Buffer): RtpHeader | null {
  const header = new RtpHeader();
  return parseRtp(packet, header) ? header : null;
}

/** Payload of a packet with this first byte and these bytes behind the fixed header. */
function payloadOf(first: number, rest: string): string | null {
  const packet = Buffer.concat([PLAIN.subarray(0, RTP_HEADER_BYTES), Buffer.from(rest, 'hex')]);
  packet[0] = first;
  const header = parsed(packet);
  return header && packet.toString('hex', header.payloadStart, header.payloadEnd);
}

describe('reading RTP', () => {
  it('reads every field of a plain packet', () => {
    expect(parsed(PLAIN)).toMatchObject({
      marker: true,
      payloadType: 0,
      sequence: 0x1234,
      timestamp: 0x01020304,
      ssrc: 0xdeadbeef,
      payloadStart: 12,
      payloadEnd: 16,
    });
  });

  it('finds the payload behind CSRCs, behind an extension, and before padding', () => {
    expect(payloadOf(0x82, '1111111122222222' + 'aabb')).toBe('aabb');
    expect(payloadOf(0x90, 'bede0001' + '10203040' + 'aabb')).toBe('aabb');
    expect(payloadOf(0xa0, 'aabb' + '0002')).toBe('aabb');
    expect(payloadOf(0xb1, '11111111' + 'bede0001' + '10203040' + 'aabb' + '000003')).toBe('aabb');
  });

  it('takes a packet without payload, and one that is padding only', () => {
    expect(payloadOf(0x80, '')).toBe('');
    expect(payloadOf(0xa0, '00000004')).toBe('');
  });

  it.each([
    ['an empty packet', 0x80, null],
    ['another version', 0x40, 'aabb'],
    ['version 3', 0xc0, 'aabb'],
    ['CSRCs that are not there', 0x8f, 'aabb'],
    ['an extension without its header', 0x90, 'aabb'],
    ['an extension that ends behind the packet', 0x90, 'bede0005' + '10203040'],
    ['padding of no length', 0xa0, 'aabb00'],
    ['padding longer than the packet', 0xa0, 'aabbff'],
    ['padding that reaches into the extension', 0xb0, 'bede0001' + '10203005'],
  ])('refuses %s', (_what, first, rest) => {
    expect(rest === null ? parsed(Buffer.alloc(0)) : payloadOf(first, rest)).toBeNull();
  });

  it('refuses every length below a header', () => {
    for (let length = 0; length < RTP_HEADER_BYTES; length++) {
      expect(parsed(PLAIN.subarray(0, length))).toBeNull();
    }
  });

  it('never throws and never points outside, whatever comes', () => {
    const random = new SeededRandom(1);
    const header = new RtpHeader();
    let taken = 0;
    for (let round = 0; round < 100_000; round++) {
      const packet = random.chance(0.5) ? random.mutate(PLAIN) : random.bytes(random.below(40));
      if (!parseRtp(packet, header)) continue;
      taken++;
      const sane =
        header.payloadStart >= RTP_HEADER_BYTES &&
        header.payloadStart <= header.payloadEnd &&
        header.payloadEnd <= packet.length;
      if (!sane) throw new Error(`points outside: ${packet.toString('hex')}`);
    }
    expect(taken).toBeGreaterThan(1000);
  });
});

describe('writing RTP', () => {
  it('writes what it reads', () => {
    const header = parsed(PLAIN);
    if (header === null) throw new Error('not read');
    const packet = Buffer.from(PLAIN).fill(0, 0, RTP_HEADER_BYTES);
    writeRtpHeader(packet, header);
    expect(packet).toEqual(PLAIN);
  });

  it('holds the largest values', () => {
    const fields = {
      payloadType: 127,
      marker: true,
      sequence: 0xffff,
      timestamp: 0xffffffff,
      ssrc: 0xffffffff,
    };
    expect(readRtp(rtpPacket(fields))).toMatchObject(fields);
  });
});

describe('telling RTCP from RTP on one port', () => {
  it('goes by the second byte (RFC 5761 §4)', () => {
    expect(looksLikeRtcp(Buffer.from('80c8000600000000', 'hex'))).toBe(true);
    expect(looksLikeRtcp(Buffer.from('81c9000100000000', 'hex'))).toBe(true);
    expect(looksLikeRtcp(PLAIN)).toBe(false);
    expect(
      looksLikeRtcp(rtpPacket({ payloadType: 101, marker: true, sequence: 1, timestamp: 1, ssrc: 1 })),
    ).toBe(false);
    expect(looksLikeRtcp(Buffer.from('80c8', 'hex'))).toBe(false);
  });
});
