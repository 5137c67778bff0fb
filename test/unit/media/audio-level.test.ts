import { describe, expect, it } from 'vitest';
import {
  AUDIO_LEVEL_BYTES,
  AUDIO_LEVEL_ID,
  audioLevel,
  writeAudioLevel,
} from '../../../src/media/audio-level.ts';
import { parseRtp, RTP_HEADER_BYTES, RtpHeader, writeRtpHeader } from '../../../src/media/rtp.ts';

const square = (amplitude: number): Int16Array =>
  Int16Array.from({ length: 160 }, (_, index) => (index % 2 === 0 ? amplitude : -amplitude));

describe('a level', () => {
  it.each([
    [32_767, 0],
    [3277, 20],
    [328, 40],
    [33, 60],
    [1, 90],
    [0, 127],
  ])('of a square wave of %i is %i dB below overload', (amplitude, level) => {
    expect(audioLevel(square(amplitude))).toBe(level);
  });

  it('of a sine is 3 dB below its peak', () => {
    const sine = Int16Array.from({ length: 160 }, (_, i) => Math.round(32_767 * Math.sin((Math.PI * i) / 8)));
    expect(audioLevel(sine)).toBe(3);
  });

  it('of no samples at all is silence', () => {
    expect(audioLevel(new Int16Array(0))).toBe(127);
  });
});

describe('the extension', () => {
  it('stands between header and payload as RFC 8285 has it, and readers pass over it', () => {
    const packet = Buffer.alloc(RTP_HEADER_BYTES + AUDIO_LEVEL_BYTES + 4, 0xaa);
    const header = Object.assign(new RtpHeader(), { payloadType: 0, sequence: 7, ssrc: 1, marker: true });
    writeRtpHeader(packet, header);
    writeAudioLevel(packet, RTP_HEADER_BYTES, 42);
    expect([...packet.subarray(RTP_HEADER_BYTES, RTP_HEADER_BYTES + AUDIO_LEVEL_BYTES)]).toEqual([
      ...[0xbe, 0xde, 0, 1],
      ...[AUDIO_LEVEL_ID << 4, 42, 0, 0],
    ]);
    const read = new RtpHeader();
    expect(parseRtp(packet, read)).toBe(true);
    expect(read).toMatchObject({ sequence: 7, marker: true });
    expect([...packet.subarray(read.payloadStart, read.payloadEnd)]).toEqual([0xaa, 0xaa, 0xaa, 0xaa]);
  });
});
