import fastify from 'fastify';
import { serializerCompiler, validatorCompiler } from 'fastify-type-provider-zod';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { ERROR_CATALOGUE, TrunklineError, type ErrorCode } from '../../../../src/base/errors.ts';
import { problemOf, problemView, sendProblem } from '../../../../src/web/api/problems.ts';

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

describe('the problem of an error', () => {
  it.each(Object.entries(STATUS))('%s has the status %i, its sentence and what was met', (code, status) => {
    const problem = problemOf(new TrunklineError(code as ErrorCode, 'what was met'));
    expect(problem).toEqual({
      title: ERROR_CATALOGUE[code as ErrorCode],
      status,
      detail: 'what was met',
      code,
    });
    expect(problemView.parse(problem)).toEqual(problem);
  });

  it.each((Object.keys(ERROR_CATALOGUE) as ErrorCode[]).filter((code) => !(code in STATUS)))(
    '%s is ours: what was met stays in the log',
    (code) => {
      const problem = problemOf(new TrunklineError(code, 'the path /srv/hunter2'));
      expect(problem.status).toBe(500);
      expect(JSON.stringify(problem)).not.toContain('hunter2');
    },
  );

  it.each([
    ['anything thrown', new Error('password=hunter2')],
    ['no error at all', 'hunter2'],
    ['undefined', undefined],
    ['a status that is none', Object.assign(new Error('hunter2'), { statusCode: 200 })],
    ['a status of ours', Object.assign(new Error('hunter2'), { statusCode: 502 })],
  ])('that nobody foresaw (%s) tells nothing', (_what, error) => {
    const problem = problemOf(error);
    expect(problem).toMatchObject({ status: 500, code: 'API_FAILED' });
    expect(JSON.stringify(problem)).not.toContain('hunter2');
  });

  it('that Fastify found keeps its status', () => {
    const tooLarge = Object.assign(new Error('Request body is too large'), { statusCode: 413 });
    expect(problemOf(tooLarge)).toMatchObject({
      status: 413,
      code: 'API_REQUEST_INVALID',
      detail: 'Request body is too large',
    });
  });
});

describe('a request against a schema', () => {
  it('is told each field that is wrong, and where it stood', async () => {
    const server = fastify();
    server.setValidatorCompiler(validatorCompiler);
    server.setSerializerCompiler(serializerCompiler);
    server.setErrorHandler((error, _request, reply) => sendProblem(reply, problemOf(error)));
    const body = z.strictObject({ e164: z.string().startsWith('+'), age: z.int() });
    server.post('/', { schema: { body } }, () => 'fine');
    const answer = await server.inject({ method: 'POST', url: '/', payload: { e164: '1', age: 'old' } });
    expect(answer.statusCode).toBe(400);
    expect(answer.headers['content-type']).toContain('application/problem+json');
    const { detail } = answer.json<{ detail: string }>();
    expect(detail).toContain('body');
    expect(detail).toContain('/e164');
    expect(detail).toContain('/age');
    await server.close();
  });
});

describe('headers of a problem', () => {
  const headersOf = async (code: ErrorCode): Promise<Record<string, unknown>> => {
    const server = fastify();
    server.get('/', (_request, reply) => sendProblem(reply, problemOf(new TrunklineError(code, 'x'))));
    const { headers } = await server.inject('/');
    await server.close();
    return headers;
  };

  it('say how to come in (RFC 9110, section 11.6.1)', async () => {
    expect(await headersOf('API_KEY_INVALID')).toMatchObject({
      'www-authenticate': expect.stringMatching(/^Bearer/) as string,
    });
    expect(await headersOf('API_FORBIDDEN')).not.toHaveProperty('www-authenticate');
  });

  it.each([
    ['API_TOO_FAST', '1'],
    ['STORE_UNAVAILABLE', '5'],
    ['JOBS_UNAVAILABLE', '5'],
  ] as const)('say when to come back: %s', async (code, seconds) => {
    expect(String((await headersOf(code))['retry-after'])).toBe(seconds);
  });
});
