/**
 * POST /hooks/sms/PROVIDER/TENANT: what providers of text messages tell, receipts and replies. They carry no
 * key of ours but a signature of their own, over the address that they were given and the body as it came.
 */
import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import { TrunklineError } from '../../base/errors.ts';
import type { HookRequest } from './ports.ts';
import { problemOf, sendProblem } from './problems.ts';

const params = z.object({
  provider: z.enum(['twilio', 'telnyx']),
  tenant: z.string().regex(/^[a-z][a-z0-9-]{0,63}$/),
});

export async function registerProviderHooks(
  server: FastifyInstance,
  take: (request: HookRequest) => Promise<void>,
): Promise<void> {
  await server.register((scoped, _options, done) => {
    // The signature is over the bytes: nothing may read them as something else first.
    scoped.removeAllContentTypeParsers();
    scoped.addContentTypeParser('*', { parseAs: 'string' }, (_request, body, parsed) => parsed(null, body));
    scoped.setErrorHandler((error, _request, reply) => sendProblem(reply, problemOf(error)));
    scoped.post('/hooks/sms/:provider/:tenant', async (request, reply) => {
      const named = params.safeParse(request.params);
      if (!named.success) throw new TrunklineError('API_NOT_FOUND', 'no such provider or tenant');
      const headers = Object.fromEntries(
        Object.entries(request.headers).map(([name, value]) => [name, String(value)]),
      );
      const body = typeof request.body === 'string' ? request.body : '';
      await take({ ...named.data, path: request.url, headers, body });
      return reply.status(204).send();
    });
    done();
  });
}
