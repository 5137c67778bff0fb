import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { Api, ApiError } from '../../../console/console/api.ts';

const schema = z.object({ data: z.array(z.string()) });

const answering = (status: number, body: unknown, seen: Request[] = []): typeof fetch => {
  return (input, init) => {
    seen.push(new Request(new URL(input as string, 'http://gateway'), init));
    const text = typeof body === 'string' ? body : JSON.stringify(body);
    return Promise.resolve(new Response(text, { status }));
  };
};

const failureOf = async (work: Promise<unknown>): Promise<ApiError> => {
  const failure: unknown = await work.then(
    () => undefined,
    (error: unknown) => error,
  );
  if (failure instanceof ApiError) return failure;
  throw new Error('expected an ApiError', { cause: failure });
};

describe('asking the API', () => {
  it('carries the key, under /v1', async () => {
    const seen: Request[] = [];
    const api = new Api('tl.acme.key_x.y', answering(200, { data: ['one'] }, seen));
    expect(await api.get('/calls?limit=1', schema)).toEqual({ data: ['one'] });
    await api.post('/dead-letters/x/replay', schema);
    expect(seen.map((one) => `${one.method} ${one.url}`)).toEqual([
      'GET http://gateway/v1/calls?limit=1',
      'POST http://gateway/v1/dead-letters/x/replay',
    ]);
    expect(seen[0]?.headers.get('authorization')).toBe('Bearer tl.acme.key_x.y');
  });

  it('tells a refusal with its code and what was met', async () => {
    const problem = { title: 'Too fast.', status: 429, detail: 'more than 50', code: 'API_TOO_FAST' };
    const failure = await failureOf(new Api('k', answering(429, problem)).get('/calls', schema));
    expect(failure).toMatchObject({ status: 429, code: 'API_TOO_FAST', message: 'Too fast. (more than 50)' });
  });

  it.each([
    ['something that is no problem', 502, '<html>bad gateway</html>', 'REFUSED'],
    ['an answer of another shape', 200, { rows: [] }, 'ODD_ANSWER'],
    ['an answer that is no JSON', 200, 'hello', 'ODD_ANSWER'],
  ])('makes a sentence of %s', async (_what, status, body, code) => {
    const failure = await failureOf(new Api('k', answering(status, body)).get('/calls', schema));
    expect(failure.code).toBe(code);
    expect(failure.message).toMatch(/^The gateway .*\.$/);
  });

  it('says so when nobody answers', async () => {
    const api = new Api('k', () => Promise.reject(new TypeError('failed to fetch')));
    expect(await failureOf(api.get('/calls', schema))).toMatchObject({ status: 0, code: 'NO_ANSWER' });
  });
});

describe('a stream', () => {
  it('is refused like anything else', async () => {
    const problem = { title: 'No.', status: 401, detail: 'x', code: 'API_KEY_INVALID' };
    const api = new Api('k', answering(401, problem));
    const failure = await failureOf(api.stream('/live', new AbortController().signal));
    expect(failure).toMatchObject({ status: 401, code: 'API_KEY_INVALID' });
  });
});
