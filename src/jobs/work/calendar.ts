/**
 * `calendar`: an appointment as it stands in the store is put into the tenant's CalDAV calendar, or taken
 * away.
 */
import { instantOf } from '../../base/zoned-time.ts';
import {
  appointmentOfAttempt,
  findAppointment,
  linkAppointment,
  withdrawAttempt,
  type StoredAppointment,
} from '../../store/tables/appointments.ts';
import type { CalDav, CalendarBooking } from '../drivers/calendar/caldav.ts';
import type { Handler, Work, WorkTools } from '../work.ts';
import { askProvider } from './provider-outcome.ts';

export interface CalendarTenant {
  /** undefined: the store alone. */
  readonly driver?: CalDav | undefined;
}

const MINUTE_MS = 60_000;

export function calendarHandler(tenantOf: (tenant: string) => CalendarTenant): Handler<'calendar'> {
  return async (work, tools) => {
    const { tenant, data } = work;
    const { driver } = tenantOf(tenant);
    const appointment = await tools.store.tenant(tenant, async (unit) => {
      if (data.type === 'sync') return findAppointment(unit, data.appointmentId);
      await withdrawAttempt(unit, data.attemptId);
      return appointmentOfAttempt(unit, data.attemptId);
    });
    if (appointment === undefined) return;
    const isBooked = appointment.status === 'booked';
    const outcome = driver === undefined ? 'kept' : await bring(driver, appointment, work, tools);
    const type =
      outcome === 'taken'
        ? 'appointment.conflict'
        : isBooked
          ? 'appointment.booked'
          : 'appointment.cancelled';
    await tell(type, appointment, work, tools);
  };
}

async function bring(
  driver: CalDav,
  appointment: StoredAppointment,
  { tenant, key, signal }: Work<'calendar'>,
  { store, pace, log }: WorkTools,
): Promise<'kept' | 'taken'> {
  const booking = bookingOf(appointment);
  await pace({ tenant, key, provider: driver.name, requests: driver.requests });
  if (appointment.status === 'cancelled') {
    await askProvider(() => driver.cancel(booking, signal));
    return 'kept';
  }
  const outcome = await askProvider(() => driver.book(booking, signal));
  const { appointment_id: id } = appointment;
  // Somebody wrote into the calendar meanwhile. The caller was told the time: a person has to decide.
  if (outcome === 'taken')
    log.warn({ tenant, appointment: id }, 'an appointment meets another in the calendar');
  const external = { caldav: outcome === 'taken' ? 'conflict' : id };
  await store.tenant(tenant, (unit) => linkAppointment(unit, id, external));
  return outcome === 'taken' ? 'taken' : 'kept';
}

/** As the calendar is told of it: the id is the key, so that no try books twice. */
export function bookingOf(appointment: StoredAppointment): CalendarBooking {
  const { day, time, time_zone: timeZone, duration_min: minutes, name, confirmation } = appointment;
  const start = instantOf({ day, time }, timeZone);
  const end = new Date(start.getTime() + minutes * MINUTE_MS);
  const description = `Booked by telephone. Confirmation ${confirmation}`;
  return { key: appointment.appointment_id, start, end, title: name, description };
}

async function tell(
  type: string,
  appointment: StoredAppointment,
  { tenant }: Work<'calendar'>,
  { jobs }: WorkTools,
): Promise<void> {
  const { appointment_id: id, name, day, time, confirmation, call_id: callId } = appointment;
  const eventId = `${id}/${type}`;
  const data = { appointmentId: id, name, day, time, confirmation, callId };
  const event = { eventId, type, at: new Date().toISOString(), data };
  await jobs.enqueue('webhooks', { tenant, key: eventId, data: event });
}
