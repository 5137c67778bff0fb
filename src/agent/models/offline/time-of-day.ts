/** Times of day as callers say them, and as the agent says them back. A time is 24-hour HH:MM. */
import { matchesAt, readNumber, sayNumber, type Found } from './words.ts';

type DayPart = 'morning' | 'afternoon' | null;

/** Without "in the morning" a clinic's clock is meant: one to seven are afternoon hours. */
const FIRST_MORNING_HOUR = 8;
const HALF_DAY = 12 * 60;
const MINUTES_OF_DAY = 2 * HALF_DAY;

const PARTS: readonly (readonly [readonly string[], DayPart])[] = [
  [['in', 'the', 'morning'], 'morning'],
  [['in', 'the', 'afternoon'], 'afternoon'],
  [['in', 'the', 'evening'], 'afternoon'],
  [['a', 'm'], 'morning'],
  [['p', 'm'], 'afternoon'],
  [['am'], 'morning'],
  [['pm'], 'afternoon'],
  [['at', 'night'], 'afternoon'],
];

/** Words that make the number after them a time. */
const LEADS = new Set(['at', 'around', 'about', 'by', 'for', 'past', 'until', 'is', 'it', 'after', 'before']);
const STRONG_LEADS = new Set(['at', 'around', 'about', 'for', 'by']);
/** "for two people" is not a time. */
const COUNTED = new Set(['people', 'person', 'persons', 'minutes', 'days', 'weeks', 'day', 'week', 'hours']);

/** "the wrong one" is no time, and neither is "no one". */
const POINTING = new Set(['the', 'that', 'this', 'right', 'wrong', 'other', 'another', 'no', 'which']);

function readPart(words: readonly string[], at: number): { part: DayPart; to: number } {
  for (const [pattern, part] of PARTS) {
    if (matchesAt(words, at, pattern)) return { part, to: at + pattern.length };
  }
  return { part: null, to: at };
}

/** "tomorrow morning at nine": the part of the day may stand anywhere, but "good morning" greets. */
function partAnywhere(words: readonly string[]): DayPart {
  for (let at = 0; at < words.length; at += 1) {
    if (words[at - 1] === 'good') continue;
    if (words[at] === 'morning') return 'morning';
    if (words[at] === 'afternoon' || words[at] === 'evening') return 'afternoon';
  }
  return null;
}

/** Minutes of the day. Part of the day rules; without it the hour tells. */
function minutesOf(hour: number, offset: number, part: DayPart): number {
  if (hour > 12 || hour === 0) return hour * 60 + offset;
  if (part === null) return (hour < FIRST_MORNING_HOUR ? hour + 12 : hour) * 60 + offset;
  // "quarter to twelve in the morning" is a morning's quarter, though twelve is none of its hours.
  const inHalf = ((hour % 12) * 60 + offset + HALF_DAY) % HALF_DAY;
  return part === 'morning' ? inHalf : inHalf + HALF_DAY;
}

function clock(minutes: number): string {
  const inDay = (minutes + MINUTES_OF_DAY) % MINUTES_OF_DAY;
  const two = (value: number): string => String(value).padStart(2, '0');
  return `${two(Math.floor(inDay / 60))}:${two(inDay % 60)}`;
}

interface Reading {
  hour: number;
  /** Minutes after the hour; negative before it. */
  offset: number;
  from: number;
  to: number;
  /** Its shape alone says that it is a time. */
  sure: boolean;
}

/** "half past two", "quarter to nine", "twenty past three". */
function readRelative(words: readonly string[], at: number): Reading | null {
  const start = words[at] === 'a' && words[at + 1] === 'quarter' ? at + 1 : at;
  const named = { half: 30, quarter: 15 }[words[start] ?? ''];
  const number = named === undefined ? readNumber(words, start) : null;
  const minutes = named ?? number?.value;
  if (minutes === undefined || minutes === 0) return null;
  let next = number?.to ?? start + 1;
  if (words[next] === 'minutes') next += 1;
  const direction = words[next];
  if (direction !== 'past' && direction !== 'to' && direction !== 'after') return null;
  if (direction === 'to' && minutes === 30) return null;
  const hour = readNumber(words, next + 1);
  if (!hour || hour.value < 1 || hour.value > 12) return null;
  // "five to nine" may also be a span of hours, "from five to nine": it is sure only after "at".
  return {
    hour: hour.value,
    offset: direction === 'to' ? -minutes : minutes,
    from: at,
    to: hour.to,
    sure: named !== undefined || direction !== 'to' || STRONG_LEADS.has(words[at - 1] ?? ''),
  };
}

function readMinutes(words: readonly string[], at: number): Found<number> | null {
  if (words[at] === 'oh' || words[at] === 'zero') {
    const digit = readNumber(words, at + 1);
    return digit && digit.value >= 1 && digit.value <= 9 ? { ...digit, from: at } : null;
  }
  const minutes = readNumber(words, at);
  const twoFigures = minutes && (minutes.value >= 10 || words[at]?.length === 2);
  return twoFigures && minutes.value < 60 ? minutes : null;
}

/** "ten", "two thirty", "nine oh five", "ten o'clock". */
function readAbsolute(words: readonly string[], at: number): Reading | null {
  if (words[at] === 'noon' || words[at] === 'midday')
    return { hour: 12, offset: 0, from: at, to: at + 1, sure: true };
  const hour = readNumber(words, at);
  if (!hour || hour.value > 23 || (hour.value === 0 && words[at] === 'zero')) return null;
  const minutes = readMinutes(words, hour.to);
  if (minutes) return { hour: hour.value, offset: minutes.value, from: at, to: minutes.to, sure: true };
  const oclock = words[hour.to] === "o'clock";
  if (COUNTED.has(words[hour.to] ?? '')) return null;
  const pointed = words[at] === 'one' && POINTING.has(words[at - 1] ?? '');
  if (pointed && !oclock && readPart(words, hour.to).part === null) return null;
  return {
    hour: hour.value,
    offset: 0,
    from: at,
    to: oclock ? hour.to + 1 : hour.to,
    sure: oclock || STRONG_LEADS.has(words[at - 1] ?? ''),
  };
}

/**
 * The last time of day that is named. A bare number ("ten") counts only when `expected`:
 * the caller was asked for a time.
 */
export function readTime(words: readonly string[], expected: boolean): Found<string> | null {
  let found: Found<string> | null = null;
  const general = partAnywhere(words);
  for (let at = 0; at < words.length; at += 1) {
    const reading = readRelative(words, at) ?? readAbsolute(words, at);
    if (!reading) {
      // "twenty five" is no hour; the five in it was not meant.
      at = Math.max(at, (readNumber(words, at)?.to ?? at) - 1);
      continue;
    }
    const near = readPart(words, reading.to);
    if (reading.sure || near.part !== null || expected) {
      const from = LEADS.has(words[reading.from - 1] ?? '') ? reading.from - 1 : reading.from;
      found = {
        value: clock(minutesOf(reading.hour, reading.offset, near.part ?? general)),
        from,
        to: near.to,
      };
    }
    at = Math.max(near.to, reading.to) - 1;
  }
  return found;
}

/** "half past two in the afternoon", "ten in the morning", "noon". */
export function sayTime(time: string): string {
  const [hour = 0, minute = 0] = time.split(':').map(Number);
  if (hour === 12 && minute === 0) return 'noon';
  const name = (value: number): string => sayNumber(value % 12 === 0 ? 12 : value % 12);
  const part = hour < 12 ? 'in the morning' : hour < 18 ? 'in the afternoon' : 'in the evening';
  if (minute === 0) return `${name(hour)} ${part}`;
  if (minute === 15) return `quarter past ${name(hour)} ${part}`;
  if (minute === 30) return `half past ${name(hour)} ${part}`;
  if (minute === 45) return `quarter to ${name(hour + 1)} ${part}`;
  return `${name(hour)} ${minute < 10 ? 'oh ' : ''}${sayNumber(minute)} ${part}`;
}
