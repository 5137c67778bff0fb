/** Days as callers say them, and as the agent says them back. A day is an ISO date: 2026-11-24. */
import { matchesAt, readNumber, readOrdinal, sayOrdinal, type Found } from './words.ts';

const DAY_MS = 86_400_000;
export const WEEKDAYS = ['sunday', 'monday', 'tuesday', 'wednesday', 'thursday', 'friday', 'saturday'];
export const MONTHS = [
  ...['january', 'february', 'march', 'april', 'may', 'june'],
  ...['july', 'august', 'september', 'october', 'november', 'december'],
];

/** Making one takes most of an utterance's time, and every utterance needs one. */
const dayFormats = new Map<string, Intl.DateTimeFormat>();

function dayFormat(timeZone: string): Intl.DateTimeFormat {
  const known = dayFormats.get(timeZone);
  if (known) return known;
  const format = new Intl.DateTimeFormat('en-CA', { timeZone, dateStyle: 'short' });
  dayFormats.set(timeZone, format);
  return format;
}

/** The calendar day that a moment falls on in a time zone. */
export function dayIn(timeZone: string, moment: Date): string {
  const parts = dayFormat(timeZone).formatToParts(moment);
  const part = (type: string): string => parts.find((one) => one.type === type)?.value ?? '';
  return `${part('year')}-${part('month')}-${part('day')}`;
}

function utc(day: string): Date {
  return new Date(`${day}T00:00:00Z`);
}

export function addDays(day: string, days: number): string {
  return new Date(utc(day).getTime() + days * DAY_MS).toISOString().slice(0, 10);
}

/** The date, or null when the month has no such day. Months from 12 on are those of the next year. */
function dateOf(year: number, month: number, dayOfMonth: number): string | null {
  const date = new Date(Date.UTC(year, month, dayOfMonth));
  return date.getUTCMonth() === month % 12 ? date.toISOString().slice(0, 10) : null;
}

/** The next `dayOfMonth` of `month` (0 to 11) that is not past; without a month the next such day at all. */
function coming(today: string, dayOfMonth: number, month: number | null): string | null {
  const now = utc(today);
  // 29 February comes at most eight years later; a day of month at most two months later.
  for (let step = 0; step < 9; step += 1) {
    const date =
      month === null
        ? dateOf(now.getUTCFullYear(), now.getUTCMonth() + step, dayOfMonth)
        : dateOf(now.getUTCFullYear() + step, month, dayOfMonth);
    if (date !== null && date >= today) return date;
  }
  return null;
}

function weekdayFrom(today: string, weekday: number, word: string | undefined): string {
  const current = utc(today).getUTCDay();
  const ahead = (weekday - current + 7) % 7;
  // "next Friday" is the Friday of the next calendar week (Monday to Sunday); the read-back shows the date.
  if (word === 'next') {
    const toMonday = ((1 - current + 7) % 7 || 7) + ((weekday + 6) % 7);
    return addDays(today, toMonday);
  }
  return addDays(today, ahead === 0 && word !== 'this' ? 7 : ahead);
}

function readMonthDay(words: readonly string[], at: number, today: string): Found<string> | null {
  const month = MONTHS.indexOf(words[at] ?? '');
  if (month < 0) return null;
  const start = words[at + 1] === 'the' ? at + 2 : at + 1;
  const number = readOrdinal(words, start) ?? readNumber(words, start);
  const value = number && coming(today, number.value, month);
  return number && value ? { value, from: at, to: number.to } : null;
}

function readDayOfMonth(words: readonly string[], at: number, today: string): Found<string> | null {
  const ordinal = readOrdinal(words, at);
  if (!ordinal) return null;
  const monthAt = words[ordinal.to] === 'of' ? ordinal.to + 1 : ordinal.to;
  const month = MONTHS.indexOf(words[monthAt] ?? '');
  if (month >= 0) {
    const value = coming(today, ordinal.value, month);
    return value ? { value, from: at, to: monthAt + 1 } : null;
  }
  // A bare ordinal is a day only after "the": "the third", but not "third time".
  if (words[at - 1] !== 'the') return null;
  const value = coming(today, ordinal.value, null);
  return value ? { value, from: at - 1, to: ordinal.to } : null;
}

function readDayAt(words: readonly string[], at: number, today: string): Found<string> | null {
  if (matchesAt(words, at, ['day', 'after', 'tomorrow']))
    return { value: addDays(today, 2), from: at, to: at + 3 };
  const word = words[at];
  if (word === 'today' || word === 'tonight') return { value: today, from: at, to: at + 1 };
  if (word === 'tomorrow') return { value: addDays(today, 1), from: at, to: at + 1 };
  const weekday = WEEKDAYS.indexOf(word ?? '');
  if (weekday >= 0) {
    const dated = readDayAt(words, words[at + 1] === 'the' ? at + 2 : at + 1, today);
    // "Tuesday the twenty-fourth": the date is the surer half.
    if (dated && readOrdinal(words, dated.to - 1) !== null && dated.from <= at + 2)
      return { ...dated, from: at };
    return { value: weekdayFrom(today, weekday, words[at - 1]), from: at, to: at + 1 };
  }
  return readMonthDay(words, at, today) ?? readDayOfMonth(words, at, today);
}

/** The last day that is named: "no, not Monday, Tuesday" means Tuesday. `today` is an ISO date. */
export function readDay(words: readonly string[], today: string): Found<string> | null {
  let found: Found<string> | null = null;
  for (let at = 0; at < words.length; at += 1) {
    const day = readDayAt(words, at, today);
    if (day) found = day;
    // "the thirty-first of February" is no day; the first of February in it was not meant.
    const read = day ?? readOrdinal(words, at);
    if (read) at = read.to - 1;
  }
  return found;
}

const capital = (word: string): string => word.charAt(0).toUpperCase() + word.slice(1);

/** "Tuesday the twenty-fourth of November". */
export function sayDay(day: string): string {
  const date = utc(day);
  const weekday = capital(WEEKDAYS[date.getUTCDay()] ?? '');
  const month = capital(MONTHS[date.getUTCMonth()] ?? '');
  return `${weekday} the ${sayOrdinal(date.getUTCDate())} of ${month}`;
}
