/** Appointments in a file: one JSON line each, only ever added to, on disk before a booking is confirmed. */
import { randomInt } from 'node:crypto';
import { mkdir, open, readFile, truncate, type FileHandle } from 'node:fs/promises';
import { dirname } from 'node:path';
import { z } from 'zod';
import type { Appointment, AppointmentBook, Booking } from './book-appointment.ts';

const lineSchema = z.strictObject({
  confirmation: z.string(),
  callId: z.string(),
  name: z.string(),
  day: z.iso.date(),
  time: z.string(),
  bookedAt: z.iso.datetime(),
});
export type AppointmentLine = z.infer<typeof lineSchema>;

/** Letters that are not mistaken for one another when read aloud. */
const CONFIRMATION_LETTERS = 'ACEHJKLMNPRTWXY';

/**
 * One appointment per day and time. A call that books the same day and time again gets the booking it has.
 * A torn last line (the process was killed while it wrote) was never confirmed and is cut off.
 */
export class FileAppointmentBook implements AppointmentBook {
  readonly #file: FileHandle;
  readonly #lines: AppointmentLine[];
  readonly #now: () => Date;
  /** Bookings are written one after the other: two callers cannot both find a time free. */
  #queue: Promise<unknown> = Promise.resolve();

  private constructor(file: FileHandle, lines: AppointmentLine[], now: () => Date) {
    this.#file = file;
    this.#lines = lines;
    this.#now = now;
  }

  /** Opens or makes the file. Throws when a line in the middle is no appointment: somebody wrote into it. */
  static async create(options: { path: string; now?: () => Date }): Promise<FileAppointmentBook> {
    await mkdir(dirname(options.path), { recursive: true });
    const lines = await readLines(options.path);
    const file = await open(options.path, 'a');
    return new FileAppointmentBook(file, lines, options.now ?? (() => new Date()));
  }

  /** All appointments, in the order they were booked. */
  get appointments(): readonly AppointmentLine[] {
    return this.#lines;
  }

  book(appointment: Appointment, callId: string): Promise<Booking | null> {
    const booking = this.#queue.then(() => this.#book(appointment, callId));
    this.#queue = booking.catch(() => undefined);
    return booking;
  }

  async #book(appointment: Appointment, callId: string): Promise<Booking | null> {
    const { name, day, time } = appointment;
    const taken = this.#lines.find((line) => line.day === day && line.time === time);
    if (taken) return taken.callId === callId ? taken : null;
    const confirmation = this.#newConfirmation();
    const line = { confirmation, callId, name, day, time, bookedAt: this.#now().toISOString() };
    await this.#file.appendFile(`${JSON.stringify(line)}\n`);
    await this.#file.datasync();
    this.#lines.push(line);
    return line;
  }

  #newConfirmation(): string {
    for (;;) {
      const letters = Array.from({ length: 2 }, () => CONFIRMATION_LETTERS[randomInt(15)] ?? 'A').join('');
      const confirmation = `${letters}${String(randomInt(1000)).padStart(3, '0')}`;
      if (!this.#lines.some((line) => line.confirmation === confirmation)) return confirmation;
    }
  }

  async close(): Promise<void> {
    await this.#queue;
    await this.#file.close();
  }
}

async function readLines(path: string): Promise<AppointmentLine[]> {
  const text = await readFile(path, 'utf8').catch((failure: unknown) => {
    if ((failure as NodeJS.ErrnoException).code === 'ENOENT') return '';
    throw failure;
  });
  const whole = text.slice(0, text.lastIndexOf('\n') + 1);
  if (whole.length < text.length) await truncate(path, Buffer.byteLength(whole));
  return whole
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => lineSchema.parse(JSON.parse(line)));
}
