/** The API beside everything else that the browser door serves. */
import type { FastifyInstance } from 'fastify';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ErrorCode } from '../../../../src/base/errors.ts';
import { createSite } from '../../../../src/web/site.ts';
import { Tokens } from '../../../../src/web/tokens.ts';
import { silent } from '../../../support/store/databases.ts';
import { ApiStage } from '../../../support/web/api-stage.ts';
import { TENANT_KEY, webSettings } from '../../../support/web/door-stage.ts';

let stage: ApiStage;
let site: FastifyInstance;
let key: string;
const refused: ErrorCode[] = [];

const newSite = (api: ApiStage | undefined): Promise<FastifyInstance> =>
  createSite({
    settings: webSettings({}),
    tokens: new Tokens({ secret: '' }),
    profiles: new Set(['test']),
    tenantOf: () => undefined,
    refused: (code) => refused.push(code),
    folder: '/nowhere',
    deskAccess: { origins: [], keys: [], away_ms: 8000 },
    consoleFolder: '/nowhere',
    log: silent,
    ...(api === undefined ? {} : { api: api.parts() }),
  });

beforeAll(async () => {
  stage = await ApiStage.start();
  key = await stage.key('acme');
  site = await newSite(stage);
});
afterAll(async () => {
  await site.close();
  await stage.close();
});

describe('the API on the site', () => {
  it('answers under /v1, with the headers that all answers have', async () => {
    const headers = { authorization: `Bearer ${key}` };
    const answer = await site.inject({ url: '/v1/calls', headers });
    expect(answer.statusCode).toBe(200);
    expect(answer.headers['x-content-type-options']).toBe('nosniff');
    expect(answer.json()).toEqual({ data: [], next_cursor: null });
  });

  it('leaves tokens to the keys that may mint them', async () => {
    const ask = (bearer: string): Promise<number> =>
      site
        .inject({
          method: 'POST',
          url: '/v1/tokens',
          headers: { authorization: `Bearer ${bearer}` },
          payload: { profile: 'test' },
        })
        .then((answer) => answer.statusCode);
    expect(await ask(TENANT_KEY)).toBe(200);
    expect(await ask(key)).toBe(401);
    const withTenantKey = { authorization: `Bearer ${TENANT_KEY}` };
    expect((await site.inject({ url: '/v1/calls', headers: withTenantKey })).statusCode).toBe(401);
  });

  it('takes no body that is larger than its own', async () => {
    const answer = await site.inject({
      method: 'POST',
      url: '/v1/contacts',
      headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
      payload: JSON.stringify({ e164: '+15550100', notes: 'x'.repeat(20_000) }),
    });
    expect(answer.statusCode).toBe(413);
    expect(answer.json()).toMatchObject({ code: 'API_REQUEST_INVALID', status: 413 });
  });

  it('sets no cookie and allows no other site: a key is not for pages of strangers', async () => {
    const headers = { authorization: `Bearer ${key}`, origin: 'https://evil.example' };
    const answer = await site.inject({ url: '/v1/calls', headers });
    expect(answer.headers).not.toHaveProperty('access-control-allow-origin');
    expect(answer.headers).not.toHaveProperty('set-cookie');
  });

  it('is not there where there is no store', async () => {
    const without = await newSite(undefined);
    for (const url of ['/v1/calls', '/v1/openapi.json', '/v1/live'])
      expect((await without.inject({ url })).statusCode).toBe(404);
    await without.close();
  });
});
