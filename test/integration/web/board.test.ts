/** The board of queues: real queues in a real Redis, for operators and nobody else. */
import Fastify, { type FastifyInstance } from 'fastify';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { TrunklineError } from '../../../src/base/errors.ts';
import { JobQueues } from '../../../src/jobs/job-queues.ts';
import { registerBoard } from '../../../src/web/board/board.ts';
import { startRedis, type TestRedis } from '../../support/jobs/redis.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { silent } from '../../support/store/databases.ts';
import { until } from '../../support/until.ts';

const WRITER = 'op_writer-0123456789abcdef';
const READER = 'op_reader-0123456789abcdef';
const JOB = {
  tenant: 'acme',
  key: 'call_1/crm',
  data: { type: 'call-ended', callId: 'call_secret' },
} as const;

let redis: TestRedis;
let queues: JobQueues;
let server: FastifyInstance;
let clock: ManualClock;
let recorded: string[];
let refusals: string[];
beforeAll(async () => {
  redis = await startRedis();
  queues = new JobQueues(redis.address, silent);
  let isTaken = false;
  const give = (): void =>
    void queues.enqueue('crm', JOB).then(
      () => (isTaken = true),
      () => undefined,
    );
  await until('Redis takes jobs', () => {
    give();
    return isTaken;
  });
});
afterAll(async () => {
  await queues.close();
  await redis.close();
});
beforeEach(async () => {
  [clock, recorded, refusals] = [new ManualClock(), [], []];
  server = await start();
});
afterEach(() => server.close());

async function start(all: () => JobQueues['all'] = () => queues.all): Promise<FastifyInstance> {
  const fresh = Fastify();
  await registerBoard(fresh, {
    queues: all,
    keys: [
      { key: WRITER, may_write: true },
      { key: READER, may_write: false },
    ],
    record: (action, target) => Promise.resolve(void recorded.push(`${action} ${target}`)),
    refused: (code) => void refusals.push(code),
    ...{ clock, log: silent },
  });
  return fresh;
}

type Answer = Awaited<ReturnType<FastifyInstance['inject']>>;

const signIn = async (key: string): Promise<Answer> =>
  server.inject({
    ...{ method: 'POST', url: '/board/session', payload: new URLSearchParams({ key }).toString() },
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
  });

const cookieOf = (answer: Answer): string => String(answer.headers['set-cookie']).split(';')[0] ?? '';

const get = async (url: string, cookie = '', accept = '*/*'): Promise<Answer> =>
  server.inject({ url, headers: { cookie, accept } });

describe('the board', () => {
  it('shows nothing to whoever has not signed in', async () => {
    for (const url of ['/board/read', '/board/write', '/board/write/api/queues?activeQueue=crm&page=1']) {
      const answer = await get(url);
      expect([answer.statusCode, answer.json<{ code: string }>().code]).toEqual([
        401,
        'OPERATOR_KEY_INVALID',
      ]);
      expect(answer.body).not.toContain('call_secret');
    }
    const asked = await get('/board/write', '', 'text/html');
    expect([asked.statusCode, asked.body.includes('<form')]).toEqual([401, true]);
    expect(refusals).toHaveLength(4);
  });

  it.each(['', 'nonsense', `tl.acme.key_abc.${'x'.repeat(43)}`, READER.slice(0, -1), `${WRITER} x`])(
    'is not opened by %j: a key of a tenant opens it no more than none',
    async (key) => {
      const answer = await signIn(key);
      expect([answer.statusCode, answer.headers['set-cookie']]).toEqual([401, undefined]);
      expect(answer.body).toContain('OPERATOR_KEY_INVALID');
      const made = await get('/board/read', `trunkline_board=${key}`);
      expect(made.statusCode).toBe(401);
    },
  );

  it('shows an operator the payloads of all tenants, by a cookie that only this site sends', async () => {
    const answer = await signIn(WRITER);
    expect([answer.statusCode, answer.headers.location]).toEqual([303, '/board/write']);
    expect(answer.headers['set-cookie']).toMatch(/HttpOnly; SameSite=Strict$/);
    const cookie = cookieOf(answer);
    const page = await get('/board/write', cookie);
    expect([page.statusCode, page.headers['cache-control']]).toEqual([200, 'no-store']);
    expect(page.headers['content-security-policy']).toContain("frame-ancestors 'none'");
    const jobs = await get('/board/write/api/queues?activeQueue=crm&page=1&jobsPerPage=10', cookie);
    expect(jobs.statusCode).toBe(200);
    expect(jobs.body).toContain('call_secret');
    const [, script = ''] = /src="([^"]+\.js)"/.exec(page.body) ?? [];
    const loaded = await get(new URL(script, 'http://x/board/write/').pathname, cookie);
    expect([loaded.statusCode, loaded.headers['content-type']]).toEqual([
      200,
      expect.stringContaining('javascript'),
    ]);
  });

  it('lets whoever may only look do nothing else', async () => {
    const cookie = cookieOf(await signIn(READER));
    const jobs = await get('/board/read/api/queues?activeQueue=crm&page=1', cookie);
    const [crm] = jobs
      .json<{ queues: { name: string; readOnlyMode: boolean }[] }>()
      .queues.filter(({ name }) => name === 'crm');
    expect(crm?.readOnlyMode).toBe(true);
    for (const url of ['/board/read/api/queues/crm/empty', '/board/write/api/queues/crm/empty']) {
      const answer = await server.inject({ method: 'PUT', url, headers: { cookie } });
      expect([answer.statusCode, answer.json<{ code: string }>().code]).toEqual([403, 'API_FORBIDDEN']);
    }
    expect(recorded).toEqual([]);
  });

  it('keeps what an operator does, before it is done', async () => {
    const cookie = cookieOf(await signIn(WRITER));
    await queues.enqueue('sms', {
      tenant: 'acme',
      key: 'k',
      data: { callId: null, to: '+15550123', body: 'Hi' },
    });
    const url = '/board/write/api/queues/sms/empty';
    const answer = await server.inject({ method: 'PUT', url, headers: { cookie } });
    expect(answer.statusCode).toBe(200);
    expect(recorded).toEqual([`board.put ${url}`]);
    expect((await queues.depths()).sms).toBe(0);
  });

  it('forgets a session that is signed out, and one that is old', async () => {
    const [first, second] = [cookieOf(await signIn(READER)), cookieOf(await signIn(READER))];
    expect((await get('/board', first)).headers.location).toBe('/board/read');
    const out = await get('/board/sign-out', first);
    expect(out.headers['set-cookie']).toContain('Max-Age=0');
    expect((await get('/board/read', first)).statusCode).toBe(401);
    clock.advance(12 * 3_600_000 - 1);
    expect((await get('/board/read', second)).statusCode).toBe(200);
    clock.advance(1);
    expect((await get('/board/read', second)).statusCode).toBe(401);
  });

  it('takes few guesses per second, right ones among them', async () => {
    const guesses: number[] = [];
    for (let n = 0; n < 6; n += 1) guesses.push((await signIn('guess')).statusCode);
    expect(guesses).toEqual([401, 401, 401, 401, 401, 429]);
    expect((await signIn(WRITER)).statusCode).toBe(429);
    clock.advance(1000);
    expect((await signIn(WRITER)).statusCode).toBe(303);
  });

  it('says so while Redis was never there', async () => {
    await server.close();
    server = await start(() => {
      throw new TrunklineError('JOBS_UNAVAILABLE', 'Redis is away');
    });
    const answer = await get('/board/write', cookieOf(await signIn(WRITER)));
    expect([answer.statusCode, answer.json<{ code: string }>().code]).toEqual([503, 'JOBS_UNAVAILABLE']);
  });
});
