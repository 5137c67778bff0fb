import { describe, expect, it } from 'vitest';
import { joined, levelDbfs, silence, tone, toneShare } from '../../support/sound/level.ts';
import { resample } from '../../support/sound/resample.ts';
import { speak } from '../../support/sound/speak.ts';
import { decodeWav, encodeWav } from '../../support/sound/wav.ts';

describe('a WAV file', () => {
  it('comes back as it was written, channel by channel', () => {
    const channels = [tone(440, 50), tone(880, 50)];
    expect(decodeWav(encodeWav({ sampleRateHz: 8000, channels }))).toEqual({ sampleRateHz: 8000, channels });
  });

  it('from a pipe, whose length nobody filled in, is read to its end', () => {
    const file = encodeWav({ sampleRateHz: 22_050, channels: [tone(440, 50, 22_050)] });
    file.writeUInt32LE(0x7fffffff, 40);
    expect(decodeWav(file).channels[0]).toHaveLength(1103);
  });

  it('that is none is refused', () => {
    expect(() => decodeWav(Buffer.from('RIFFxxxxAVI '))).toThrow('not a WAV file');
    expect(() => decodeWav(encodeWav({ sampleRateHz: 8000, channels: [] }).subarray(0, 36))).toThrow(
      'without sound',
    );
  });
});

describe('resampling to the telephone', () => {
  it('keeps a tone of the telephone band at its level', () => {
    const before = tone(1000, 500, 22_050);
    const after = resample(before, 22_050, 8000);
    expect(after.length).toBe(4000);
    expect(toneShare(after, 1000, 8000)).toBeGreaterThan(0.98);
    expect(Math.abs(levelDbfs(after) - levelDbfs(before))).toBeLessThan(0.5);
  });

  it('does not fold a tone above the band back into it', () => {
    const after = resample(tone(6000, 500, 22_050), 22_050, 8000);
    expect(levelDbfs(after.subarray(400, 3600))).toBeLessThan(-60);
  });
});

describe('levels', () => {
  it('know silence and the tone that plays', () => {
    expect(levelDbfs(silence(20))).toBe(-Infinity);
    expect(levelDbfs(tone(440, 100))).toBeCloseTo(-13.3, 0);
    const both = joined(tone(440, 100), tone(880, 100));
    expect(toneShare(both, 440, 8000)).toBeCloseTo(0.25, 1);
    expect(toneShare(both, 1234, 8000)).toBeLessThan(0.01);
  });
});

describe('a caller’s voice', () => {
  it.each(['en-us+f5', 'rms'])('speaks audibly (%s)', async (voice) => {
    const samples = await speak('good morning', { voice });
    expect(samples.length).toBeGreaterThan(4000);
    expect(levelDbfs(samples)).toBeGreaterThan(-35);
  });

  it('refuses a voice that does not exist, in the synthesiser’s words', async () => {
    await expect(speak('good morning', { voice: 'nobody' })).rejects.toThrow(/espeak-ng cannot speak/);
  });
});
