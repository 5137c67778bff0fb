import { describe, expect, it } from 'vitest';
import { harmlessSounds, speechSounds, type CallerSound } from '../../../bench/caller-sounds.ts';
import { levelOfUlaw } from '../../../bench/heard.ts';

const ms = ({ bytes }: CallerSound): number => bytes.length / 8;

describe('what callers send', () => {
  const speech = speechSounds();
  const harmless = harmlessSounds();

  it('has a name of its own each, and every kind is there', () => {
    const names = [...speech, ...harmless].map((sound) => sound.name);
    expect(new Set(names).size).toBe(names.length);
    const kinds = new Set(harmless.map((sound) => sound.kind));
    expect([...kinds].sort()).toEqual(['backchannel', 'cough', 'keyboard', 'music']);
  });

  it('begins at once, so that its first packet is its first sound', () => {
    for (const { name, bytes } of [...speech, ...harmless])
      expect(levelOfUlaw(bytes.subarray(0, 480)), name).toBeGreaterThan(-45);
  });

  it('is speech that is no mere "mhm", "mhm" that is short, and noise without words', () => {
    for (const sound of speech) expect(ms(sound), sound.name).toBeGreaterThan(1000);
    for (const sound of harmless.filter((one) => one.kind === 'backchannel'))
      expect(ms(sound), sound.name).toBeLessThan(700);
    for (const sound of harmless) expect(sound.words !== null, sound.name).toBe(sound.kind === 'backchannel');
  });

  it('is loud enough to be heard, at its loudest', () => {
    for (const { name, bytes } of [...speech, ...harmless]) {
      const levels = Array.from({ length: Math.ceil(bytes.length / 160) }, (_, at) =>
        levelOfUlaw(bytes.subarray(160 * at, 160 * (at + 1))),
      );
      expect(Math.max(...levels), name).toBeGreaterThan(-36);
    }
  });
});
