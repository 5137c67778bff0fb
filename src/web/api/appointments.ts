/** /v1/appointments: what agents booked. */
import { z } from 'zod';
import { appendAudit } from '../../store/tables/audit.ts';
import { cancelAppointment, findAppointment, listAppointments } from '../../store/tables/appointments.ts';
import { newId } from '../../base/ids.ts';
import { actorOf, type Access } from './access.ts';
import { answers, found, id, type Api } from './route.ts';
import * as view from './views.ts';

const appointments_max = 500;

export function appointmentRoutes(api: Api, access: Access): void {
  api.get(
    '/appointments',
    {
      config: { scope: 'appointments:read' },
      schema: {
        summary: 'Appointments by day and time',
        tags: ['appointments'],
        querystring: z.object({
          calendar: z.string().max(64).optional(),
          from_day: z.iso.date().optional().describe('First day, inclusive'),
          to_day: z.iso.date().optional().describe('Last day, inclusive'),
          cancelled: z.stringbool().default(false).describe('Cancelled ones, too'),
          limit: z.coerce.number().int().min(1).max(appointments_max).default(100),
        }),
        response: answers(z.object({ data: z.array(view.appointmentView) })),
      },
    },
    async (request) => {
      const { calendar, from_day: fromDay, to_day: toDay, cancelled: all, limit } = request.query;
      const filter = { calendar, fromDay, toDay, all, limit };
      const rows = await access.unit(request, (unit) => listAppointments(unit, filter));
      return { data: rows.map(view.viewAppointment) };
    },
  );
  api.get(
    '/appointments/:appointment_id',
    {
      config: { scope: 'appointments:read' },
      schema: {
        summary: 'An appointment',
        tags: ['appointments'],
        params: z.object({ appointment_id: id }),
        response: answers(view.appointmentView),
      },
    },
    (request) =>
      access.unit(request, async (unit) => {
        const which = request.params.appointment_id;
        return view.viewAppointment(found(await findAppointment(unit, which), `appointment ${which}`));
      }),
  );
  api.post(
    '/appointments/:appointment_id/cancel',
    {
      config: { scope: 'appointments:write' },
      schema: {
        summary: 'Frees the slot; cancelling what is cancelled changes nothing',
        tags: ['appointments'],
        params: z.object({ appointment_id: id }),
        response: answers(view.appointmentView),
      },
    },
    (request) =>
      access.unit(request, async (unit) => {
        const which = request.params.appointment_id;
        const cancelled = await cancelAppointment(unit, which);
        if (cancelled !== undefined)
          await appendAudit(unit, {
            key: newId('audit'),
            at: new Date(),
            actor: actorOf(access.keyOf(request)),
            action: 'appointment.cancelled',
            target: which,
          });
        const now = cancelled ?? (await findAppointment(unit, which));
        return view.viewAppointment(found(now, `appointment ${which}`));
      }),
  );
}
