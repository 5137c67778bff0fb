import { describe, expect, it } from 'vitest';
import {
  decodeGsm7,
  decodeUcs2,
  encodeGsm7,
  encodeUcs2,
  segmentsOf,
} from '../../../../src/jobs/drivers/sms/segments.ts';
import { SeededRandom } from '../../../support/random.ts';

const BASIC_LETTERS = '@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !"#¤%&\'()*+,-./0123456789:;<=>?¡AZÄÖÑÜ§¿azäöñüà';
const EXTENSION_LETTERS = '^{}\\[~]|€';

describe('how many messages a text becomes', () => {
  it.each([
    ['nothing', '', 'gsm7', 0, 1],
    ['160 septets', 'a'.repeat(160), 'gsm7', 160, 1],
    ['161 septets', 'a'.repeat(161), 'gsm7', 161, 2],
    ['two full parts', 'a'.repeat(306), 'gsm7', 306, 2],
    ['one more than two full parts', 'a'.repeat(307), 'gsm7', 307, 3],
    ['80 euro signs of two septets each', '€'.repeat(80), 'gsm7', 160, 1],
    ['81 euro signs: an escape is not torn from its character', '€'.repeat(81), 'gsm7', 162, 2],
    ['a character outside of GSM', 'ç', 'ucs2', 1, 1],
    ['70 units', 'ж'.repeat(70), 'ucs2', 70, 1],
    ['71 units', 'ж'.repeat(71), 'ucs2', 71, 2],
    ['134 units', 'ж'.repeat(134), 'ucs2', 134, 2],
    ['135 units', 'ж'.repeat(135), 'ucs2', 135, 3],
    ['35 emoji of two units', '😀'.repeat(35), 'ucs2', 70, 1],
    ['36 emoji', '😀'.repeat(36), 'ucs2', 72, 2],
    ['one emoji in a long Latin text', `${'a'.repeat(69)}😀`, 'ucs2', 71, 2],
  ])('%s', (_what, text, encoding, units, parts) => {
    const segments = segmentsOf(text);
    expect(segments).toMatchObject({ encoding, units });
    expect(segments.parts).toHaveLength(parts);
    expect(segments.parts.join('')).toBe(text);
  });

  it('cuts no character in two: 33 emoji fill 66 of 67 units', () => {
    const { parts } = segmentsOf('😀'.repeat(40));
    expect(parts.map((part) => part.length)).toEqual([66, 14]);
    expect(parts.every((part) => part.isWellFormed())).toBe(true);
  });

  it('puts an escape and its character into one part: 152 and a euro sign', () => {
    const { parts } = segmentsOf(`${'a'.repeat(152)}€${'b'.repeat(20)}`);
    expect(parts[0]).toBe('a'.repeat(152));
    expect(parts[1]?.startsWith('€')).toBe(true);
  });

  it('keeps every part within its limit and every text whole, whatever the text', () => {
    const random = new SeededRandom(2026);
    const alphabets = [BASIC_LETTERS, BASIC_LETTERS + EXTENSION_LETTERS, `${BASIC_LETTERS}жщ😀😃`];
    for (let round = 0; round < 300; round += 1) {
      const letters = Array.from(alphabets[round % 3] ?? '');
      const text = Array.from(
        { length: random.below(500) },
        () => letters[random.below(letters.length)] ?? '',
      ).join('');
      const { encoding, parts } = segmentsOf(text);
      const size = (part: string): number => (encoding === 'gsm7' ? encodeGsm7(part).length : part.length);
      const most = parts.length === 1 ? { gsm7: 160, ucs2: 70 } : { gsm7: 153, ucs2: 67 };
      expect(parts.join('')).toBe(text);
      for (const part of parts) expect(size(part)).toBeLessThanOrEqual(most[encoding]);
    }
  });
});

describe('GSM 03.38', () => {
  it('has the codes of 3GPP TS 23.038', () => {
    expect([...encodeGsm7('@Δ A\n¡üà')]).toEqual([0x00, 0x10, 0x20, 0x41, 0x0a, 0x40, 0x7e, 0x7f]);
    expect([...encodeGsm7('€[]')]).toEqual([0x1b, 0x65, 0x1b, 0x3c, 0x1b, 0x3e]);
  });

  it('reads back what it wrote', () => {
    const text = BASIC_LETTERS + EXTENSION_LETTERS;
    expect(decodeGsm7(encodeGsm7(text))).toBe(text);
  });

  it('reads an unknown escape as its basic character, and a torn one as a space', () => {
    expect(decodeGsm7(Buffer.from([0x1b, 0x41]))).toBe('A');
    expect(decodeGsm7(Buffer.from([0x41, 0x1b]))).toBe('A ');
  });

  it('refuses what it does not have', () => expect(() => encodeGsm7('ж')).toThrow(RangeError));
});

describe('UCS-2', () => {
  it('is big-endian and survives surrogates', () => {
    expect([...encodeUcs2('ж')]).toEqual([0x04, 0x36]);
    expect(decodeUcs2(encodeUcs2('жщ😀'))).toBe('жщ😀');
  });

  it('ignores half a unit at the end', () => expect(decodeUcs2(Buffer.from([0x04, 0x36, 0x04]))).toBe('ж'));
});
