/** `appointments`: one live booking per calendar, day and time, whoever asks and however many at once. */
import { randomInt } from 'node:crypto';
import { sql, type Selectable } from 'kysely';
import { newId } from '../../base/ids.ts';
import type { Database } from '../schema.ts';
import type { TenantRows } from '../store.ts';

export type StoredAppointment = Selectable<Database['appointments']>;

export interface SlotBooking {
  readonly calendar: string;
  /** A call that books its own slot again keeps its booking. Null: it came by the API or an import. */
  readonly callId: string | null;
  /** Names this try; `withdrawAttempt` takes back what it made. */
  readonly attemptId: string;
  readonly name: string;
  readonly e164?: string | null;
  /** `YYYY-MM-DD` and `HH:MM`, of the calendar's own clock. */
  readonly day: string;
  readonly time: string;
  readonly durationMin?: number;
  readonly timeZone: string;
  /** Given by an import; made here otherwise. */
  readonly confirmation?: string;
  readonly bookedAt?: Date;
}

/** Letters that are not mistaken for one another when read aloud. */
const CONFIRMATION_LETTERS = 'ACEHJKLMNPRTWXY';

/** Such as `KT482`. */
function newConfirmation(): string {
  const letter = (): string => CONFIRMATION_LETTERS[randomInt(CONFIRMATION_LETTERS.length)] ?? 'A';
  return `${letter()}${letter()}${String(randomInt(1000)).padStart(3, '0')}`;
}

/**
 * A confirmation that no live booking of the tenant bears. Two calls that draw the same meet in the index.
 */
async function freeConfirmation({ tenant, rows }: TenantRows): Promise<string> {
  for (;;) {
    const confirmation = newConfirmation();
    const taken = await rows
      .selectFrom('appointments')
      .select('confirmation')
      .where('tenant', '=', tenant)
      .where('confirmation', '=', confirmation)
      .where('status', '=', 'booked')
      .executeTakeFirst();
    if (taken === undefined) return confirmation;
  }
}

/** The booking; the same one when a call books twice; undefined: somebody else has the slot. */
export async function bookSlot(unit: TenantRows, given: SlotBooking): Promise<StoredAppointment | undefined> {
  const { tenant, rows } = unit;
  return rows
    .insertInto('appointments')
    .values({
      tenant,
      appointment_id: newId('appointment'),
      calendar: given.calendar,
      call_id: given.callId,
      attempt_id: given.attemptId,
      confirmation: given.confirmation ?? (await freeConfirmation(unit)),
      name: given.name,
      e164: given.e164 ?? null,
      day: given.day,
      time: given.time,
      time_zone: given.timeZone,
      ...(given.durationMin === undefined ? {} : { duration_min: given.durationMin }),
      ...(given.bookedAt === undefined ? {} : { booked_at: given.bookedAt }),
    })
    .onConflict((conflict) =>
      conflict
        .columns(['tenant', 'calendar', 'day', 'time'])
        .where('status', '=', 'booked')
        .doUpdateSet({ attempt_id: given.attemptId, updated_at: sql`now()` })
        .whereRef('appointments.call_id', '=', 'excluded.call_id'),
    )
    .returningAll()
    .executeTakeFirst();
}

/**
 * Takes back what a try made whose maker gave up waiting for the answer, and so never confirmed it. A
 * booking that a later try of the same call took over stays.
 */
export async function withdrawAttempt({ tenant, rows }: TenantRows, attemptId: string): Promise<boolean> {
  const changed = await rows
    .updateTable('appointments')
    .set({ status: 'cancelled', updated_at: sql`now()` })
    .where('tenant', '=', tenant)
    .where('attempt_id', '=', attemptId)
    .where('status', '=', 'booked')
    .executeTakeFirst();
  return changed.numUpdatedRows > 0n;
}

export async function cancelAppointment(
  { tenant, rows }: TenantRows,
  appointmentId: string,
): Promise<StoredAppointment | undefined> {
  return rows
    .updateTable('appointments')
    .set({ status: 'cancelled', updated_at: sql`now()` })
    .where('tenant', '=', tenant)
    .where('appointment_id', '=', appointmentId)
    .where('status', '=', 'booked')
    .returningAll()
    .executeTakeFirst();
}

/** Remembers what another calendar calls this appointment: `{caldav: 'uid'}`. */
export async function linkAppointment(
  { tenant, rows }: TenantRows,
  appointmentId: string,
  external: Readonly<Record<string, string>>,
): Promise<void> {
  await rows
    .updateTable('appointments')
    .set({ external: sql`external || ${JSON.stringify(external)}::jsonb` })
    .where('tenant', '=', tenant)
    .where('appointment_id', '=', appointmentId)
    .execute();
}

export async function findAppointment(
  { tenant, rows }: TenantRows,
  appointmentId: string,
): Promise<StoredAppointment | undefined> {
  return rows
    .selectFrom('appointments')
    .selectAll()
    .where('tenant', '=', tenant)
    .where('appointment_id', '=', appointmentId)
    .executeTakeFirst();
}

/** The booking that a try made or took over, whatever became of it. */
export async function appointmentOfAttempt(
  { tenant, rows }: TenantRows,
  attemptId: string,
): Promise<StoredAppointment | undefined> {
  return rows
    .selectFrom('appointments')
    .selectAll()
    .where('tenant', '=', tenant)
    .where('attempt_id', '=', attemptId)
    .executeTakeFirst();
}

export interface AppointmentFilter {
  readonly calendar?: string | undefined;
  readonly callId?: string | undefined;
  /** First and last day, inclusive. */
  readonly fromDay?: string | undefined;
  readonly toDay?: string | undefined;
  /** Cancelled ones, too. */
  readonly all?: boolean | undefined;
  readonly limit: number;
}

/** By day and time. */
export async function listAppointments(
  { tenant, rows }: TenantRows,
  filter: AppointmentFilter,
): Promise<StoredAppointment[]> {
  let query = rows.selectFrom('appointments').selectAll().where('tenant', '=', tenant);
  if (filter.calendar !== undefined) query = query.where('calendar', '=', filter.calendar);
  if (filter.callId !== undefined) query = query.where('call_id', '=', filter.callId);
  if (filter.fromDay !== undefined) query = query.where('day', '>=', filter.fromDay);
  if (filter.toDay !== undefined) query = query.where('day', '<=', filter.toDay);
  if (filter.all !== true) query = query.where('status', '=', 'booked');
  return query.orderBy('day').orderBy('time').orderBy('appointment_id').limit(filter.limit).execute();
}
