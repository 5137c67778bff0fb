import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { TrunklineError } from '../../../../src/base/errors.ts';
import { revokeApiKey } from '../../../../src/store/tables/api-keys.ts';
import { ApiStage } from '../../../support/web/api-stage.ts';

interface OpenApi {
  readonly openapi: string;
  readonly paths: Record<string, Record<string, { parameters?: { name: string; in: string }[] }>>;
}

let stage: ApiStage;
beforeAll(async () => {
  stage = await ApiStage.start();
  await stage.fill('acme');
});
afterAll(() => stage.close());

const page = async (): Promise<OpenApi> =>
  (await stage.ask('GET', '/v1/openapi.json')).body as unknown as OpenApi;

/** Every route that answers JSON, with ids of rows that the tenant acme has. */
async function routes(): Promise<{ method: 'GET' | 'POST' | 'DELETE'; path: string; hasId: boolean }[]> {
  const ids: Record<string, string> = {
    call_id: 'call_secret',
    contact_id: 'contact_secret',
    message_id: 'message_secret',
    appointment_id: 'appointment_secret',
    dead_letter_id: 'letter_secret',
    key_id: 'key_secret',
    e164: '+15550666',
  };
  return Object.entries((await page()).paths).flatMap(([path, methods]) =>
    Object.keys(methods).map((method) => ({
      method: method.toUpperCase() as 'GET',
      path: path.replaceAll(/\{(\w+)\}/g, (_whole, name: string) => encodeURIComponent(ids[name] ?? '?')),
      hasId: path.includes('{'),
    })),
  );
}

describe('the OpenAPI page', () => {
  it('is open, and lists every route with what it takes and gives', async () => {
    const { openapi, paths } = await page();
    expect(openapi).toBe('3.1.0');
    expect(Object.keys(paths)).toEqual(
      expect.arrayContaining([
        '/v1/calls',
        '/v1/calls/{call_id}',
        '/v1/dead-letters/{dead_letter_id}/replay',
      ]),
    );
    const query = paths['/v1/calls']?.['get']?.parameters?.filter((one) => one.in === 'query');
    expect(query?.map((one) => one.name)).toEqual(expect.arrayContaining(['limit', 'cursor', 'ending']));
    expect((await routes()).every(({ path }) => !path.includes('?'))).toBe(true);
  });
});

describe('a key', () => {
  it('is wanted by every route, and refused in words when it is none', async () => {
    const keys = [undefined, 'x', 'tl.acme.key_x.short', `tl.acme.key_abc.${'a'.repeat(43)}`];
    for (const { method, path } of await routes())
      for (const key of keys) {
        const answer = await stage.ask(method, path, key === undefined ? {} : { key });
        expect(answer.status, `${method} ${path}`).toBe(401);
        expect(answer.headers.get('www-authenticate')).toContain('Bearer');
        expect(answer.body['code']).toBe('API_KEY_INVALID');
      }
    expect(stage.refusals).toContain('API_KEY_INVALID');
  });

  it('of no scope that serves opens nothing', async () => {
    const key = await stage.key('acme', []);
    for (const { method, path } of await routes()) {
      const answer = await stage.ask(method, path, { key });
      expect(answer.status, `${method} ${path}`).toBe(403);
      expect(answer.body['code']).toBe('API_FORBIDDEN');
    }
  });

  it('opens what its scopes name and nothing else', async () => {
    const key = await stage.key('acme', ['calls:read', 'messages:read']);
    expect((await stage.ask('GET', '/v1/calls', { key })).status).toBe(200);
    expect((await stage.ask('GET', '/v1/messages', { key })).status).toBe(200);
    expect((await stage.ask('GET', '/v1/contacts', { key })).status).toBe(403);
    const body = { to: '+15550111', body: 'hello' };
    expect((await stage.ask('POST', '/v1/messages', { key, body })).status).toBe(403);
    expect((await stage.ask('GET', '/v1/keys', { key })).status).toBe(403);
  });

  it('that is out of date or revoked is as good as none', async () => {
    const { key: old } = await stage.newKey('acme', ['admin'], new Date(Date.now() - 1000));
    expect((await stage.ask('GET', '/v1/calls', { key: old })).status).toBe(401);
    const { key, apiKey } = await stage.newKey('acme', ['admin']);
    expect((await stage.ask('GET', '/v1/calls', { key })).status).toBe(200);
    await stage.store.tenant('acme', (unit) => revokeApiKey(unit, apiKey.key_id, { at: new Date() }));
    expect((await stage.ask('GET', '/v1/calls', { key })).status).toBe(401);
  });

  it('of one tenant with the name of another is none', async () => {
    const { key } = await stage.newKey('acme', ['admin']);
    expect((await stage.ask('GET', '/v1/calls', { key: key.replace('tl.acme.', 'tl.other.') })).status).toBe(
      401,
    );
  });
});

describe('another tenant', () => {
  it('sees, changes and guesses nothing, by any route', async () => {
    const key = await stage.key('other');
    const tried = await routes();
    expect(tried.filter((route) => route.hasId).length).toBeGreaterThan(8);
    for (const { method, path, hasId } of tried) {
      if (path.endsWith('/live')) continue;
      const body = method === 'POST' && !path.includes('secret') ? undefined : {};
      const answer = await stage.ask(method, path, {
        key,
        ...(method === 'GET' ? {} : { body: body ?? {} }),
      });
      expect(answer.text, `${method} ${path}`).not.toMatch(/secret(?!_hash)(?!")/i);
      if (hasId && !path.includes('/people/')) expect(answer.status, `${method} ${path}`).toBe(404);
    }
    const { body } = await stage.ask('GET', '/v1/calls/call_secret', { key: await stage.key('acme') });
    expect(body['turns']).toMatchObject([{ text: 'my secret' }]);
  });

  it('sees only its own numbers and profiles', async () => {
    const key = await stage.key('other');
    const numbers = await stage.ask('GET', '/v1/numbers', { key });
    expect(numbers.body['data']).toEqual([{ number: '+15550200', profile: 'garage' }]);
    const profiles = await stage.ask('GET', '/v1/profiles', { key });
    expect(profiles.body['data']).toMatchObject([{ name: 'garage', adapter: 'realtime' }]);
  });
});

describe('requests', () => {
  it('that come too fast are told to slow down, each key for itself', async () => {
    const slow = await ApiStage.start({ requestsPerSecondMax: 3 });
    try {
      const [one, two] = [await slow.key('acme'), await slow.key('acme')];
      for (let sent = 0; sent < 3; sent += 1)
        expect((await slow.ask('GET', '/v1/numbers', { key: one })).status).toBe(200);
      const refused = await slow.ask('GET', '/v1/numbers', { key: one });
      expect(refused.status).toBe(429);
      expect(refused.headers.get('retry-after')).toBe('1');
      expect((await slow.ask('GET', '/v1/numbers', { key: two })).status).toBe(200);
      slow.clock.advance(1000);
      expect((await slow.ask('GET', '/v1/numbers', { key: one })).status).toBe(200);
    } finally {
      await slow.close();
    }
  });

  it.each([
    ['GET', '/v1/calls?limit=0', undefined, 400],
    ['GET', '/v1/calls?limit=many', undefined, 400],
    ['GET', '/v1/calls?cursor=nonsense', undefined, 400],
    ['GET', '/v1/appointments?from_day=tomorrow', undefined, 400],
    ['GET', '/v1/people/anna', undefined, 400],
    ['POST', '/v1/contacts', '{"e164":', 400],
    ['POST', '/v1/contacts', { e164: '15550100' }, 400],
    ['POST', '/v1/contacts', { e164: '+15550100', admin: true }, 400],
    ['POST', '/v1/messages', { to: '+15550100' }, 400],
    ['POST', '/v1/messages', { to: '+15550100', body: 'x', template: 'y' }, 400],
    ['POST', '/v1/keys', { name: 'x', scopes: ['everything'] }, 400],
    ['POST', '/v1/contacts', { e164: '+15550100', notes: 'x'.repeat(2_000_000) }, 413],
    ['GET', '/v1/nothing', undefined, 404],
  ] as const)('that are wrong are told why: %s %s', async (method, path, body, status) => {
    const key = await stage.key('acme');
    const answer = await stage.ask(method, path, { key, ...(body === undefined ? {} : { body }) });
    expect(answer.status).toBe(status);
    if (path === '/v1/nothing') return;
    expect(answer.headers.get('content-type')).toContain('application/problem+json');
    expect(answer.body).toMatchObject({ status, code: expect.stringMatching(/^(API|STORE)_/) as string });
  });

  it('are told to come back while what they need is away, and nothing of the cause', async () => {
    const key = await stage.key('acme');
    stage.queuesFail = new TrunklineError('JOBS_UNAVAILABLE', 'the spool is full');
    const away = await stage.ask('GET', '/v1/queues', { key });
    expect(away).toMatchObject({ status: 503, body: { code: 'JOBS_UNAVAILABLE' } });
    expect(away.headers.get('retry-after')).toBe('5');
    stage.queuesFail = new Error('password=hunter2');
    const broken = await stage.ask('GET', '/v1/queues', { key });
    expect(broken).toMatchObject({ status: 500, body: { code: 'API_FAILED' } });
    expect(broken.text).not.toContain('hunter2');
    stage.queuesFail = undefined;
  });
});
