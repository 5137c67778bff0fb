/** When a calendar is busy, from its iCalendar objects (RFC 5545). */
import ICAL from 'ical.js';
import { TrunklineError } from '../../../base/errors.ts';
import { instantOf } from '../../../base/zoned-time.ts';

export interface BusyTime {
  readonly uid: string;
  readonly start: Date;
  /** Exclusive. */
  readonly end: Date;
}

export interface Span {
  readonly start: Date;
  readonly end: Date;
}

/** A rule that repeats for ever is followed no further. */
const occurrences_max = 5000;

/**
 * What of an object lies within the span. Cancelled and transparent events take no time. Times without a
 * zone, and whole days, are those of `timeZone`.
 * @throws TrunklineError CALENDAR_UNREADABLE
 */
export function busyTimes(text: string, span: Span, timeZone: string): BusyTime[] {
  let calendar: ICAL.Component;
  try {
    calendar = new ICAL.Component(ICAL.parse(text) as string);
  } catch (error) {
    throw new TrunklineError('CALENDAR_UNREADABLE', 'an object is no iCalendar', { cause: error });
  }
  if (calendar.name !== 'vcalendar') throw new TrunklineError('CALENDAR_UNREADABLE', 'no VCALENDAR');
  return calendar
    .getAllSubcomponents('vevent')
    .filter((component) => !component.hasProperty('recurrence-id') && takesTime(component))
    .flatMap((component) => occurrences(new ICAL.Event(component), span, timeZone));
}

function takesTime(event: ICAL.Component): boolean {
  const word = (name: string): string => String(event.getFirstPropertyValue(name) ?? '').toUpperCase();
  return word('status') !== 'CANCELLED' && word('transp') !== 'TRANSPARENT';
}

/** The package's own type of this does not resolve. */
interface Occurrence {
  readonly item: ICAL.Event;
  readonly startDate: ICAL.Time;
  readonly endDate: ICAL.Time;
}

function occurrences(event: ICAL.Event, span: Span, timeZone: string): BusyTime[] {
  const instant = (time: ICAL.Time): Date => instantOfTime(time, timeZone);
  const overlaps = ({ start, end }: Span): boolean => start < span.end && end > span.start;
  if (!event.isRecurring()) {
    const one = { uid: event.uid, start: instant(event.startDate), end: instant(event.endDate) };
    return overlaps(one) ? [one] : [];
  }
  const found: BusyTime[] = [];
  const iterator = event.iterator();
  for (let count = 0; count < occurrences_max; count += 1) {
    const next = iterator.next() as ICAL.Time | null;
    if (next === null || instant(next) >= span.end) break;
    const { item, startDate, endDate } = event.getOccurrenceDetails(next) as Occurrence;
    const one = { uid: event.uid, start: instant(startDate), end: instant(endDate) };
    if (overlaps(one) && takesTime(item.component)) found.push(one);
  }
  return found;
}

function instantOfTime(time: ICAL.Time, timeZone: string): Date {
  const isFloating = time.isDate || time.zone === ICAL.Timezone.localTimezone;
  if (!isFloating) return time.toJSDate();
  const two = (number: number): string => String(number).padStart(2, '0');
  const day = `${time.year}-${two(time.month)}-${two(time.day)}`;
  return instantOf({ day, time: `${two(time.hour)}:${two(time.minute)}` }, timeZone);
}

export interface NewEvent extends Span {
  readonly uid: string;
  readonly title: string;
  readonly description: string;
}

/** One event as an iCalendar object, in UTC: clock changes move nothing. */
export function eventText({ uid, start, end, title, description }: NewEvent): string {
  const calendar = new ICAL.Component(['vcalendar', [], []]);
  calendar.updatePropertyWithValue('version', '2.0');
  calendar.updatePropertyWithValue('prodid', '-//Trunkline//Calendar//EN');
  const event = new ICAL.Component('vevent');
  event.updatePropertyWithValue('uid', uid);
  event.updatePropertyWithValue('dtstamp', utcTime(new Date()));
  event.updatePropertyWithValue('dtstart', utcTime(start));
  event.updatePropertyWithValue('dtend', utcTime(end));
  event.updatePropertyWithValue('summary', title);
  event.updatePropertyWithValue('description', description);
  event.updatePropertyWithValue('status', 'CONFIRMED');
  calendar.addSubcomponent(event);
  return `${calendar.toString()}\r\n`;
}

function utcTime(at: Date): ICAL.Time {
  return ICAL.Time.fromJSDate(at, true);
}

/** `20260115T100000Z` */
export function compactUtc(at: Date): string {
  return `${at.toISOString().slice(0, 19).replace(/[-:]/g, '')}Z`;
}
