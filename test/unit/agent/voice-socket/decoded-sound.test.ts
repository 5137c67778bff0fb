import { describe, expect, it } from 'vitest';
import { decodedSound } from '../../../../src/agent/models/voice-socket/decoded-sound.ts';

describe('the sound of a delta', () => {
  it.each([0, 1, 2, 3, 160, 799])('of %i bytes is what was encoded, and pins no other memory', (length) => {
    const sound = Buffer.from(Array.from({ length }, (_, index) => (index * 7) % 256));
    const decoded = decodedSound(sound.toString('base64'));
    expect(decoded.equals(sound)).toBe(true);
    expect(decoded.buffer.byteLength).toBe(length);
    // Without padding, as some servers write it.
    expect(decodedSound(sound.toString('base64url')).equals(sound)).toBe(true);
  });

  it.each(['!', '====', 'A', 'ab cd', '\u{1f3b5}'])(
    'that is no base64 is what Node makes of it: %j',
    (text) => {
      expect(decodedSound(text).equals(Buffer.from(text, 'base64'))).toBe(true);
    },
  );
});
