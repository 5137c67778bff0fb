import { describe, expect, it } from 'vitest';
import { SoundReader } from '../../../../src/agent/models/pipeline/sound-reader.ts';
import { decode, encode } from '../../../../src/media/g711.ts';
import { joined, levelDbfs, silence, tone } from '../../../support/sound/level.ts';
import { encodeWav } from '../../../support/sound/wav.ts';

function read(file: Uint8Array, options: { chunkBytes?: number; rawRateHz?: number } = {}): Int16Array {
  const { chunkBytes = file.length || 1, rawRateHz = 24_000 } = options;
  const reader = new SoundReader({ codec: 'pcmu', rawRateHz });
  const parts: Uint8Array[] = [];
  for (let at = 0; at < file.length; at += chunkBytes)
    parts.push(reader.push(file.subarray(at, at + chunkBytes)));
  parts.push(reader.end());
  const bytes = Buffer.concat(parts);
  const samples = new Int16Array(bytes.length);
  decode('pcmu', bytes, samples);
  return samples;
}

const raw = (samples: Int16Array): Buffer =>
  Buffer.from(samples.buffer, samples.byteOffset, samples.byteLength);
const wav = (samples: Int16Array, sampleRateHz: number): Buffer =>
  encodeWav({ sampleRateHz, channels: [samples] });

describe('sound of a speech server', () => {
  it.each([8000, 16_000, 22_050, 24_000, 44_100, 48_000])('is read from WAV at %i Hz', (rateHz) => {
    const sound = read(wav(tone(1000, 300, rateHz), rateHz));
    expect(sound.length).toBeGreaterThanOrEqual(2399);
    expect(Math.abs(levelDbfs(sound.subarray(200, 2200)) - levelDbfs(tone(1000, 300)))).toBeLessThan(0.5);
  });

  it('is read raw at the rate that is configured', () => {
    expect(read(raw(tone(1000, 300, 16_000)), { rawRateHz: 16_000 })).toHaveLength(2400);
    expect(read(raw(tone(1000, 300, 24_000)))).toHaveLength(2400);
  });

  it('is the same however it is cut, within the head and within a sample', () => {
    for (const file of [wav(tone(500, 200, 24_000), 24_000), raw(tone(500, 200, 24_000))]) {
      const whole = read(file);
      for (const chunkBytes of [1, 3, 43, 1001]) expect(read(file, { chunkBytes })).toEqual(whole);
    }
  });

  it('may be stereo, G.711, or carry more chunks than it needs', () => {
    const voice = tone(600, 200);
    const stereo = read(encodeWav({ sampleRateHz: 8000, channels: [voice, voice] }));
    expect(stereo).toEqual(read(wav(voice, 8000)));
    const g711 = new Uint8Array(voice.length);
    encode('pcma', voice, g711);
    const head = wav(new Int16Array(0), 8000);
    head.writeUInt16LE(6, 20);
    head.writeUInt16LE(8, 34);
    head.writeUInt32LE(0, 40);
    expect(Math.abs(levelDbfs(read(Buffer.concat([head, g711]))) - levelDbfs(voice))).toBeLessThan(0.3);
    const file = wav(voice, 8000);
    const list = Buffer.from('LIST\x05\0\0\0hello\0', 'latin1');
    const extra = Buffer.concat([file.subarray(0, 36), list, file.subarray(36), list]);
    expect(read(extra)).toEqual(read(file));
  });

  it('may have a length that the server did not know yet', () => {
    const file = wav(tone(600, 200, 24_000), 24_000);
    const whole = read(file);
    for (const length of [0, 0xffffffff, 0x7fffffff]) {
      file.writeUInt32LE(length, 40);
      expect(read(file)).toEqual(whole);
    }
  });

  it('begins with the first word, 20 ms of silence before it', () => {
    const sound = read(wav(joined(silence(400, 24_000), tone(1000, 200, 24_000)), 24_000), {
      chunkBytes: 999,
    });
    expect(sound.length / 8).toBeGreaterThan(215);
    expect(sound.length / 8).toBeLessThan(225);
  });

  it('keeps its pauses, and a long silence is not waited out', () => {
    const paused = joined(tone(1000, 100), silence(500), tone(1000, 100));
    expect(read(wav(paused, 8000)).length / 8).toBeGreaterThan(690);
    expect(read(wav(silence(3000), 8000), { chunkBytes: 999 }).length / 8).toBeGreaterThan(1500);
  });

  it.each([
    ['MP3', Buffer.from('ID3\x04rest of it')],
    ['Ogg', Buffer.from('OggS rest of it')],
    ['FLAC', Buffer.from('fLaC rest of it')],
    ['JSON', Buffer.from('{"error":{"message":"no"}}')],
    ['HTML', Buffer.from('<!doctype html>')],
    ['no WAV', Buffer.from('RIFFxxxxAVI LIST')],
    ['without a format', Buffer.from('RIFFxxxxWAVEdata\x04\0\0\0abcd', 'latin1')],
    ['only 3 bytes', Buffer.from('abc')],
  ])('is refused when it is %s', (what, file) => {
    expect(() => read(file)).toThrow(what);
    try {
      read(file);
    } catch (error) {
      expect(error).toMatchObject({ code: 'SYNTHESIS_FAILED', retryable: false });
    }
  });

  it('is refused in formats that are no 16-bit PCM', () => {
    const spoilt = (change: (file: Buffer) => void): Buffer => {
      const file = wav(tone(500, 50), 8000);
      change(file);
      return file;
    };
    expect(() => read(spoilt((file) => file.writeUInt16LE(24, 34)))).toThrow('24 bits');
    expect(() => read(spoilt((file) => file.writeUInt16LE(3, 20)))).toThrow('kind 3');
    expect(() => read(spoilt((file) => file.writeUInt16LE(6, 22)))).toThrow('6 channels');
    expect(() => read(spoilt((file) => file.writeUInt32LE(4000, 24)))).toThrow('4000 Hz');
    expect(() => read(Buffer.alloc(70_000, 'RIFFxxxxWAVEjunk\xff\xff\xff\x7f', 'latin1'))).toThrow(
      'without sound',
    );
  });

  it('of no bytes at all is no sound', () => {
    expect(read(Buffer.alloc(0))).toHaveLength(0);
  });
});
