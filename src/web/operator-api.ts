/**
 * What an operator may ask over HTTP: is the gateway well, which calls are there, what was booked, which
 * gateways share the store. JSON only; problems are told as RFC 9457 problem details. Bound to loopback by
 * default: whoever reaches it may look. What changes something wants an operator's key.
 */
import fastify, { type FastifyInstance, type FastifyReply } from 'fastify';
import { z } from 'zod';
import { ERROR_CATALOGUE, messageOf, TrunklineError, type ErrorCode } from '../base/errors.ts';
import type { Log } from '../base/log.ts';
import type { CallRecord, Journal } from '../room/journal.ts';
import { gatewayRoutes, type GatewayParts } from './operator-gateways.ts';

/** Answers of the parts that the gateway knows; asked anew for every request. */
export interface OperatorSources {
  readonly journal: Journal;
  /** Why new calls would be refused right now; empty when they would not. */
  readonly troubles: () => string[];
  /** What an operator should see to while calls are taken all the same. */
  readonly warnings: () => string[];
  readonly census: () => Promise<unknown>;
  /** The page that Prometheus reads. */
  readonly metrics: { readonly contentType: string; scrape(): Promise<string> };
  /** Lists that are asked for by their name: /v1/appointments, /v1/mcp_servers … */
  readonly records: Readonly<Record<string, () => readonly unknown[] | Promise<readonly unknown[]>>>;
  /** Those that share the store; none without one. */
  readonly gateways?: GatewayParts | undefined;
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
    const server = fastify({
      bodyLimit: 64 * 1024,
      forceCloseConnections: true,
      // A path that is no path never reaches the handlers below.
      frameworkErrors: (error, _request, reply) => void sendProblem(reply, problemOf(error)),
    });
    server.setNotFoundHandler((request, reply) =>
      sendProblem(reply, {
        title: 'Not found',
        status: 404,
        detail: `There is nothing at ${request.method} ${request.url}.`,
      }),
    );
    server.setErrorHandler((error, _request, reply) => {
      const problem = problemOf(error);
      if (problem.status >= 500) options.log.error({ err: error }, 'operator request failed');
      return sendProblem(reply, problem);
    });
    addRoutes(server, sources);
    const url = await server.listen({ host: options.host, port: options.port });
    return new OperatorApi(server, url);
  }

  async close(): Promise<void> {
    await this.#server.close();
  }
}

/** RFC 9457. */
interface Problem {
  readonly title: string;
  readonly status: number;
  readonly detail: string;
  /** Of docs/ERRORS.md, where it has one. */
  readonly code?: ErrorCode;
}

const STATUS: Partial<Record<ErrorCode, number>> = {
  OPERATOR_KEY_INVALID: 401,
  API_FORBIDDEN: 403,
  GATEWAY_UNKNOWN: 404,
  GATEWAY_IS_THIS: 409,
  GATEWAY_HEARD: 409,
  STORE_UNAVAILABLE: 503,
  JOBS_UNAVAILABLE: 503,
};

function sendProblem(reply: FastifyReply, problem: Problem): FastifyReply {
  return reply.status(problem.status).type('application/problem+json').send(problem);
}

/** Whose fault it is: a request that nobody could answer is not ours, and no error of the log. */
function problemOf(error: unknown): Problem {
  if (error instanceof z.ZodError)
    return { title: 'Bad request', status: 400, detail: z.prettifyError(error) };
  if (error instanceof TrunklineError && STATUS[error.code] !== undefined) {
    const { code, detail } = error;
    return { title: ERROR_CATALOGUE[code], status: STATUS[code] ?? 500, detail, code };
  }
  const status = error instanceof Error && 'statusCode' in error ? Number(error.statusCode) : 500;
  if (status >= 400 && status < 500) return { title: 'Bad request', status, detail: messageOf(error) };
  return { title: 'Internal error', status: 500, detail: 'The log holds the cause.' };
}

function addRoutes(server: FastifyInstance, sources: OperatorSources): void {
  server.get('/healthz', () => ({ status: 'alive' }));
  server.get('/readyz', async (_request, reply) => {
    const [troubles, warnings] = [sources.troubles(), sources.warnings()];
    const ready = troubles.length === 0;
    await reply.status(ready ? 200 : 503).send({ ready, troubles, warnings });
  });
  server.get('/metrics', async (_request, reply) => {
    const page = await sources.metrics.scrape();
    return reply.type(sources.metrics.contentType).send(page);
  });
  server.get('/v1/calls', (request) => {
    const query = callsQuery.parse(request.query);
    const filter = query.sip_call_id === undefined ? {} : { sipCallId: query.sip_call_id };
    return { calls: sources.journal.list(filter).slice(0, query.limit) };
  });
  server.get<{ Params: { callId: string } }>('/v1/calls/:callId', async (request, reply) => {
    const record: CallRecord | undefined = sources.journal.get(request.params.callId);
    if (record !== undefined) return record;
    const detail = `No call ${request.params.callId} is remembered.`;
    return sendProblem(reply, { title: 'No such call', status: 404, detail });
  });
  for (const [name, list] of Object.entries(sources.records))
    server.get(`/v1/${name}`, async () => ({ [name]: await list() }));
  server.get('/v1/census', async () => sources.census());
  if (sources.gateways !== undefined) gatewayRoutes(server, sources.gateways);
}
