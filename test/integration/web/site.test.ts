/** What the browser door answers over plain HTTP. */
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { WebDoor } from '../../../src/web/web-door.ts';
import { silentLog } from '../../support/sfu.ts';
import { DoorStage, TENANT_KEY, webSettings } from '../../support/web/door-stage.ts';

let folder: string;
let stage: DoorStage;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'trunkline-site-'));
  await writeFile(join(folder, 'index.html'), '<!doctype html><title>Demo</title>');
  await writeFile(join(folder, 'widget.js'), 'export {};');
  const consoleFolder = join(folder, 'console');
  await mkdir(join(consoleFolder, 'desk'), { recursive: true });
  await mkdir(join(consoleFolder, 'assets'));
  await writeFile(join(consoleFolder, 'desk', 'index.html'), '<!doctype html><title>Desk</title>');
  await writeFile(join(consoleFolder, 'assets', 'desk-1a2b.js'), 'export {};');
  stage = await DoorStage.open({ folder, consoleFolder });
});

afterAll(async () => {
  await stage.close();
  await rm(folder, { recursive: true, force: true });
});

function get(path: string): Promise<Response> {
  return fetch(new URL(path, stage.door.url));
}

describe('the site', () => {
  it.each([
    ['/', /text\/html/, /Demo/],
    ['/widget.js', /javascript/, /export/],
    ['/desk', /text\/html/, /Desk/],
    ['/assets/desk-1a2b.js', /javascript/, /export/],
  ])('serves %s', async (path, type, text) => {
    const response = await get(path);
    expect(response.status).toBe(200);
    expect(response.headers.get('content-type')).toMatch(type);
    expect(response.headers.get('x-content-type-options')).toBe('nosniff');
    expect(await response.text()).toMatch(text);
  });

  it.each(['/nothing', '/../package.json', '/%2e%2e/package.json', '/v1/calls', '/v1/census', '/healthz'])(
    'has nothing at %s: what operators ask is asked elsewhere',
    async (path) => {
      const response = await get(path);
      expect(response.status).toBeGreaterThanOrEqual(400);
      expect(await response.text()).not.toMatch(/trunkline"|calls"/);
    },
  );

  it('lets the desk load and reach nothing but the gateway, and nobody frame it', async () => {
    const { headers } = await get('/desk');
    const policy = new Map(
      (headers.get('content-security-policy') ?? '').split('; ').map((one) => {
        const [name = '', ...sources] = one.split(' ');
        return [name, sources.join(' ')];
      }),
    );
    expect(policy.get('default-src')).toBe("'none'");
    expect(policy.get('script-src')).toBe("'self'");
    expect(policy.get('connect-src')).toBe("'self'");
    expect(policy.get('frame-ancestors')).toBe("'none'");
    expect(headers.get('referrer-policy')).toBe('no-referrer');
    expect(headers.get('cache-control')).toBe('no-cache');
    const script = await get('/assets/desk-1a2b.js');
    expect(script.headers.get('cache-control')).toMatch(/immutable/);
    expect((await get('/assets/')).status).toBe(403);
    expect((await get('/assets/../desk/index.html')).status).toBe(404);
  });

  it('lives without the widget, too', async () => {
    const bare = await DoorStage.open();
    try {
      expect((await fetch(new URL('/', bare.door.url))).status).toBe(404);
      expect((await bare.askToken({ profile: 'clinic' })).status).toBe(200);
    } finally {
      await bare.close();
    }
  });

  it('does not start on a port that is taken', async () => {
    const taken = createServer().listen(0, '127.0.0.1');
    await once(taken, 'listening');
    const { port } = taken.address() as { port: number };
    const { journal } = stage;
    const starting = WebDoor.start({
      settings: { ...webSettings(), port },
      profiles: new Set<string>(),
      threads: stage.rooms.threads,
      rooms: stage.rooms.rooms,
      openAgent: () => {
        throw new Error('nobody visits');
      },
      durationMaxMs: 1000,
      desk: stage.desk,
      ...{ journal, folder, consoleFolder: folder, log: silentLog },
    });
    await expect(starting).rejects.toMatchObject({ code: 'WEB_PORT_IN_USE' });
    taken.close();
  });
});

describe('POST /v1/tokens', () => {
  it('mints for a tenant, and no longer than is allowed', async () => {
    const answer = await stage.askToken({ profile: 'clinic', ttl_s: 1_000_000 });
    expect(answer.headers.get('cache-control')).toBe('no-store');
    expect(await answer.json()).toEqual({ token: expect.any(String) as string, expires_in_s: 3600 });
    expect(await (await stage.askToken({ profile: 'clinic' })).json()).toMatchObject({ expires_in_s: 300 });
  });

  it.each(['', 'wrong', `${TENANT_KEY}x`, TENANT_KEY.slice(1)])('refuses the key %j', async (key) => {
    const answer = await stage.askToken({ profile: 'clinic' }, key);
    expect(answer.status).toBe(401);
    expect(answer.headers.get('content-type')).toMatch('application/problem+json');
    expect(await answer.json()).toMatchObject({ code: 'WEB_KEY_INVALID' });
  });

  it.each([
    ['neither profile nor room', {}, 400],
    ['both', { profile: 'clinic', room: 'call_1' }, 400],
    ['a role that there is not', { profile: 'clinic', role: 'root' }, 400],
    ['a permission that there is not', { profile: 'clinic', permissions: ['all'] }, 400],
    ['no time at all', { profile: 'clinic', ttl_s: 0 }, 400],
    ['an unknown key', { profile: 'clinic', tenant: 'other' }, 400],
    ['a profile that there is not', { profile: 'none' }, 404],
    ['a room that there is not', { room: 'call_none' }, 404],
    ['too much', { profile: 'clinic', role: 'x'.repeat(20_000) }, 413],
  ])('refuses %s', async (_what, question, status) => {
    const answer = await stage.askToken(question);
    expect(answer.status).toBe(status);
    expect(await answer.json()).toMatchObject({ status });
  });

  it('refuses what is no JSON', async () => {
    const answer = await fetch(new URL('/v1/tokens', stage.door.url), {
      method: 'POST',
      headers: { authorization: `Bearer ${TENANT_KEY}`, 'content-type': 'application/json' },
      body: '{',
    });
    expect(answer.status).toBe(400);
  });

  it('gives a token that lets its holder in', async () => {
    const browser = await stage.browser({ origin: null });
    const token = await stage.token({ profile: 'clinic', permissions: ['hear'] });
    const joined = await browser.ask('join', { token });
    expect(joined).toMatchObject({ role: 'visitor', permissions: ['hear'] });
    expect(stage.journal.get(joined.roomId)).toMatchObject({ tenant: 'clinic', from: 'token' });
  });
});
