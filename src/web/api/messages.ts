/** /v1/messages: short messages in and out, and notes that callers left. */
import { z } from 'zod';
import { newId } from '../../base/ids.ts';
import { findMessage, listMessages } from '../../store/tables/messages.ts';
import type { Access } from './access.ts';
import { idempotencyHeaders } from './once.ts';
import type { ApiParts } from './ports.ts';
import { answers, e164, found, id, pageQuery, type Api } from './route.ts';
import * as view from './views.ts';

const newMessage = z
  .strictObject({
    to: e164,
    from: z.string().min(1).max(32).optional().describe('One of your senders; left out: the first of them'),
    body: z.string().min(1).max(1600).optional(),
    template: z.string().min(1).max(64).optional(),
    values: z.record(z.string().max(64), z.string().max(400)).optional(),
  })
  .refine((one) => (one.body === undefined) !== (one.template === undefined), 'give body or template');

export function messageRoutes(api: Api, access: Access, parts: Pick<ApiParts, 'sendSms'>): void {
  api.get(
    '/messages',
    {
      config: { scope: 'messages:read' },
      schema: {
        summary: 'Messages, newest first',
        tags: ['messages'],
        querystring: pageQuery.extend({ channel: z.enum(['sms', 'note']).optional() }),
        response: answers(view.pageView(view.messageView)),
      },
    },
    async (request) => {
      const page = await access.unit(request, (unit) => listMessages(unit, request.query));
      return view.viewPage(page, view.viewMessage);
    },
  );
  api.get(
    '/messages/:message_id',
    {
      config: { scope: 'messages:read' },
      schema: {
        summary: 'A message and what became of it',
        tags: ['messages'],
        params: z.object({ message_id: id }),
        response: answers(view.messageView),
      },
    },
    (request) =>
      access.unit(request, async (unit) => {
        const messageId = request.params.message_id;
        return view.viewMessage(found(await findMessage(unit, messageId), `message ${messageId}`));
      }),
  );
  api.post(
    '/messages',
    {
      config: { scope: 'messages:write' },
      schema: {
        summary: 'Sends a short message; opt-outs and quiet hours are kept',
        description: 'Answered when the message cannot be lost any more; it appears under /v1/messages.',
        tags: ['messages'],
        headers: idempotencyHeaders,
        body: newMessage,
        response: { 202: z.object({ accepted: z.literal(true), key: z.string() }) },
      },
    },
    async (request, reply) => {
      const { tenant } = access.keyOf(request);
      const given = request.headers['idempotency-key'];
      const key = `api/${given ?? newId('message')}`;
      const { to, from, body, template, values } = request.body;
      await parts.sendSms({
        ...{ tenant, key, to },
        ...(from === undefined ? {} : { from }),
        ...(body === undefined ? {} : { body }),
        ...(template === undefined ? {} : { template }),
        ...(values === undefined ? {} : { values }),
      });
      return reply.status(202).send({ accepted: true, key });
    },
  );
}
