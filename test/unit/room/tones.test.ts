import { describe, expect, it } from 'vitest';
import type { Codec } from '../../../src/media/frame.ts';
import { Tone } from '../../../src/media/tone.ts';
import { toneLevels } from '../../support/tones.ts';

function payloads(codec: Codec, frequenciesHz: number[], count: number): Uint8Array[] {
  const tone = new Tone(frequenciesHz, -10);
  return Array.from({ length: count }, () => {
    const payload = new Uint8Array(160);
    tone.fill(codec, payload);
    return payload;
  });
}

describe('toneLevels', () => {
  it.each(['pcmu', 'pcma'] as const)('finds a tone at its level in %s, and no other', (codec) => {
    const [at440 = 0, at700 = 0] = toneLevels(payloads(codec, [440], 50), codec, [440, 700]);
    expect(at440).toBeCloseTo(-10, 0);
    expect(at700).toBeLessThan(-50);
  });

  it('finds both tones of a mix', () => {
    const [at440 = 0, at1000 = 0] = toneLevels(payloads('pcmu', [440, 1000], 50), 'pcmu', [440, 1000]);
    expect(at440).toBeCloseTo(-16, 0);
    expect(at1000).toBeCloseTo(-16, 0);
  });

  it('is not misled by a silent start', () => {
    const silence = Array.from({ length: 10 }, () => new Uint8Array(160).fill(0xff));
    const [level = 0] = toneLevels([...silence, ...payloads('pcmu', [440], 40)], 'pcmu', [440]);
    expect(level).toBeCloseTo(-10, 0);
  });

  it('finds nothing in nothing', () => {
    expect(toneLevels([], 'pcmu', [440])).toEqual([-Infinity]);
  });
});
