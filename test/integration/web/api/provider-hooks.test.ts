import fastify, { type FastifyInstance } from 'fastify';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { TrunklineError } from '../../../../src/base/errors.ts';
import type { HookRequest } from '../../../../src/web/api/ports.ts';
import { registerProviderHooks } from '../../../../src/web/api/provider-hooks.ts';

const taken: HookRequest[] = [];
let failure: Error | undefined;
let server: FastifyInstance;
beforeAll(async () => {
  server = fastify();
  await registerProviderHooks(server, (request) => {
    if (failure !== undefined) return Promise.reject(failure);
    taken.push(request);
    return Promise.resolve();
  });
});
afterAll(() => server.close());

const post = (url: string, payload: string, headers: Record<string, string> = {}) =>
  server.inject({ method: 'POST', url, payload, headers });

describe('what providers post', () => {
  it.each([
    ['application/x-www-form-urlencoded', 'MessageSid=SM1&Body=a%20b&Body=c'],
    ['application/json', '{"data": {"id": "1"},\n "x":1}'],
    ['text/strange', 'anything'],
  ])('goes on as it came: %s', async (type, body) => {
    failure = undefined;
    const headers = { 'content-type': type, 'X-Twilio-Signature': 'sig' };
    const answer = await post('/hooks/sms/twilio/acme?message=m1', body, headers);
    expect(answer.statusCode).toBe(204);
    expect(taken.pop()).toMatchObject({
      provider: 'twilio',
      tenant: 'acme',
      path: '/hooks/sms/twilio/acme?message=m1',
      body,
      headers: { 'x-twilio-signature': 'sig' },
    });
  });

  it.each([
    '/hooks/sms/nobody/acme',
    '/hooks/sms/twilio/ACME',
    '/hooks/sms/twilio/a%2Fb',
    '/hooks/sms/twilio',
  ])('to nobody is refused: %s', async (url) => {
    expect((await post(url, 'x')).statusCode).toBe(404);
    expect(taken).toEqual([]);
  });

  it.each([
    ['SIGNATURE_INVALID', 403],
    ['API_NOT_FOUND', 404],
    ['STORE_UNAVAILABLE', 503],
  ] as const)('is answered so that the provider knows what to do: %s', async (code, status) => {
    failure = new TrunklineError(code, 'x');
    const answer = await post('/hooks/sms/telnyx/acme', '{}', { 'content-type': 'application/json' });
    expect(answer.statusCode).toBe(status);
    expect(answer.json()).toMatchObject({ code });
    failure = undefined;
  });

  it('that fails for a reason of ours is to be sent again, and tells nothing', async () => {
    failure = new Error('password=hunter2');
    const answer = await post('/hooks/sms/telnyx/acme', '{}', { 'content-type': 'application/json' });
    expect(answer.statusCode).toBe(500);
    expect(answer.body).not.toContain('hunter2');
    failure = undefined;
  });
});
