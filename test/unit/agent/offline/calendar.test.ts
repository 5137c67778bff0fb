/** Days and times where the calendar is odd: clock changes, midnight, year ends, leap days, far zones. */
import { describe, expect, it } from 'vitest';
import { addDays, dayIn, readDay, sayDay } from '../../../../src/agent/models/offline/day.ts';
import { readTime, sayTime } from '../../../../src/agent/models/offline/time-of-day.ts';
import { readNumber, readOrdinal, wordsOf } from '../../../../src/agent/models/offline/words.ts';

const HOUR_MS = 3_600_000;
const day = (text: string, today: string): string | undefined => readDay(wordsOf(text), today)?.value;
const time = (text: string, expected = false): string | undefined => readTime(wordsOf(text), expected)?.value;

const ZONES = [
  ...['Europe/London', 'America/New_York', 'America/St_Johns', 'Australia/Lord_Howe', 'Asia/Kathmandu'],
  ...['Pacific/Kiritimati', 'UTC'],
];

describe('today', () => {
  it.each([
    // The clock jumps from 01:00 to 02:00.
    ['Europe/London', '2026-03-29T00:59:59Z', '2026-03-29'],
    ['Europe/London', '2026-03-29T22:59:59Z', '2026-03-29'],
    ['Europe/London', '2026-03-29T23:00:00Z', '2026-03-30'],
    ['Europe/London', '2026-03-28T23:30:00Z', '2026-03-28'],
    // It goes back from 02:00 to 01:00: this day has 25 hours.
    ['Europe/London', '2026-10-24T22:59:59Z', '2026-10-24'],
    ['Europe/London', '2026-10-24T23:00:00Z', '2026-10-25'],
    ['Europe/London', '2026-10-25T23:59:59Z', '2026-10-25'],
    ['Europe/London', '2026-10-26T00:00:00Z', '2026-10-26'],
    ['America/New_York', '2026-03-08T04:59:59Z', '2026-03-07'],
    ['America/New_York', '2026-03-09T03:59:59Z', '2026-03-08'],
    ['America/New_York', '2026-03-09T04:00:00Z', '2026-03-09'],
    ['America/New_York', '2026-11-02T04:59:59Z', '2026-11-01'],
    ['America/New_York', '2026-11-02T05:00:00Z', '2026-11-02'],
    // Half an hour, three quarters of one, and a whole day apart.
    ['Asia/Kathmandu', '2026-11-23T18:14:59Z', '2026-11-23'],
    ['Asia/Kathmandu', '2026-11-23T18:15:00Z', '2026-11-24'],
    ['America/St_Johns', '2026-11-24T03:29:59Z', '2026-11-23'],
    ['America/St_Johns', '2026-11-24T03:30:00Z', '2026-11-24'],
    ['Pacific/Kiritimati', '2026-12-31T10:00:00Z', '2027-01-01'],
    ['Pacific/Pago_Pago', '2027-01-01T10:59:59Z', '2026-12-31'],
    ['UTC', '2028-02-29T23:59:59Z', '2028-02-29'],
    ['Asia/Tokyo', '2028-02-29T15:00:00Z', '2028-03-01'],
  ])('in %s at %s is %s', (zone, moment, today) => {
    expect(dayIn(zone, new Date(moment))).toBe(today);
  });

  it.each(ZONES)('in %s never goes back, never leaves a day out, and has 23 to 25 hours', (zone) => {
    let today = dayIn(zone, new Date('2026-01-01T00:00:00Z'));
    const hours = new Map<string, number>();
    for (let hour = 0; hour < 366 * 24; hour += 1) {
      const next = dayIn(zone, new Date(Date.UTC(2026, 0, 1) + hour * HOUR_MS));
      expect(next === today || next === addDays(today, 1), `${today} to ${next}`).toBe(true);
      today = next;
      hours.set(today, (hours.get(today) ?? 0) + 1);
    }
    const whole = [...hours.values()].slice(1, -1);
    expect(Math.min(...whole)).toBeGreaterThanOrEqual(23);
    expect(Math.max(...whole)).toBeLessThanOrEqual(25);
  });

  it('refuses a time zone that is none', () => {
    expect(() => dayIn('Europe/Londn', new Date())).toThrow(RangeError);
  });
});

describe('days ahead', () => {
  it.each([
    ['2026-03-28', 1, '2026-03-29'],
    ['2026-03-29', 1, '2026-03-30'],
    ['2026-10-25', 1, '2026-10-26'],
    ['2026-10-25', 7, '2026-11-01'],
    ['2026-12-31', 1, '2027-01-01'],
    ['2027-02-28', 1, '2027-03-01'],
    ['2028-02-28', 2, '2028-03-01'],
    ['2026-01-01', 365, '2027-01-01'],
    ['2028-01-01', 366, '2029-01-01'],
    ['2099-12-31', 1, '2100-01-01'],
    ['2100-02-28', 1, '2100-03-01'],
    ['2026-03-01', -1, '2026-02-28'],
  ])('%s and %i is %s', (today, days, then) => expect(addDays(today, days)).toBe(then));

  it.each([
    ['tomorrow', '2026-03-28', '2026-03-29'],
    ['tomorrow', '2026-12-31', '2027-01-01'],
    ['the day after tomorrow', '2026-12-30', '2027-01-01'],
    ['the day after tomorrow', '2028-02-28', '2028-03-01'],
    ['tomorrow', '2028-02-28', '2028-02-29'],
    ['tomorrow', '2027-02-28', '2027-03-01'],
    ['on monday', '2026-12-31', '2027-01-04'],
    ['next monday', '2026-12-31', '2027-01-04'],
    ['next friday', '2026-12-31', '2027-01-08'],
    ['this friday', '2026-12-31', '2027-01-01'],
    ['tonight', '2026-12-31', '2026-12-31'],
    ['january first', '2026-12-31', '2027-01-01'],
    ['december thirty first', '2026-12-31', '2026-12-31'],
    ['december the thirtieth', '2026-12-31', '2027-12-30'],
    ['the first', '2026-12-31', '2027-01-01'],
    ['the thirty first', '2027-01-31', '2027-01-31'],
    ['the thirty first', '2027-02-01', '2027-03-31'],
    ['the twenty ninth', '2027-02-01', '2027-03-29'],
    ['the twenty ninth', '2028-02-01', '2028-02-29'],
    ['the twenty ninth of february', '2028-02-29', '2028-02-29'],
    ['the twenty ninth of february', '2028-03-01', '2032-02-29'],
    ['the twenty ninth of february', '2096-03-01', '2104-02-29'],
    ['february 29th', '2026-11-23', '2028-02-29'],
    ['saturday the 28th', '2026-11-23', '2026-11-28'],
  ])('%s, said on %s, is %s', (text, today, then) => expect(day(text, today)).toBe(then));

  it.each(['the thirtieth of february', 'april thirty first', 'the thirty first of june', 'november 32nd'])(
    '%s never comes',
    (text) => expect(day(text, '2026-11-23')).toBeUndefined(),
  );

  it('named by a weekday are that weekday, one to seven days ahead, whatever day it is', () => {
    const names = ['sunday', 'monday', 'tuesday', 'wednesday', 'thursday', 'friday', 'saturday'];
    for (let ahead = 0; ahead < 800; ahead += 1) {
      const today = addDays('2026-11-23', ahead);
      for (const [weekday, name] of names.entries()) {
        const then = day(name, today) ?? '';
        expect(new Date(then).getUTCDay()).toBe(weekday);
        expect(then > today && then <= addDays(today, 7), `${name} on ${today}: ${then}`).toBe(true);
        const next = day(`next ${name}`, today) ?? '';
        expect(new Date(next).getUTCDay()).toBe(weekday);
        // Next week begins on Monday.
        expect(next > today && next <= addDays(today, 13), `next ${name} on ${today}: ${next}`).toBe(true);
      }
    }
  });

  it('are read back as they were said, through two years and a leap day', () => {
    for (let ahead = 0; ahead < 730; ahead += 1) {
      const today = addDays('2027-11-23', ahead);
      const then = addDays(today, 1 + (ahead % 360));
      expect(day(sayDay(then), today), `${sayDay(then)} on ${today}`).toBe(then);
    }
  });
});

describe('times of day', () => {
  it.each([
    ['at midday', '12:00'],
    ['half past twelve', '12:30'],
    ['half past twelve in the morning', '00:30'],
    ['twelve thirty p m', '12:30'],
    ['twelve thirty a m', '00:30'],
    ['quarter to twelve', '11:45'],
    ['quarter to one in the morning', '00:45'],
    ['ten to one', undefined],
    ['at ten to one', '12:50'],
    ['at ten to eight', '07:50'],
    ['at ten to eight in the evening', '19:50'],
    ['at ten to seven', '18:50'],
    ['eleven fifty nine at night', '23:59'],
    ['at 0:15', '00:15'],
    ['at 23:59', '23:59'],
    ['at 24:00', undefined],
    ['at eighteen', '18:00'],
    ['at twenty three', '23:00'],
    ['at twenty four', undefined],
    ['at twenty five', undefined],
    ['at fifty nine', undefined],
    ['seven thirty in the evening', '19:30'],
    ['one o nine', undefined],
    ['one oh nine', '13:09'],
    ['eight zero five', '08:05'],
    ['thirteen hundred', undefined],
  ])('%s', (text, value) => expect(time(text)).toBe(value));

  it.each([
    ['the wrong one', undefined],
    ['no one', undefined],
    ['that one please', undefined],
    ['one', '13:00'],
    ['at one', '13:00'],
    ["no one o'clock", '13:00'],
    ['no one thirty', '13:30'],
    ['the one in the afternoon', '13:00'],
    ['sixty', undefined],
    ['99', undefined],
    ['ten or eleven', '11:00'],
  ])('%s, when a time was asked for', (text, value) => expect(time(text, true)).toBe(value));

  it('are read back as they were said, every minute of the day', () => {
    for (let minute = 0; minute < 24 * 60; minute += 1) {
      const value = new Date(minute * 60_000).toISOString().slice(11, 16);
      expect(time(`at ${sayTime(value)}`), sayTime(value)).toBe(value);
      expect(time(`at ${value}`), value).toBe(asTheClinicReads(value));
    }
  });
});

/** "7:30" without a part of the day is an evening's; figures from 13 on, and 0, leave no choice. */
function asTheClinicReads(value: string): string {
  const hour = Number(value.slice(0, 2));
  return hour >= 1 && hour < 8 ? `${hour + 12}${value.slice(2)}` : value;
}

describe('figures', () => {
  it.each([
    ['1st', 1],
    ['2nd', 2],
    ['23rd', 23],
    ['31st', 31],
    ['thirty first', 31],
    ['twenty ninth', 29],
    ['thirtieth', 30],
    ['forty first', undefined],
    ['thirty tenth', undefined],
    ['thirty', undefined],
  ])('%s as an ordinal', (text, value) => expect(readOrdinal(text.split(' '), 0)?.value).toBe(value));

  it.each([
    ['twenty five', 25, 2],
    ['twenty ten', 20, 1],
    ['fifty nine', 59, 2],
    ['05', 5, 1],
    ['100', undefined, undefined],
    ['zero', 0, 1],
  ])('%s as a number', (text, value, to) => {
    const found = readNumber(text.split(' '), 0);
    expect([found?.value, found?.to]).toEqual([value, to]);
  });
});
