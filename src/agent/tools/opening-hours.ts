/** When appointments can be: a profile's hours, its holidays, and the grid of its slots. */
import { z } from 'zod';
import { addDays, sayDay, WEEKDAYS } from '../models/offline/day.ts';

const TIME = '([01]\\d|2[0-3]):[0-5]\\d';
const span = z
  .string()
  .regex(new RegExp(`^${TIME}-(${TIME}|24:00)$`), 'must be a span such as 08:00-18:00')
  .refine((text) => text.slice(0, 5) < text.slice(6), 'must end after it begins');
const spans = z
  .array(span)
  .default([])
  .refine(
    (all) => all.every((one, index) => index === 0 || (all[index - 1] ?? '').slice(6) <= one.slice(0, 5)),
    {
      error: 'must be in order and must not overlap',
    },
  );

export const appointmentRulesSchema = z.strictObject({
  /** Length of an appointment, and the grid on which they begin, in minutes. */
  slot_minutes: z.int().min(5).max(480).default(30),
  /** How far ahead appointments can be made, in days. */
  days_ahead_max: z.int().min(1).max(730).default(180),
  /** Spans of each weekday; a day without any is closed. */
  hours: z
    .strictObject({
      monday: spans,
      tuesday: spans,
      wednesday: spans,
      thursday: spans,
      friday: spans,
      saturday: spans,
      sunday: spans,
    })
    .prefault({}),
  /** ISO dates that are closed whatever their weekday. */
  holidays: z.array(z.iso.date()).default([]),
});
export type AppointmentRules = z.infer<typeof appointmentRulesSchema>;

type Weekday = keyof AppointmentRules['hours'];

const weekdayOf = (day: string): Weekday =>
  (WEEKDAYS[new Date(`${day}T00:00:00Z`).getUTCDay()] ?? 'sunday') as Weekday;

const minutesOf = (time: string): number => Number(time.slice(0, 2)) * 60 + Number(time.slice(3, 5));
const timeOf = (minutes: number): string =>
  `${String(Math.floor(minutes / 60)).padStart(2, '0')}:${String(minutes % 60).padStart(2, '0')}`;

/** The times of a day at which appointments begin, in order; none when it is closed. */
export function timesOf(day: string, rules: AppointmentRules): string[] {
  if (rules.holidays.includes(day)) return [];
  return rules.hours[weekdayOf(day)].flatMap((one) => {
    const [first, last] = [minutesOf(one.slice(0, 5)), minutesOf(one.slice(6)) - rules.slot_minutes];
    const times: string[] = [];
    for (let at = first; at <= last; at += rules.slot_minutes) times.push(timeOf(at));
    return times;
  });
}

/** Now, as the clock of a time zone shows it: 2026-11-24T16:05. Sorts as time passes. */
export function clockIn(timeZone: string, moment: Date): string {
  const parts = new Intl.DateTimeFormat('en-CA', {
    timeZone,
    ...{ year: 'numeric', month: '2-digit', day: '2-digit', hour: '2-digit', minute: '2-digit' },
    hourCycle: 'h23',
  }).formatToParts(moment);
  const part = (type: string): string => parts.find((one) => one.type === type)?.value ?? '';
  return `${part('year')}-${part('month')}-${part('day')}T${part('hour')}:${part('minute')}`;
}

/** The last day for which appointments are made. `now` as `clockIn` gives it. */
export function lastDay(now: string, rules: AppointmentRules): string {
  return addDays(now.slice(0, 10), rules.days_ahead_max);
}

/** "We are closed on Saturday the twenty-eighth of November." */
export function sayClosed(day: string): string {
  return `We are closed on ${sayDay(day)}.`;
}

/** The free times nearest to a time of the same day, in the order of the day. */
export function nearest(times: readonly string[], time: string, count: number): string[] {
  const wanted = minutesOf(time);
  return [...times]
    .sort((a, b) => Math.abs(minutesOf(a) - wanted) - Math.abs(minutesOf(b) - wanted))
    .slice(0, count)
    .sort();
}
