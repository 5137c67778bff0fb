/**
 * One call by voice with everything that follows it: the gateway as people start it, with its own Redis, its
 * own database and its job process; what was said and booked is read by the API and seen in the console.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { Api } from '../../console/console/api.ts';
import * as rows from '../../console/console/rows.ts';
import { packageRoot } from '../../src/config.ts';
import { startGatewayProcess, type GatewayProcess } from '../support/gateway-process.ts';
import { eventually, until } from '../support/until.ts';
import { buildForBrowsers } from '../support/web-builds.ts';
import { Browser } from '../support/widget/browser.ts';

/** Speech in real time on a busy machine, and then the queues. */
const call_patience_ms = 120_000;
const jobs_patience_ms = 60_000;

let gateway: GatewayProcess;
let key: string;
let api: Api;

/** The key that the gateway wrote for whoever owns its data folder. */
async function firstKey(): Promise<string> {
  const file = join(gateway.dataDir, 'console-key');
  let line = '';
  let reading = false;
  await until(
    'the first key',
    () => {
      if (!reading) {
        reading = true;
        readFile(file, 'utf8').then(
          (content) => (line = content.split('\n')[0] ?? ''),
          () => (reading = false),
        );
      }
      return line !== '';
    },
    jobs_patience_ms,
  );
  expect((await stat(file)).mode & 0o777).toBe(0o600);
  return line.split(' ')[1] ?? '';
}

async function placeCall(): Promise<string> {
  const wav = join(gateway.dataDir, 'call.wav');
  const args = ['--target', gateway.target, '--operator', gateway.operatorUrl, '--wav', wav];
  const child = spawn(process.execPath, ['scripts/call.ts', ...args], { cwd: packageRoot });
  const exited = once(child, 'close') as Promise<[number | null]>;
  const [output, complaint, [code]] = await Promise.all([text(child.stdout), text(child.stderr), exited]);
  expect({ code, complaint, output }).toMatchObject({ code: 0, complaint: '' });
  return output;
}

describe('after a call by voice', () => {
  beforeAll(async () => {
    await buildForBrowsers('console');
    gateway = await startGatewayProcess();
    key = await firstKey();
    const atGateway: typeof fetch = (path, init) => fetch(`${gateway.webUrl}${path as string}`, init);
    api = new Api(key, atGateway);
    await placeCall();
  }, call_patience_ms + jobs_patience_ms);

  afterAll(() => gateway.stop());

  it('every word of both sides is in the store, with its times, and so is the booking', async () => {
    const { data } = await eventually(
      'the call to be over in the store',
      () => api.get('/calls', rows.calls),
      (answer) => answer.data[0]?.ending === 'agent-hung-up',
    );
    expect(data).toHaveLength(1);
    const call = await api.get(`/calls/${data[0]?.call_id ?? ''}`, rows.wholeCall);
    expect(new Set(call.turns.map((turn) => turn.who))).toEqual(new Set(['caller', 'agent']));
    expect(call.turns.every((turn) => turn.text !== '' && turn.at_ms >= 0)).toBe(true);
    const seqs = [...call.turns, ...call.tool_calls, ...call.events].map((one) => one.seq);
    expect([...seqs].sort((a, b) => a - b)).toEqual(Array.from({ length: seqs.length }, (_, at) => at));
    expect(call.tool_calls).toMatchObject([{ name: 'book_appointment', ok: true }]);
    expect(call.appointments).toHaveLength(1);
  });

  it('is one contact with one activity in the CRM', async () => {
    const { data } = await eventually(
      'a contact',
      () => api.get('/contacts', rows.contacts),
      (answer) => answer.data.length > 0,
    );
    expect(data).toHaveLength(1);
    const contact = await api.get(`/contacts/${data[0]?.contact_id ?? ''}`, rows.wholeContact);
    expect(contact.activities).toHaveLength(1);
  });

  it('the gateway tells Prometheus of it', async () => {
    const page = await (await fetch(`${gateway.operatorUrl}/metrics`)).text();
    expect(page).toMatch(/trunkline_calls_total\{[^}]*ending="agent-hung-up"[^}]*\} 1/);
    expect(page).toMatch(/trunkline_queue_depth\{queue="transcripts",state="waiting"\} 0/);
  });

  it('nothing is left in the queues, and nothing was given up', async () => {
    await eventually(
      'the queues to be empty',
      () => api.get('/queues', rows.queues),
      (answer) => answer.data.every((queue) => queue.waiting + queue.active === 0),
    );
    expect((await api.get('/dead-letters', rows.deadLetters)).data).toEqual([]);
    const keys = await api.get('/keys', z.object({ data: z.array(z.object({ name: z.string() })) }));
    expect(keys.data).toHaveLength(1);
  });

  it('all of it is seen in the console', { timeout: 60_000 }, async () => {
    const browser = await Browser.start();
    try {
      const { page } = browser;
      await page.goto(`${gateway.webUrl}/console`);
      await page.getByLabel('API key').fill(key);
      await page.getByRole('button', { name: 'Come in' }).click();
      await page.getByRole('link', { name: 'Calls', exact: true }).click();
      await page.locator('tbody a').first().click();
      await page.getByText('Book appointment').first().waitFor();
      expect(await page.locator('.timeline li.caller').count()).toBeGreaterThan(0);
      expect(await page.locator('.timeline li.agent').count()).toBeGreaterThan(0);
      await page.getByRole('link', { name: 'Appointments', exact: true }).click();
      await page.locator('tbody tr').first().waitFor();
      await page.getByRole('link', { name: 'Contacts', exact: true }).click();
      await page.locator('tbody tr').first().waitFor();
      expect(browser.complaints).toEqual([]);
    } finally {
      await browser.close();
    }
  });
});
