/** The tool `book_appointment`. Where appointments are kept is injected. */
import { z } from 'zod';
import type { Tool } from './tool.ts';

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
}

/** A write to disk takes milliseconds; a caller should not wait longer than this for an answer. */
const TIMEOUT_MS = 5000;

export const bookAppointmentArguments = z.strictObject({
  name: z.string().min(1).max(100).describe('First and last name of the caller'),
  day: z.iso.date().describe('Day of the appointment, YYYY-MM-DD'),
  time: z
    .string()
    .regex(/^([01]\d|2[0-3]):[0-5]\d$/)
    .describe('Time of day, 24-hour HH:MM'),
});

/** Now, as the clinic's clock shows it: 2026-11-24T16:05. Sorts as time passes. */
function clockIn(timeZone: string, moment: Date): string {
  const parts = new Intl.DateTimeFormat('en-CA', {
    timeZone,
    ...{ year: 'numeric', month: '2-digit', day: '2-digit', hour: '2-digit', minute: '2-digit' },
    hourCycle: 'h23',
  }).formatToParts(moment);
  const part = (type: string): string => parts.find((one) => one.type === type)?.value ?? '';
  return `${part('year')}-${part('month')}-${part('day')}T${part('hour')}:${part('minute')}`;
}

/** `now`: what is past is judged by it, in the profile's time zone. */
export function bookAppointment(
  book: AppointmentBook,
  now: () => Date = () => new Date(),
): Tool<Appointment> {
  return {
    name: 'book_appointment',
    description: 'Books an appointment. Ask for name, day and time, and read them back first.',
    arguments: bookAppointmentArguments,
    timeoutMs: TIMEOUT_MS,
    async run(appointment, { callId, profile }) {
      if (`${appointment.day}T${appointment.time}` <= clockIn(profile.time_zone, now()))
        return { ok: false, reason: 'That time is past already.', ask: 'day' };
      const booking = await book.book(appointment, callId);
      if (!booking) return { ok: false, reason: 'That time is taken already.', ask: 'time' };
      const { confirmation, day, time, name } = booking;
      return { ok: true, confirmation, day, time, name };
    },
  };
}
