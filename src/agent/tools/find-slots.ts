/** The tool `find_slots`: which times are free. */
import { z } from 'zod';
import { sayDay } from '../models/offline/day.ts';
import { timeOfDay, type BookOf } from './book-appointment.ts';
import { nextFree, sayTimes } from './free-times.ts';
import { clockIn, sayClosed, timesOf } from './opening-hours.ts';
import type { Tool } from './tool.ts';

const TIMEOUT_MS = 5000;
/** Nobody keeps more in mind. */
const SAID = 3;
const TIMES_MAX = 24;

const slotsArguments = z.strictObject({
  day: z
    .union([z.literal(''), z.iso.date()])
    .default('')
    .describe('Day, YYYY-MM-DD; empty: the next free one'),
  from: z
    .union([z.literal(''), timeOfDay])
    .default('')
    .describe('Not before this time, 24-hour HH:MM'),
});

/**
 * Free times of a day, or of the next day that has some. `say` is a sentence with the first of them.
 */
export function findSlots(
  bookOf: BookOf,
  now: () => Date = () => new Date(),
): Tool<z.infer<typeof slotsArguments>> {
  return {
    name: 'find_slots',
    description: 'Finds free times for appointments on a day, or the next free ones.',
    arguments: slotsArguments,
    timeoutMs: TIMEOUT_MS,
    repeatable: true,
    async run({ day, from }, { profile, tenant = 'default' }) {
      const book = bookOf({ tenant, timeZone: profile.time_zone });
      const rules = profile.appointments;
      if (rules === undefined) return { ok: false, reason: 'I do not know our hours.' };
      const clock = clockIn(profile.time_zone, now());
      const today = clock.slice(0, 10);
      if (day !== '' && day < today) return { ok: false, reason: 'That day is past already.', ask: 'day' };
      const wanted = day === '' ? today : day;
      const found = await nextFree(wanted, { rules, book, now: clock });
      if (found === null) return { ok: false, reason: 'I have no free time that far ahead.', ask: 'day' };
      const late = found.times.filter((time) => time >= from);
      const times = found.day === wanted && late.length > 0 ? late : found.times;
      const free = `On ${sayDay(found.day)} I have ${sayTimes(times.slice(0, SAID))}.`;
      const closed = day !== '' && found.day !== day;
      const lead = !closed
        ? ''
        : timesOf(day, rules).length === 0
          ? sayClosed(day)
          : 'Nothing is free on that day.';
      return { ok: true, day: found.day, times: times.slice(0, TIMES_MAX), say: `${lead} ${free}`.trim() };
    },
  };
}
