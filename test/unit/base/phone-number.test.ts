import { describe, expect, it } from 'vitest';
import { toE164 } from '../../../src/base/phone-number.ts';

describe('a telephone number', () => {
  it.each([
    ['+44 20 7946 0123', '+442079460123'],
    ['+1 (415) 555-2671', '+14155552671'],
    ['tel:+4930123456', '+4930123456'],
    ['sip:+14155552671@carrier.example;user=phone', '+14155552671'],
    ['+14155552671;npdi', '+14155552671'],
    // Private plans and the demo number: not possible for libphonenumber, yet it rings.
    ['+15550100', '+15550100'],
    ['+999 123-456', '+999123456'],
  ])('is read from %s', (text, expected) => expect(toE164(text)).toBe(expected));

  it('needs a country when it has none itself', () => {
    expect(toE164('020 7946 0123', 'GB')).toBe('+442079460123');
    expect(toE164('(415) 555-2671', 'US')).toBe('+14155552671');
    expect(toE164('020 7946 0123')).toBeUndefined();
    expect(toE164('020 7946 0123', 'XX')).toBeUndefined();
  });

  it('is one number however it was written', () => {
    const forms = ['+442079460123', '+44 (0)20 7946 0123', '+44-20-7946-0123', ' +44.20.7946.0123 '];
    expect(new Set(forms.map((form) => toE164(form)))).toEqual(new Set(['+442079460123']));
  });

  it.each(['', 'anonymous', 'sip:anonymous@anonymous.invalid', '1001', '+', '+0123456', '+1234', 'laura'])(
    'is not in "%s"',
    (text) => expect(toE164(text)).toBeUndefined(),
  );

  it('has no more than 15 digits', () => expect(toE164('+1234567890123456')).toBeUndefined());
});
