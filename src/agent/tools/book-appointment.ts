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

export function bookAppointment(book: AppointmentBook): Tool<Appointment> {
  return {
    name: 'book_appointment',
    description: 'Books an appointment. Ask for name, day and time, and read them back first.',
    arguments: bookAppointmentArguments,
    timeoutMs: TIMEOUT_MS,
    async run(appointment, { callId }) {
      const booking = await book.book(appointment, callId);
      if (!booking) return { ok: false, reason: 'That time is taken already.', ask: 'time' };
      const { confirmation, day, time, name } = booking;
      return { ok: true, confirmation, day, time, name };
    },
  };
}
