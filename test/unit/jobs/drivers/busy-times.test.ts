import { describe, expect, it } from 'vitest';
import {
  busyTimes,
  compactUtc,
  eventText,
  type BusyTime,
} from '../../../../src/jobs/drivers/calendar/busy-times.ts';

const JANUARY = { start: new Date('2026-01-01T00:00:00Z'), end: new Date('2026-02-01T00:00:00Z') };

const LONDON = [
  ...['BEGIN:VTIMEZONE', 'TZID:London', 'BEGIN:STANDARD', 'DTSTART:19701025T020000', 'TZOFFSETFROM:+0100'],
  ...['TZOFFSETTO:+0000', 'RRULE:FREQ=YEARLY;BYMONTH=10;BYDAY=-1SU', 'END:STANDARD', 'BEGIN:DAYLIGHT'],
  ...['DTSTART:19700329T010000', 'TZOFFSETFROM:+0000', 'TZOFFSETTO:+0100'],
  ...['RRULE:FREQ=YEARLY;BYMONTH=3;BYDAY=-1SU', 'END:DAYLIGHT', 'END:VTIMEZONE'],
];

function calendarOf(...events: string[][]): string {
  const bodies = events.flatMap((lines) => [
    'BEGIN:VEVENT',
    'DTSTAMP:20260101T000000Z',
    ...lines,
    'END:VEVENT',
  ]);
  return ['BEGIN:VCALENDAR', 'VERSION:2.0', ...LONDON, ...bodies, 'END:VCALENDAR', ''].join('\r\n');
}

const spans = (found: BusyTime[]): string[] =>
  found.map((one) => `${compactUtc(one.start)}/${compactUtc(one.end)}`);

const read = (timeZone: string, ...events: string[][]): string[] =>
  spans(busyTimes(calendarOf(...events), JANUARY, timeZone));

describe('busy times', () => {
  it.each([
    [
      'UTC',
      ['UID:1', 'DTSTART:20260115T100000Z', 'DTEND:20260115T103000Z'],
      '20260115T100000Z/20260115T103000Z',
    ],
    [
      'a length',
      ['UID:1', 'DTSTART:20260115T100000Z', 'DURATION:PT90M'],
      '20260115T100000Z/20260115T113000Z',
    ],
    [
      'a zone',
      ['UID:1', 'DTSTART;TZID=London:20260115T100000', 'DURATION:PT1H'],
      '20260115T100000Z/20260115T110000Z',
    ],
    ['no zone', ['UID:1', 'DTSTART:20260115T100000', 'DURATION:PT1H'], '20260115T150000Z/20260115T160000Z'],
    ['a whole day', ['UID:1', 'DTSTART;VALUE=DATE:20260115'], '20260115T050000Z/20260116T050000Z'],
  ])('are read with %s', (_what, lines, expected) => {
    expect(read('America/New_York', lines)).toEqual([expected]);
  });

  it('are those of every occurrence within the span, with their exceptions', () => {
    const weekly = ['UID:w', 'DTSTART:20251211T100000Z', 'DURATION:PT30M', 'RRULE:FREQ=WEEKLY'];
    const moved = ['UID:w', 'RECURRENCE-ID:20260108T100000Z', 'DTSTART:20260108T150000Z', 'DURATION:PT30M'];
    const off = ['UID:w', 'RECURRENCE-ID:20260122T100000Z', 'DTSTART:20260122T100000Z', 'STATUS:CANCELLED'];
    expect(read('UTC', [...weekly, 'EXDATE:20260115T100000Z'], moved, off)).toEqual([
      '20260101T100000Z/20260101T103000Z',
      '20260108T150000Z/20260108T153000Z',
      '20260129T100000Z/20260129T103000Z',
    ]);
  });

  it('of what takes no time are none', () => {
    const at = ['DTSTART:20260115T100000Z', 'DTEND:20260115T103000Z'];
    expect(read('UTC', ['UID:1', ...at, 'STATUS:CANCELLED'], ['UID:2', ...at, 'TRANSP:TRANSPARENT'])).toEqual(
      [],
    );
  });

  it('outside of the span are left out, those that touch it too', () => {
    const before = ['UID:1', 'DTSTART:20251231T230000Z', 'DTEND:20260101T000000Z'];
    const after = ['UID:2', 'DTSTART:20260201T000000Z', 'DTEND:20260201T010000Z'];
    const over = ['UID:3', 'DTSTART:20251231T230000Z', 'DTEND:20260101T000001Z'];
    expect(busyTimes(calendarOf(before, after, over), JANUARY, 'UTC').map((one) => one.uid)).toEqual(['3']);
  });

  it('do not hang on a rule that repeats every second for ever', () => {
    const endless = ['UID:e', 'DTSTART:20260101T000000Z', 'DURATION:PT1S', 'RRULE:FREQ=SECONDLY'];
    expect(read('UTC', endless).length).toBeLessThanOrEqual(5000);
  });

  it.each(['', 'no calendar', 'BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\n'])('are not in %j', (text) => {
    expect(() => busyTimes(text, JANUARY, 'UTC')).toThrow(/CALENDAR_UNREADABLE/);
  });
});

describe('an event as text', () => {
  it('is read back as it was written, whatever is in its words', () => {
    const start = new Date('2026-01-15T10:00:00Z');
    const end = new Date('2026-01-15T10:30:00Z');
    const title = 'Bennett; Laura, "née" O\\Neil\nEND:VEVENT\nBEGIN:VEVENT';
    const text = eventText({ uid: 'u@trunkline', start, end, title, description: `${'ж'.repeat(100)}, 😀` });
    expect(busyTimes(text, JANUARY, 'UTC')).toEqual([{ uid: 'u@trunkline', start, end }]);
    expect(text.split('\r\n').filter((line) => line === 'BEGIN:VEVENT')).toHaveLength(1);
    for (const line of text.split('\r\n')) expect(Buffer.byteLength(line)).toBeLessThanOrEqual(75);
  });
});
