import { describe, expect, it } from 'vitest';
import { OutgoingLine } from '../../../src/media/outgoing-line.ts';
import { RtpHeader } from '../../../src/media/rtp.ts';

describe('an outgoing line', () => {
  it('begins where nobody can guess (RFC 3550 §5.1)', () => {
    const lines = Array.from({ length: 20 }, () => new OutgoingLine());
    expect(new Set(lines.map((line) => line.ssrc)).size).toBe(20);
    expect(new Set(lines.map((line) => line.timestamp)).size).toBe(20);
    expect(new Set(lines.map((line) => line.firstSequence)).size).toBeGreaterThan(10);
  });

  it('keeps its SSRC, counts on, and follows time only', () => {
    const line = new OutgoingLine(77);
    const header = new RtpHeader();
    const start = line.timestamp;
    for (let i = 0; i < 70_000; i++) {
      line.stamp(header, 160);
      if (header.sequence !== ((line.firstSequence + i) & 0xffff)) throw new Error(`sequence at ${i}`);
      if (header.timestamp !== (start + i * 160) >>> 0) throw new Error(`timestamp at ${i}`);
      line.advance(160);
    }
    expect(line).toMatchObject({ ssrc: 77, packets: 70_000, bytes: 70_000 * 160 });
  });

  it('gives an event the time it began, and the next sound its own', () => {
    const line = new OutgoingLine();
    const header = new RtpHeader();
    const began = line.timestamp;
    line.advance(800);
    line.stamp(header, 4, began);
    expect(header.timestamp).toBe(began);
    line.stamp(header, 160);
    expect(header.timestamp).toBe((began + 800) >>> 0);
  });
});
