/** /v1/numbers and /v1/profiles: what a call to a number gets. They are set in the configuration. */
import { z } from 'zod';
import type { Access } from './access.ts';
import type { ApiParts } from './ports.ts';
import { answers, type Api } from './route.ts';

const numberView = z.object({ number: z.string(), profile: z.string() });
const profileView = z.object({
  name: z.string(),
  adapter: z.string().describe('offline, realtime, live or pipeline'),
  language: z.string(),
  tools: z.array(z.string()),
});

export function configurationRoutes(
  api: Api,
  access: Access,
  { numbers, profiles }: Pick<ApiParts, 'numbers' | 'profiles'>,
): void {
  api.get(
    '/numbers',
    {
      config: { scope: 'configuration:read' },
      schema: {
        summary: 'Numbers of the tenant, and the agent profile that answers each',
        tags: ['configuration'],
        response: answers(z.object({ data: z.array(numberView) })),
      },
    },
    (request) => {
      const { tenant } = access.keyOf(request);
      const own = numbers.filter((route) => route.tenant === tenant);
      return { data: own.map(({ number, profile }) => ({ number, profile })) };
    },
  );
  api.get(
    '/profiles',
    {
      config: { scope: 'configuration:read' },
      schema: {
        summary: 'Agent profiles that answer numbers of the tenant',
        tags: ['configuration'],
        response: answers(z.object({ data: z.array(profileView) })),
      },
    },
    (request) => {
      const { tenant } = access.keyOf(request);
      const own = new Set(numbers.filter((one) => one.tenant === tenant).map((one) => one.profile));
      const shown = profiles.filter((profile) => own.has(profile.name));
      return { data: shown.map((profile) => ({ ...profile, tools: [...profile.tools] })) };
    },
  );
}
