/** Which times can still be booked. */
import { addDays } from '../models/offline/day.ts';
import { sayTime } from '../models/offline/time-of-day.ts';
import type { AppointmentBook } from './book-appointment.ts';
import { lastDay, timesOf, type AppointmentRules } from './opening-hours.ts';

export interface FreeTimes {
  readonly rules: AppointmentRules;
  readonly book: Pick<AppointmentBook, 'taken'>;
  /** As `clockIn` gives it. */
  readonly now: string;
}

/** The free times of a day that are yet to come. */
export async function freeOn(day: string, { rules, book, now }: FreeTimes): Promise<string[]> {
  if (day < now.slice(0, 10) || day > lastDay(now, rules)) return [];
  const times = timesOf(day, rules);
  if (times.length === 0) return [];
  const taken = new Set(await book.taken(day));
  return times.filter((time) => !taken.has(time) && `${day}T${time}` > now);
}

/** The first day from `day` on with a free time; null when there is none as far ahead as one can book. */
export async function nextFree(
  day: string,
  free: FreeTimes,
): Promise<{ day: string; times: string[] } | null> {
  const today = free.now.slice(0, 10);
  const last = lastDay(free.now, free.rules);
  for (let at = day < today ? today : day; at <= last; at = addDays(at, 1)) {
    const times = await freeOn(at, free);
    if (times.length > 0) return { day: at, times };
  }
  return null;
}

/** "nine in the morning, half past nine in the morning and noon". */
export function sayTimes(times: readonly string[]): string {
  const said = times.map(sayTime);
  const last = said.pop() ?? '';
  return said.length === 0 ? last : `${said.join(', ')} and ${last}`;
}
