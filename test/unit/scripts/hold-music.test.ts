import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { compose, HOLD_MUSIC_FILE, wavOf } from '../../../scripts/hold-music.ts';
import { decode } from '../../../src/media/g711.ts';
import { loadSound } from '../../../src/media/sound-file.ts';
import { levelDbfs } from '../../support/sound/level.ts';

describe('the music for held callers', () => {
  it('is what the script composes, and a player can play it', async () => {
    const shipped = readFileSync(HOLD_MUSIC_FILE);
    const composed = wavOf(compose());
    expect(shipped.length).toBe(composed.length);
    // Another machine's sine may round a sample into the next step of G.711.
    const different = composed.filter((byte, at) => shipped[at] !== byte).length;
    expect(different).toBeLessThan(composed.length / 1000);
    for (const codec of ['pcmu', 'pcma'] as const)
      expect((await loadSound(HOLD_MUSIC_FILE, codec)).length).toBe(composed.length - 44);
  });

  it('is never silent, never loud, and goes round without a click', async () => {
    const bytes = await loadSound(HOLD_MUSIC_FILE, 'pcmu');
    const samples = new Int16Array(bytes.length);
    decode('pcmu', bytes, samples);
    const windowSamples = 8000;
    for (let at = 0; at + windowSamples <= samples.length; at += windowSamples / 2) {
      const level = levelDbfs(samples.subarray(at, at + windowSamples));
      expect(level, `second ${at / 8000}`).toBeGreaterThan(-40);
      expect(level, `second ${at / 8000}`).toBeLessThan(-15);
    }
    const steps = Array.from(samples, (sample, at) => Math.abs(sample - (samples[at - 1] ?? sample)));
    const seam = Math.abs((samples[0] ?? 0) - (samples.at(-1) ?? 0));
    expect(seam).toBeLessThanOrEqual(steps.reduce((most, step) => Math.max(most, step), 0));
    expect(bytes.length % 160, 'whole frames: no silence is filled in at the seam').toBe(0);
  });
});
