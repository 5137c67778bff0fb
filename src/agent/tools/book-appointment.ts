/** The tool `book_appointment`. Where appointments are kept is injected. */
import { z } from 'zod';
import { freeOn, nextFree, sayTimes } from './free-times.ts';
import { clockIn, lastDay, nearest, sayClosed, timesOf, type AppointmentRules } from './opening-hours.ts';
import { sayDay } from '../models/offline/day.ts';
import type { Tool, ToolResult } from './tool.ts';

export interface Appointment {
  readonly name: string;
  /** ISO date. */
  readonly day: string;
  /** 24-hour HH:MM. */
  readonly time: string;
}

export interface Booking extends Appointment {
  /** What the caller may quote later. */
  readonly confirmation: string;
  readonly callId: string;
}

export interface AppointmentBook {
  /** The booking, on disk when this resolves; the same one when a call books twice; null: it is taken. */
  book(appointment: Appointment, callId: string): Promise<Booking | null>;
  /** The times of a day that are taken, as HH:MM. */
  taken(day: string): Promise<readonly string[]>;
}

/** The book of a tenant, whose days and times are those of the time zone. */
export type BookOf = (of: { readonly tenant: string; readonly timeZone: string }) => AppointmentBook;

/** A write to disk takes milliseconds; a caller should not wait longer than this for an answer. */
const TIMEOUT_MS = 5000;
/** Free times that are offered in place of one that cannot be had. */
const OFFERED = 2;

export const timeOfDay = z.string().regex(/^([01]\d|2[0-3]):[0-5]\d$/);

export const bookAppointmentArguments = z.strictObject({
  name: z.string().min(1).max(100).describe('First and last name of the caller'),
  day: z.iso.date().describe('Day of the appointment, YYYY-MM-DD'),
  time: timeOfDay.describe('Time of day, 24-hour HH:MM'),
});

interface Wish {
  readonly day: string;
  readonly time: string;
  readonly rules: AppointmentRules | undefined;
  readonly now: string;
  readonly book: AppointmentBook;
}

/** Offers in place of a time that cannot be had, said after the reason. */
async function instead(wish: Wish & { rules: AppointmentRules }): Promise<string> {
  const times = nearest(await freeOn(wish.day, wish), wish.time, OFFERED);
  if (times.length > 0) return `On that day ${sayTimes(times)} ${times.length === 1 ? 'is' : 'are'} free.`;
  const next = await nextFree(wish.day, wish);
  return next === null
    ? ''
    : `The next free time is ${sayDay(next.day)} at ${sayTimes(next.times.slice(0, 1))}.`;
}

/** Why a time cannot be booked; null when nothing speaks against it. */
async function objection(wish: Wish): Promise<ToolResult | null> {
  const { day, time, rules, now } = wish;
  const refuse = (ask: 'day' | 'time', ...reasons: string[]): ToolResult => {
    return { ok: false, reason: reasons.filter((one) => one !== '').join(' '), ask };
  };
  if (`${day}T${time}` <= now) return refuse('day', 'That time is past already.');
  if (rules === undefined) return null;
  if (day > lastDay(now, rules)) return refuse('day', 'That is too far ahead.');
  const times = timesOf(day, rules);
  if (times.length === 0) return refuse('day', sayClosed(day), await instead({ ...wish, rules }));
  if (times.includes(time)) return null;
  return refuse('time', 'There is no appointment at that time.', await instead({ ...wish, rules }));
}

/**
 * Books within the hours, the slots and the holidays of the profile's `appointments`, or at any time when
 * it has none. `now`: what is past is judged by it, in the profile's time zone.
 */
export function bookAppointment(bookOf: BookOf, now: () => Date = () => new Date()): Tool<Appointment> {
  return {
    name: 'book_appointment',
    description: 'Books an appointment. Ask for name, day and time, and read them back first.',
    arguments: bookAppointmentArguments,
    timeoutMs: TIMEOUT_MS,
    async run(appointment, { callId, profile, tenant = 'default' }) {
      const book = bookOf({ tenant, timeZone: profile.time_zone });
      const { day, time } = appointment;
      const rules = profile.appointments;
      const wish = { day, time, rules, now: clockIn(profile.time_zone, now()), book };
      const refusal = await objection(wish);
      if (refusal !== null) return refusal;
      const booking = await book.book(appointment, callId);
      if (!booking) {
        const offer = rules === undefined ? '' : ` ${await instead({ ...wish, rules })}`;
        return { ok: false, reason: `That time is taken already.${offer}`, ask: 'time' };
      }
      const { confirmation, name } = booking;
      return { ok: true, confirmation, day: booking.day, time: booking.time, name };
    },
  };
}
