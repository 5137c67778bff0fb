import { describe, expect, it } from 'vitest';
import { clockAt, dayAt, instantOf } from '../../../src/base/zoned-time.ts';

describe('the time of a place', () => {
  it.each([
    ['2026-01-15', '10:00', 'UTC', '2026-01-15T10:00:00.000Z'],
    ['2026-01-15', '10:00', 'Europe/London', '2026-01-15T10:00:00.000Z'],
    ['2026-07-15', '10:00', 'Europe/London', '2026-07-15T09:00:00.000Z'],
    ['2026-01-15', '23:30', 'America/New_York', '2026-01-16T04:30:00.000Z'],
    ['2026-01-15', '00:15', 'Asia/Kathmandu', '2026-01-14T18:30:00.000Z'],
    ['2026-12-31', '23:59', 'Pacific/Kiritimati', '2026-12-31T09:59:00.000Z'],
  ])('%s %s in %s', (day, time, zone, instant) => {
    expect(instantOf({ day, time }, zone).toISOString()).toBe(instant);
    expect(clockAt(new Date(instant), zone)).toEqual({ day, time });
  });

  it('that comes twice is the first, and one that is left out is read by the old clock', () => {
    // Europe/London: back at 02:00 on 25 October 2026, forward at 01:00 on 29 March 2026.
    const read = (day: string, time: string): string =>
      instantOf({ day, time }, 'Europe/London').toISOString();
    expect(read('2026-10-25', '01:30')).toBe('2026-10-25T00:30:00.000Z');
    expect(read('2026-03-29', '01:30')).toBe('2026-03-29T01:30:00.000Z');
    expect(read('2026-03-29', '00:30')).toBe('2026-03-29T00:30:00.000Z');
    expect(read('2026-03-29', '02:30')).toBe('2026-03-29T01:30:00.000Z');
    expect(read('2026-10-25', '03:00')).toBe('2026-10-25T03:00:00.000Z');
  });

  it('is read back as it was written, every quarter of an hour of days with a change', () => {
    for (const zone of ['Europe/London', 'America/New_York', 'Australia/Lord_Howe'])
      for (let quarter = 0; quarter < 96 * 3; quarter += 1) {
        const at = new Date(Date.UTC(2026, 9, 24, 0, quarter * 15));
        const shown = clockAt(at, zone);
        expect(clockAt(instantOf(shown, zone), zone)).toEqual(shown);
      }
  });
});

describe('the day of a place', () => {
  it.each([
    ['2026-11-26T10:00:00Z', 'UTC', '2026-11-26', '2026-11-26T00:00:00.000Z', 24],
    ['2026-11-26T03:00:00Z', 'America/New_York', '2026-11-25', '2026-11-25T05:00:00.000Z', 24],
    ['2026-11-26T10:00:00Z', 'Pacific/Kiritimati', '2026-11-27', '2026-11-26T10:00:00.000Z', 24],
    ['2026-12-31T23:59:59Z', 'Europe/London', '2026-12-31', '2026-12-31T00:00:00.000Z', 24],
    ['2026-03-29T12:00:00Z', 'Europe/London', '2026-03-29', '2026-03-29T00:00:00.000Z', 23],
    ['2026-10-25T00:00:00Z', 'Europe/London', '2026-10-25', '2026-10-24T23:00:00.000Z', 25],
  ])('%s in %s is %s', (at, zone, day, start, hours) => {
    const found = dayAt(new Date(at), zone);
    expect([found.day, found.start.toISOString()]).toEqual([day, start]);
    expect((found.end.getTime() - found.start.getTime()) / 3_600_000).toBe(hours);
    expect(dayAt(found.end, zone).start).toEqual(found.end);
  });

  it('is followed by the next one without a gap, through a year of changes', () => {
    for (const zone of ['Europe/London', 'America/Sao_Paulo', 'Asia/Beirut', 'Australia/Lord_Howe']) {
      let today = dayAt(new Date('2026-01-01T12:00:00Z'), zone);
      for (let days = 0; days < 366; days += 1) {
        const tomorrow = dayAt(today.end, zone);
        expect(tomorrow.start).toEqual(today.end);
        expect(Date.parse(tomorrow.day) - Date.parse(today.day)).toBe(24 * 3_600_000);
        expect(dayAt(new Date(tomorrow.start.getTime() - 1), zone).day).toBe(today.day);
        today = tomorrow;
      }
    }
  });
});
