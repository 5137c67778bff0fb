/** /v1/people: what is kept of one person, for them to see, or to be gone. */
import { createHash } from 'node:crypto';
import { z } from 'zod';
import { newId } from '../../base/ids.ts';
import { erasePerson, personalDataOf } from '../../store/people.ts';
import { appendAudit } from '../../store/tables/audit.ts';
import { actorOf, type Access } from './access.ts';
import { answers, e164, type Api } from './route.ts';
import * as view from './views.ts';

const personView = z.object({
  contact: view.contactView.nullable(),
  activities: z.array(view.activityView),
  calls: z.array(view.callView),
  turns: z.array(view.turnView.extend({ call_id: z.string() })),
  tool_calls: z.array(view.toolCallView.extend({ call_id: z.string() })),
  events: z.array(view.callEventView.extend({ call_id: z.string() })),
  messages: z.array(view.messageView),
  appointments: z.array(view.appointmentView),
  opt_outs: z.array(z.object({ channel: z.string(), opted_out: z.boolean(), reason: z.string() })),
});

export function peopleRoutes(api: Api, access: Access): void {
  const params = z.object({ e164 });
  api.get(
    '/people/:e164',
    {
      config: { scope: 'admin' },
      schema: {
        summary: 'Everything that is kept of one person (GDPR, article 15)',
        tags: ['people'],
        params,
        response: answers(personView),
      },
    },
    async (request) => {
      const data = await access.unit(request, (unit) => personalDataOf(unit, request.params.e164));
      const withCall = <View>({ call_id }: { call_id: string }, shown: View) => ({ ...shown, call_id });
      return {
        contact: data.contact === null ? null : view.viewContact(data.contact),
        activities: data.activities.map(view.viewActivity),
        calls: data.calls.map(view.viewCall),
        turns: data.turns.map((row) => withCall(row, view.viewTurn(row))),
        tool_calls: data.toolCalls.map((row) => withCall(row, view.viewToolCall(row))),
        events: data.callEvents.map((row) => withCall(row, view.viewCallEvent(row))),
        messages: data.messages.map(view.viewMessage),
        appointments: data.appointments.map(view.viewAppointment),
        opt_outs: data.optOuts.map(({ channel, opted_out, reason }) => ({ channel, opted_out, reason })),
      };
    },
  );
  api.post(
    '/people/:e164/erase',
    {
      config: { scope: 'admin' },
      schema: {
        summary: 'Erases what is kept of one person (GDPR, article 17)',
        description: 'Opt-outs stay, and that there was a call. The audit entry holds a hash of the number.',
        tags: ['people'],
        params,
        response: answers(z.object({ erased: z.record(z.string(), z.int()) })),
      },
    },
    (request) =>
      access.unit(request, async (unit) => {
        const erased = await erasePerson(unit, request.params.e164);
        await appendAudit(unit, {
          key: newId('audit'),
          at: new Date(),
          actor: actorOf(access.keyOf(request)),
          action: 'person.erased',
          target: createHash('sha256').update(request.params.e164).digest('hex').slice(0, 16),
          detail: erased,
        });
        return { erased };
      }),
  );
}
