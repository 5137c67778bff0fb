/** How the API says no: problem details (RFC 9457) with the code of docs/ERRORS.md. */
import type { FastifyReply } from 'fastify';
import { hasZodFastifySchemaValidationErrors } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { ERROR_CATALOGUE, TrunklineError, type ErrorCode } from '../../base/errors.ts';

export const problemView = z
  .object({
    title: z.string(),
    status: z.int(),
    detail: z.string(),
    code: z.string(),
  })
  .describe('Problem details (RFC 9457); `code` is explained in docs/ERRORS.md');
export type Problem = z.infer<typeof problemView>;

const STATUS: Partial<Record<ErrorCode, number>> = {
  API_KEY_INVALID: 401,
  API_FORBIDDEN: 403,
  SIGNATURE_INVALID: 403,
  API_NOT_FOUND: 404,
  API_TOO_FAST: 429,
  API_REQUEST_INVALID: 400,
  STORE_CURSOR_INVALID: 400,
  STORE_KEY_REUSED: 422,
  STORE_UNAVAILABLE: 503,
  JOBS_UNAVAILABLE: 503,
  JOB_PAYLOAD_INVALID: 400,
};

/** Seconds after which a client may ask again. */
const RETRY_AFTER_S = { 429: 1, 503: 5 } as const;

const httpError = z.looseObject({ statusCode: z.int().min(400).max(499), message: z.string() });

/** What a request is told that failed; `null` detail of the cause stays in the log. */
export function problemOf(error: unknown): Problem {
  if (error instanceof TrunklineError) {
    const status = STATUS[error.code] ?? 500;
    const detail = status === 500 ? 'The log holds the cause.' : error.detail;
    return { title: ERROR_CATALOGUE[error.code], status, detail, code: error.code };
  }
  if (hasZodFastifySchemaValidationErrors(error)) {
    const detail = error.validation.map(({ instancePath, message }) => `${instancePath} ${message}`.trim());
    return invalid(`${error.validationContext ?? 'request'}: ${detail.join('; ')}`);
  }
  const known = httpError.safeParse(error);
  if (known.success) return { ...invalid(known.data.message), status: known.data.statusCode };
  return {
    title: ERROR_CATALOGUE.API_FAILED,
    status: 500,
    detail: 'The log holds the cause.',
    code: 'API_FAILED',
  };
}

function invalid(detail: string): Problem {
  const code = 'API_REQUEST_INVALID';
  return { title: ERROR_CATALOGUE[code], status: 400, detail, code };
}

/** Not async: a reply is a promise of its own end. */
export function sendProblem(reply: FastifyReply, problem: Problem): FastifyReply {
  const { status } = problem;
  if (status === 401) void reply.header('www-authenticate', 'Bearer realm="trunkline"');
  if (status === 429 || status === 503) void reply.header('retry-after', RETRY_AFTER_S[status]);
  return reply.status(status).type('application/problem+json').send(problem);
}
