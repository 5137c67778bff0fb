/** /v1/calls: what was said and done on calls, and why they ended. */
import { z } from 'zod';
import { callEventsOf } from '../../store/tables/call-events.ts';
import { findCall, listCalls } from '../../store/tables/calls.ts';
import { activitiesOf } from '../../store/tables/activities.ts';
import { legsOf } from '../../store/tables/legs.ts';
import { listAppointments } from '../../store/tables/appointments.ts';
import { listMessages } from '../../store/tables/messages.ts';
import { toolCallsOf } from '../../store/tables/tool-calls.ts';
import { turnsOf } from '../../store/tables/turns.ts';
import { usageOf } from '../../store/tables/usage.ts';
import type { Access } from './access.ts';
import type { QueueDesk } from './ports.ts';
import { answers, found, id, pageQuery, type Api } from './route.ts';
import * as view from './views.ts';

const of_call_max = 100;

const wholeCall = view.callView.extend({
  legs: z.array(view.legView),
  turns: z.array(view.turnView),
  tool_calls: z.array(view.toolCallView),
  events: z.array(view.callEventView).describe('Ringing, answered, held, digits, troubles …'),
  usage: z.array(view.usageView),
  messages: z.array(view.messageView),
  appointments: z.array(view.appointmentView),
  activities: z.array(view.activityView),
});

export function callRoutes(api: Api, access: Access, queues: QueueDesk): void {
  api.get(
    '/calls',
    {
      config: { scope: 'calls:read' },
      schema: {
        summary: 'Calls and visits, newest first',
        tags: ['calls'],
        querystring: pageQuery.extend({
          from: z.string().max(64).optional().describe("The caller's number, as it was written"),
          sip_call_id: z.string().max(512).optional(),
          ending: z.string().max(64).optional().describe('Slug of docs/ERRORS.md'),
        }),
        response: answers(view.pageView(view.callView)),
      },
    },
    async (request) => {
      const { from: fromNumber, sip_call_id: sipCallId, ...rest } = request.query;
      const page = await access.unit(request, (unit) => listCalls(unit, { ...rest, fromNumber, sipCallId }));
      return view.viewPage(page, view.viewCall);
    },
  );
  api.get(
    '/calls/:call_id',
    {
      config: { scope: 'calls:read' },
      schema: {
        summary: 'A call with everything that is known of it',
        tags: ['calls'],
        params: z.object({ call_id: id }),
        response: answers(wholeCall),
      },
    },
    (request) =>
      access.unit(request, async (unit) => {
        const callId = request.params.call_id;
        const call = found(await findCall(unit, callId), `call ${callId}`);
        return {
          ...view.viewCall(call),
          legs: (await legsOf(unit, callId)).map(view.viewLeg),
          turns: (await turnsOf(unit, callId)).map(view.viewTurn),
          tool_calls: (await toolCallsOf(unit, callId)).map(view.viewToolCall),
          events: (await callEventsOf(unit, callId)).map(view.viewCallEvent),
          usage: (await usageOf(unit, callId)).map(view.viewUsage),
          messages: (await listMessages(unit, { callId, limit: of_call_max })).rows.map(view.viewMessage),
          appointments: (await listAppointments(unit, { callId, all: true, limit: of_call_max })).map(
            view.viewAppointment,
          ),
          activities: (await activitiesOf(unit, { callId })).map(view.viewActivity),
        };
      }),
  );
  jobRoute(api, access, queues);
}

function jobRoute(api: Api, access: Access, queues: QueueDesk): void {
  api.get(
    '/calls/:call_id/jobs',
    {
      config: { scope: 'calls:read' },
      schema: {
        summary: 'What a call led to, and what became of it, while the queues remember it',
        description: 'Jobs that were given up stay among the dead letters for longer.',
        tags: ['calls'],
        params: z.object({ call_id: id }),
        response: answers(z.object({ data: z.array(view.callJobView) })),
      },
    },
    async (request) => {
      const callId = request.params.call_id;
      await access.unit(request, async (unit) => found(await findCall(unit, callId), `call ${callId}`));
      const { tenant } = access.keyOf(request);
      return { data: (await queues.ofCall({ tenant, callId })).map(view.viewCallJob) };
    },
  );
}
