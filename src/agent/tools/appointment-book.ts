/** Appointments in a file. */
import { randomInt } from 'node:crypto';
import { z } from 'zod';
import type { Appointment, AppointmentBook, Booking } from './book-appointment.ts';
import { readRecords, RecordsFile } from './records-file.ts';

const lineSchema = z.strictObject({
  confirmation: z.string(),
  callId: z.string(),
  name: z.string(),
  day: z.iso.date(),
  time: z.string(),
  bookedAt: z.iso.datetime(),
});
export type AppointmentLine = z.infer<typeof lineSchema>;

/** What a file has, for whoever takes it over. Throws when a line in the middle is no appointment. */
export function readAppointments(path: string): Promise<AppointmentLine[]> {
  return readRecords(path, lineSchema);
}

/** Letters that are not mistaken for one another when read aloud. */
const CONFIRMATION_LETTERS = 'ACEHJKLMNPRTWXY';

/** One appointment per day and time. A call that books the same ones again gets the booking it has. */
export class FileAppointmentBook implements AppointmentBook {
  readonly #file: RecordsFile<AppointmentLine>;
  readonly #now: () => Date;

  private constructor(file: RecordsFile<AppointmentLine>, now: () => Date) {
    this.#file = file;
    this.#now = now;
  }

  /** Opens or makes the file. Throws when a line in the middle is no appointment: somebody wrote into it. */
  static async create(options: { path: string; now?: () => Date }): Promise<FileAppointmentBook> {
    const file = await RecordsFile.create({ path: options.path, schema: lineSchema });
    return new FileAppointmentBook(file, options.now ?? (() => new Date()));
  }

  /** All appointments, in the order they were booked. */
  get appointments(): readonly AppointmentLine[] {
    return this.#file.records;
  }

  taken(day: string): Promise<readonly string[]> {
    return Promise.resolve(this.appointments.filter((line) => line.day === day).map((line) => line.time));
  }

  /** Bookings are made one after the other: two callers cannot both find a time free. */
  book(appointment: Appointment, callId: string): Promise<Booking | null> {
    const { name, day, time } = appointment;
    return this.#file.alone(async (add) => {
      const taken = this.appointments.find((line) => line.day === day && line.time === time);
      if (taken) return taken.callId === callId ? taken : null;
      const confirmation = this.#newConfirmation();
      return add({ confirmation, callId, name, day, time, bookedAt: this.#now().toISOString() });
    });
  }

  #newConfirmation(): string {
    for (;;) {
      const letters = Array.from({ length: 2 }, () => CONFIRMATION_LETTERS[randomInt(15)] ?? 'A').join('');
      const confirmation = `${letters}${String(randomInt(1000)).padStart(3, '0')}`;
      if (!this.appointments.some((line) => line.confirmation === confirmation)) return confirmation;
    }
  }

  close(): Promise<void> {
    return this.#file.close();
  }
}
