/** /v1/queues and /v1/dead-letters: work that waits, and work that was given up. */
import { z } from 'zod';
import { newId } from '../../base/ids.ts';
import { appendAudit } from '../../store/tables/audit.ts';
import { findDeadLetter, listDeadLetters, settleDeadLetter } from '../../store/tables/dead-letters.ts';
import type { TenantRows } from '../../store/store.ts';
import { actorOf, type Access } from './access.ts';
import type { QueueDesk } from './ports.ts';
import { answers, found, id, pageQuery, type Api } from './route.ts';
import * as view from './views.ts';

const queueView = z.object({
  queue: z.string(),
  waiting: z.int(),
  active: z.int(),
  delayed: z.int(),
  failed: z.int(),
});

export function queueRoutes(api: Api, access: Access, queues: QueueDesk): void {
  api.get(
    '/queues',
    {
      config: { scope: 'queues:read' },
      schema: {
        summary: 'How much waits in each queue, of all tenants',
        tags: ['queues'],
        response: answers(z.object({ data: z.array(queueView) })),
      },
    },
    async () => ({ data: [...(await queues.counts())] }),
  );
  api.get(
    '/dead-letters',
    {
      config: { scope: 'queues:read' },
      schema: {
        summary: 'Jobs that were given up and wait for somebody, newest first',
        tags: ['queues'],
        querystring: pageQuery.extend({ queue: z.string().max(64).optional() }),
        response: answers(view.pageView(view.deadLetterView)),
      },
    },
    async (request) => {
      const page = await access.unit(request, (unit) => listDeadLetters(unit, request.query));
      return view.viewPage(page, view.viewDeadLetter);
    },
  );
  settleRoutes(api, access, queues);
}

function settleRoutes(api: Api, access: Access, queues: QueueDesk): void {
  const schema = {
    tags: ['queues'],
    params: z.object({ dead_letter_id: id }),
    response: answers(view.deadLetterView),
  };
  api.post(
    '/dead-letters/:dead_letter_id/replay',
    {
      config: { scope: 'queues:write' },
      schema: { summary: 'Gives the job back to its queue', ...schema },
    },
    async (request) => {
      const which = request.params.dead_letter_id;
      // Back in its queue first: a letter that is marked and not replayed would be lost. Twice is harmless,
      // because a job is done once per key.
      const letter = await access.unit(request, async (unit) =>
        found(await findDeadLetter(unit, which), `dead letter ${which}`),
      );
      if (letter.replayed_at === null && letter.discarded_at === null) await queues.replay(letter);
      return access.unit(request, (unit) => settle(unit, which, 'replayed', access.keyOf(request)));
    },
  );
  api.post(
    '/dead-letters/:dead_letter_id/discard',
    {
      config: { scope: 'queues:write' },
      schema: { summary: 'Puts the job away for good; the row stays', ...schema },
    },
    (request) =>
      access.unit(request, (unit) =>
        settle(unit, request.params.dead_letter_id, 'discarded', access.keyOf(request)),
      ),
  );
}

async function settle(
  unit: TenantRows,
  which: string,
  how: 'replayed' | 'discarded',
  key: Parameters<typeof actorOf>[0],
): Promise<z.infer<typeof view.deadLetterView>> {
  const settled = await settleDeadLetter(unit, which, how);
  if (settled !== undefined)
    await appendAudit(unit, {
      key: newId('audit'),
      at: new Date(),
      actor: actorOf(key),
      action: `dead-letter.${how}`,
      target: which,
    });
  return view.viewDeadLetter(found(settled ?? (await findDeadLetter(unit, which)), `dead letter ${which}`));
}
