/** /v1/contacts: people by their number. */
import { z } from 'zod';
import { activitiesOf } from '../../store/tables/activities.ts';
import { findContact, listContacts, upsertContact } from '../../store/tables/contacts.ts';
import type { Access } from './access.ts';
import { idempotencyHeaders, onceForRequest } from './once.ts';
import { answers, e164, found, id, pageQuery, type Api } from './route.ts';
import * as view from './views.ts';

const newContact = z.strictObject({
  e164,
  name: z.string().min(1).max(200).optional(),
  email: z.email().max(254).optional(),
  company: z.string().max(200).optional(),
  notes: z.string().max(4000).optional(),
  attributes: z.record(z.string().max(64), z.unknown()).optional(),
});

export function contactRoutes(api: Api, access: Access): void {
  api.get(
    '/contacts',
    {
      config: { scope: 'contacts:read' },
      schema: {
        summary: 'Contacts, latest change first',
        tags: ['contacts'],
        querystring: pageQuery,
        response: answers(view.pageView(view.contactView)),
      },
    },
    async (request) => {
      const page = await access.unit(request, (unit) => listContacts(unit, request.query));
      return view.viewPage(page, view.viewContact);
    },
  );
  api.get(
    '/contacts/:contact_id',
    {
      config: { scope: 'contacts:read' },
      schema: {
        summary: 'A contact with what happened with it',
        tags: ['contacts'],
        params: z.object({ contact_id: id }),
        response: answers(view.contactView.extend({ activities: z.array(view.activityView) })),
      },
    },
    (request) =>
      access.unit(request, async (unit) => {
        const contactId = request.params.contact_id;
        const contact = found(await findContact(unit, { contactId }), `contact ${contactId}`);
        const activities = await activitiesOf(unit, { contactId });
        return { ...view.viewContact(contact), activities: activities.map(view.viewActivity) };
      }),
  );
  api.post(
    '/contacts',
    {
      config: { scope: 'contacts:write' },
      schema: {
        summary: 'Makes the contact of a number, or changes it: what is left out stays',
        tags: ['contacts'],
        headers: idempotencyHeaders,
        body: newContact,
        response: answers(view.contactView),
      },
    },
    (request) =>
      access.unit(request, (unit) =>
        onceForRequest(unit, request, view.contactView, async () =>
          view.viewContact(await upsertContact(unit, request.body)),
        ),
      ),
  );
}
