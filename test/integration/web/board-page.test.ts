/** The board of queues as an operator sees it: Chromium, real queues in a real Redis, over HTTP. */
import type { AddressInfo } from 'node:net';
import Fastify, { type FastifyInstance } from 'fastify';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { JobQueues } from '../../../src/jobs/job-queues.ts';
import { registerBoard } from '../../../src/web/board/board.ts';
import { startRedis, type TestRedis } from '../../support/jobs/redis.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { silent } from '../../support/store/databases.ts';
import { eventually } from '../../support/until.ts';
import { Browser } from '../../support/widget/browser.ts';

const OPERATOR = 'op_writer-0123456789abcdef';
const JOB = {
  tenant: 'acme',
  key: 'call_1/crm',
  data: { type: 'call-ended', callId: 'call_of_acme' },
} as const;

let redis: TestRedis;
let queues: JobQueues;
let server: FastifyInstance;
let browser: Browser;
let site: string;
beforeAll(async () => {
  redis = await startRedis();
  queues = new JobQueues(redis.address, silent);
  const give = (): Promise<boolean> => queues.enqueue('crm', JOB).then(() => true);
  await eventually('Redis takes jobs', give, (isTaken) => isTaken);
  server = Fastify();
  await registerBoard(server, {
    queues: () => queues.all,
    keys: [{ key: OPERATOR, may_write: true }],
    record: () => Promise.resolve(),
    refused: () => undefined,
    ...{ clock: new ManualClock(), log: silent },
  });
  await server.listen({ host: '127.0.0.1', port: 0 });
  site = `http://127.0.0.1:${(server.server.address() as AddressInfo).port}`;
  browser = await Browser.start();
});
afterAll(async () => {
  await browser.close();
  await server.close();
  await queues.close();
  await redis.close();
});

async function signIn(key: string): Promise<void> {
  const { page } = browser;
  await page.goto(`${site}/board`);
  await page.getByLabel('Operator key').fill(key);
  await page.getByRole('button', { name: 'Sign in' }).click();
}

it('asks for a key, and says what is wrong with one of a tenant', async () => {
  await signIn(`tl.acme.key_abc.${'x'.repeat(43)}`);
  const alert = browser.page.getByRole('alert');
  await alert.waitFor();
  expect(await alert.textContent()).toContain('OPERATOR_KEY_INVALID');
  // The 401 itself; the page's own policy hinders nothing of it.
  expect(browser.complaints.filter((text) => !text.includes('401'))).toEqual([]);
});

it('shows an operator the queues and what waits in them', async () => {
  await signIn(OPERATOR);
  const { page } = browser;
  const queue = page.getByRole('link', { name: /^crm/ }).first();
  await queue.waitFor();
  await queue.click();
  await page.getByText('call_of_acme').first().waitFor();
  expect(page.url()).toContain('/board/write');
  // The page would have letters of another site: our policy lets nobody else know who looks at it.
  const complaints = browser.complaints.filter((text) => !text.includes('401'));
  expect(complaints.filter((text) => !text.includes('fonts.googleapis.com'))).toEqual([]);
});

it('asks again after signing out', async () => {
  const { page } = browser;
  await page.goto(`${site}/board/sign-out`);
  await page.goto(`${site}/board/write`);
  expect(await page.getByLabel('Operator key').count()).toBe(1);
  expect(await page.getByText('call_of_acme').count()).toBe(0);
});
