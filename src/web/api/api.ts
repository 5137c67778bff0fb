/**
 * The HTTP API for the servers of tenants and for the console: /v1, JSON, a key per request, cursor pages,
 * problem details. Its OpenAPI page (/v1/openapi.json) is made from the same schemas that check requests.
 */
import swagger from '@fastify/swagger';
import type { FastifyInstance } from 'fastify';
import {
  jsonSchemaTransform,
  serializerCompiler,
  validatorCompiler,
  type ZodTypeProvider,
} from 'fastify-type-provider-zod';
import { isErrorCode } from '../../base/errors.ts';
import { Access } from './access.ts';
import { appointmentRoutes } from './appointments.ts';
import { callRoutes } from './calls.ts';
import { configurationRoutes } from './configuration.ts';
import { contactRoutes } from './contacts.ts';
import { keyRoutes } from './keys.ts';
import { liveRoutes } from './live.ts';
import { messageRoutes } from './messages.ts';
import { peopleRoutes } from './people.ts';
import type { ApiParts } from './ports.ts';
import { problemOf, sendProblem } from './problems.ts';
import { queueRoutes } from './queues.ts';

/** Adds the API to a server that does not listen yet. */
export async function registerApi(server: FastifyInstance, parts: ApiParts): Promise<void> {
  await server.register(
    async (scoped) => {
      const access = new Access(parts);
      scoped.setValidatorCompiler(validatorCompiler);
      scoped.setSerializerCompiler(serializerCompiler);
      guard(scoped, access, parts);
      await scoped.register(swagger, {
        openapi: {
          openapi: '3.1.0',
          info: { title: 'Trunkline', version: parts.version },
          components: { securitySchemes: { key: { type: 'http', scheme: 'bearer' } } },
          security: [{ key: [] }],
        },
        transform: jsonSchemaTransform,
      });
      const api = scoped.withTypeProvider<ZodTypeProvider>();
      callRoutes(api, access, parts.queues);
      liveRoutes(api, access, parts);
      contactRoutes(api, access);
      messageRoutes(api, access, parts);
      appointmentRoutes(api, access);
      configurationRoutes(api, access, parts);
      queueRoutes(api, access, parts.queues);
      peopleRoutes(api, access);
      keyRoutes(api, access);
      api.get('/openapi.json', { config: { scope: 'open' }, schema: { hide: true } }, () => scoped.swagger());
    },
    { prefix: '/v1' },
  );
}

/** Keys and refusals, the same for every route. A route that names no scope stops the start. */
function guard(scoped: FastifyInstance, access: Access, { log, refused }: ApiParts): void {
  scoped.addHook('onRoute', ({ url, method, config }) => {
    if (config?.scope === undefined) throw new Error(`${String(method)} ${url} names no scope`);
  });
  scoped.addHook('onRequest', async (request) => {
    const { scope } = request.routeOptions.config;
    if (scope !== undefined && scope !== 'open') await access.admit(request, scope);
  });
  scoped.setErrorHandler((error, request, reply) => {
    const problem = problemOf(error);
    if (problem.status >= 500) log.error({ err: error, url: request.url }, 'API request failed');
    if (isErrorCode(problem.code)) refused(problem.code);
    return sendProblem(reply, problem);
  });
}
