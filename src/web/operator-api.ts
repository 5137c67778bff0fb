/**
 * What an operator may ask over HTTP: is the gateway well, which calls are there, what was booked.
 * JSON only; problems are told as RFC 9457 problem details. Bound to loopback by default: it has no log-in yet.
 */
import fastify, { type FastifyInstance } from 'fastify';
import { z } from 'zod';
import type { Log } from '../base/log.ts';
import type { CallRecord, Journal } from '../room/journal.ts';

/** Answers of the parts that the gateway knows; asked anew for every request. */
export interface OperatorSources {
  readonly journal: Journal;
  /** Why new calls would be refused right now; empty when they would not. */
  readonly troubles: () => string[];
  readonly census: () => Promise<unknown>;
  readonly appointments: () => readonly unknown[];
}

export interface OperatorOptions {
  readonly host: string;
  readonly port: number;
  readonly log: Log;
}

const calls_page_max = 100;

const callsQuery = z.strictObject({
  sip_call_id: z.string().min(1).max(512).optional(),
  limit: z.coerce.number().int().min(1).max(calls_page_max).default(20),
});

export class OperatorApi {
  readonly url: string;
  readonly #server: FastifyInstance;

  private constructor(server: FastifyInstance, url: string) {
    this.#server = server;
    this.url = url;
  }

  static async start(sources: OperatorSources, options: OperatorOptions): Promise<OperatorApi> {
    const server = fastify({ bodyLimit: 64 * 1024, forceCloseConnections: true });
    server.setNotFoundHandler(async (request, reply) => {
      await reply
        .status(404)
        .type('application/problem+json')
        .send({
          title: 'Not found',
          status: 404,
          detail: `There is nothing at ${request.method} ${request.url}.`,
        });
    });
    server.setErrorHandler(async (error, _request, reply) => {
      const invalid = error instanceof z.ZodError;
      if (!invalid) options.log.error({ err: error }, 'operator request failed');
      await reply
        .status(invalid ? 400 : 500)
        .type('application/problem+json')
        .send({
          title: invalid ? 'Bad request' : 'Internal error',
          status: invalid ? 400 : 500,
          detail: invalid ? z.prettifyError(error) : 'The log holds the cause.',
        });
    });
    addRoutes(server, sources);
    const url = await server.listen({ host: options.host, port: options.port });
    return new OperatorApi(server, url);
  }

  async close(): Promise<void> {
    await this.#server.close();
  }
}

function addRoutes(server: FastifyInstance, sources: OperatorSources): void {
  server.get('/healthz', () => ({ status: 'alive' }));
  server.get('/readyz', async (_request, reply) => {
    const troubles = sources.troubles();
    await reply.status(troubles.length === 0 ? 200 : 503).send({ ready: troubles.length === 0, troubles });
  });
  server.get('/v1/calls', (request) => {
    const query = callsQuery.parse(request.query);
    const filter = query.sip_call_id === undefined ? {} : { sipCallId: query.sip_call_id };
    return { calls: sources.journal.list(filter).slice(0, query.limit) };
  });
  server.get<{ Params: { callId: string } }>('/v1/calls/:callId', async (request, reply) => {
    const record: CallRecord | undefined = sources.journal.get(request.params.callId);
    if (record !== undefined) return record;
    return reply
      .status(404)
      .type('application/problem+json')
      .send({
        title: 'No such call',
        status: 404,
        detail: `No call ${request.params.callId} is remembered.`,
      });
  });
  server.get('/v1/appointments', () => ({ appointments: sources.appointments() }));
  server.get('/v1/census', async () => sources.census());
}
