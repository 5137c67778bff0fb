/**
 * What tools do, kept in the store and the queues: appointments at once, because the caller waits for the
 * answer; contacts and text messages as jobs, safe on this machine's disk when the caller is told.
 */
import type { AppointmentBook, BookOf } from '../agent/tools/book-appointment.ts';
import type { ContactBook } from '../agent/tools/save-contact.ts';
import type { SmsOutbox } from '../agent/tools/send-sms.ts';
import type { MessageBook } from '../agent/tools/take-message.ts';
import { newId } from '../base/ids.ts';
import { toE164 } from '../base/phone-number.ts';
import type { Enqueue } from '../jobs/enqueue.ts';
import type { Store } from '../store/store.ts';
import { bookSlot, listAppointments } from '../store/tables/appointments.ts';
import { addMessage } from '../store/tables/messages.ts';

export interface Acts {
  readonly bookOf: BookOf;
  readonly contacts: ContactBook;
  readonly messages: MessageBook;
  readonly sms: SmsOutbox;
}

export interface KeptIn {
  readonly store: Pick<Store, 'tenant'>;
  readonly enqueue: Enqueue;
  /** The span of an open call: what the call asks for goes on from it. */
  readonly traceparentOf?: (callId: string) => string;
}

/** The calendar of a tenant that has one. */
export const CALENDAR = 'default';
/** More than fit into a day. */
const slots_of_day_max = 500;

/** @throws (its methods) TrunklineError STORE_UNAVAILABLE, JOBS_UNAVAILABLE: nothing was promised then */
export function keptActs({ store, enqueue, traceparentOf = () => '' }: KeptIn): Acts {
  const messages: MessageBook = {
    take: async ({ name, phone, text, urgent }, { key, callId, tenant, profile }) => {
      const { message } = await store.tenant(tenant, (unit) =>
        addMessage(unit, {
          ...{ idempotency_key: key, channel: 'note', direction: 'inbound', status: 'received' },
          ...{ from_number: phone, body: text, call_id: callId, attributes: { name, urgent, profile } },
        }),
      );
      return { id: message.message_id };
    },
  };
  return {
    bookOf: (of) => appointmentBook({ store, enqueue, traceparentOf }, of),
    messages,
    contacts: {
      save: async ({ name, phone, email, note }, origin) => {
        const { key, callId, tenant } = origin;
        const e164 = toE164(phone);
        // Contacts are known by their numbers; one without is for a person to read.
        if (e164 === undefined) {
          const text = ['New contact:', name, email, note].filter((one) => one !== '').join(' ');
          return messages.take({ name, phone, text, urgent: false }, origin);
        }
        const known = { ...(name && { name }), ...(email && { email }), ...(note && { notes: note }) };
        const data = { type: 'contact' as const, callId, e164, ...known };
        await enqueue.enqueue('crm', { tenant, key, data, traceparent: traceparentOf(callId) });
        return { id: key };
      },
    },
    sms: {
      send: async ({ to, text }, { key, callId, tenant }) => {
        const data = { callId, to: toE164(to) ?? to, body: text };
        await enqueue.enqueue('sms', { tenant, key, data, traceparent: traceparentOf(callId) });
        return { id: key };
      },
    },
  };
}

function appointmentBook(
  { store, enqueue, traceparentOf = () => '' }: KeptIn,
  { tenant, timeZone }: Parameters<BookOf>[0],
): AppointmentBook {
  return {
    taken: async (day) => {
      const filter = { calendar: CALENDAR, fromDay: day, toDay: day, limit: slots_of_day_max };
      const rows = await store.tenant(tenant, (unit) => listAppointments(unit, filter));
      return rows.map((row) => row.time);
    },
    book: async ({ name, day, time }, callId) => {
      const attemptId = newId('attempt');
      const slot = { calendar: CALENDAR, callId, attemptId, name, day, time, timeZone };
      try {
        const row = await store.tenant(tenant, (unit) => bookSlot(unit, slot));
        if (row === undefined) return null;
        const data = { type: 'sync' as const, appointmentId: row.appointment_id };
        const key = `${row.appointment_id}/${attemptId}`;
        const traceparent = traceparentOf(callId);
        await enqueue.enqueue('calendar', { tenant, key, data, callId, traceparent });
        return { confirmation: row.confirmation, callId, name: row.name, day: row.day, time: row.time };
      } catch (error) {
        // A COMMIT without an answer may have booked it, and the caller will be told that nothing was booked.
        const data = { type: 'withdraw' as const, attemptId };
        await enqueue.enqueue('calendar', { tenant, key: `${attemptId}/withdraw`, data, callId });
        throw error;
      }
    },
  };
}

/** What operators see of all tenants, as the appointment files of trials have it. */
export async function appointmentsOf(
  store: Pick<Store, 'tenant'>,
  tenants: Iterable<string>,
): Promise<readonly unknown[]> {
  const lists = await Promise.all(
    [...new Set(tenants)].map((tenant) =>
      store.tenant(tenant, (unit) => listAppointments(unit, { limit: slots_of_day_max })),
    ),
  );
  return lists.flat().map(({ confirmation, call_id, name, day, time, booked_at }) => ({
    ...{ confirmation, callId: call_id, name, day, time, bookedAt: booked_at.toISOString() },
  }));
}
