import { readFileSync } from 'node:fs';
import { getCountries, getCountryCallingCode, isSupportedCountry } from 'libphonenumber-js';
import { describe, expect, it } from 'vitest';
import { zonesOf } from '../../../../src/jobs/drivers/sms/number-zones.ts';
import { sendableAt, sendableInAll } from '../../../../src/jobs/drivers/sms/quiet-hours.ts';

const HOUR_MS = 3_600_000;
const night = { from: '21:00', to: '08:00' };
const at = (text: string): Date => new Date(text);

describe('the zones of a number', () => {
  it.each([
    ['+442079460123', ['Europe/London']],
    ['+33123456789', ['Europe/Paris']],
    ['+919876543210', ['Asia/Kolkata']],
    ['+77012345678', ['Asia/Almaty']],
    ['+12125550123', ['America/New_York']],
    ['+13125550123', ['America/Chicago']],
    ['+16025550123', ['America/Phoenix']],
    ['+18085550123', ['Pacific/Honolulu']],
    ['+14165550123', ['America/Toronto']],
    ['+17875550123', ['America/Puerto_Rico']],
  ])('%s is in %j', (number, zones) => expect(zonesOf(number)).toEqual(zones));

  it('are all of its country, and both of an area code on a border', () => {
    expect(zonesOf('+61412345678')).toEqual(
      expect.arrayContaining(['Australia/Sydney', 'Australia/Perth']) as string[],
    );
    expect(zonesOf('+79161234567')).toEqual(
      expect.arrayContaining(['Europe/Kaliningrad', 'Asia/Kamchatka']) as string[],
    );
    expect(zonesOf('+18505550123')).toEqual(['America/Chicago', 'America/New_York']);
  });

  it.each(['+18005550123', '+19995550123', '+881612345678', '+999123456', ''])(
    'of %j are unknown',
    (number) => expect(zonesOf(number)).toEqual([]),
  );

  it('are known for every country but those that share +1, and named as Node knows them', () => {
    const unknown = getCountries().filter(
      (country) =>
        getCountryCallingCode(country) !== '1' && zonesOf(`+${getCountryCallingCode(country)}`).length === 0,
    );
    expect(unknown).toEqual([]);
    for (const country of getCountries().filter((one) => isSupportedCountry(one)))
      for (const timeZone of zonesOf(`+${getCountryCallingCode(country)}`))
        expect(() => new Intl.DateTimeFormat('en', { timeZone })).not.toThrow();
  });

  it('come from a table whose every zone exists, each prefix once', () => {
    const file = new URL('../../../../src/jobs/drivers/sms/number-zones.txt', import.meta.url);
    const words = readFileSync(file, 'utf8')
      .replace(/^#.*$/gm, '')
      .split(/\s+/)
      .filter((word) => word !== '');
    const prefixes = words.filter((word) => /^\d{1,4}$/.test(word));
    const zones = words.filter((word) => word.includes('/'));
    expect(prefixes.length + zones.length).toBe(words.length);
    expect(new Set(prefixes).size).toBe(prefixes.length);
    expect(prefixes.filter((one) => one.startsWith('1')).length).toBeGreaterThan(400);
    for (const timeZone of zones) expect(() => new Intl.DateTimeFormat('en', { timeZone })).not.toThrow();
  });
});

describe('quiet hours of several zones', () => {
  it('end when it is quiet in none of them', () => {
    const zones = ['America/New_York', 'America/Los_Angeles'];
    // Three in the morning in New York: eight o'clock comes to Los Angeles last.
    expect(sendableInAll(night, at('2026-01-15T08:00:00Z'), zones)).toEqual(at('2026-01-15T16:00:00Z'));
    // Half past nine in the evening in New York, half past six in Los Angeles.
    expect(sendableInAll(night, at('2026-01-16T02:30:00Z'), zones)).toEqual(at('2026-01-16T16:00:00Z'));
    const noon = at('2026-01-15T20:00:00Z');
    expect(sendableInAll(night, noon, zones)).toEqual(noon);
  });

  it('of a wide country leave what is day everywhere', () => {
    const zones = zonesOf('+79161234567');
    for (let hour = 0; hour < 24; hour += 1) {
      const wanted = new Date(at('2026-01-15T00:30:00Z').getTime() + hour * HOUR_MS);
      const allowed = sendableInAll(night, wanted, zones);
      if (allowed === undefined) throw new Error('there are three hours a day');
      expect([6, 7, 8]).toContain(allowed.getUTCHours());
      expect(allowed.getTime() - wanted.getTime()).toBeLessThan(24 * HOUR_MS);
      for (const zone of zones) expect(sendableAt(night, allowed, zone)).toEqual(allowed);
    }
  });

  it('may never end, and are not waited for then', () => {
    const zones = ['Europe/London', 'Asia/Tokyo', 'America/Los_Angeles'];
    expect(sendableInAll({ from: '18:00', to: '12:00' }, at('2026-01-15T08:00:00Z'), zones)).toBeUndefined();
  });

  it('are none where none are set', () => {
    const when = at('2026-01-15T03:00:00Z');
    expect(sendableInAll({ from: '', to: '' }, when, ['Europe/London', 'Asia/Tokyo'])).toEqual(when);
  });
});
