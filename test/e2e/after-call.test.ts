/**
 * Calls by voice with everything that follows them: the gateway as people start it, with its own Redis, its
 * own database and its job process. Two clinics: one texts through Twilio and keeps a CalDAV calendar, the
 * other texts through an SMPP centre. What was said, booked and sent is read by the API and seen in the
 * console.
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
import { startSmsc, type Smsc } from '../support/jobs/providers/smsc.ts';
import { startTwilio, type TwilioCall, type TwilioStandIn } from '../support/jobs/providers/twilio.ts';
import { startRadicale, type Radicale } from '../support/jobs/radicale.ts';
import { eventually } from '../support/until.ts';
import { buildForBrowsers } from '../support/web-builds.ts';
import { Browser } from '../support/widget/browser.ts';

/** Speech in real time on a busy machine, and then the queues. */
const call_patience_ms = 150_000;
const jobs_patience_ms = 60_000;

const CALLER = '+15550199';
const SENDER = '+15550170';
const TWILIO = { accountSid: 'AC00000000000000000000000000000000', authToken: 'twilio-token' };
const SMPP = { systemId: 'harbour', password: 'secret' };
const PHONE_PASSWORD = 'e2e-phone';

type Tenant = 'default' | 'harbour';
const NUMBERS: Readonly<Record<Tenant, string>> = { default: '+15550100', harbour: '+15550101' };
const TENANTS = Object.keys(NUMBERS) as Tenant[];

let gateway: GatewayProcess;
let radicale: Radicale;
let twilio: TwilioStandIn;
let smsc: Smsc;
let keys: Record<Tenant, string>;
let apis: Record<Tenant, Api>;

function sections(webUrl: string): object {
  const sms = { from: SENDER, time_zone: 'UTC' };
  const { url, username, password } = radicale;
  return {
    trunks: TENANTS.map((tenant) => ({
      ...{ name: `phone-${tenant}`, tenant, codecs: ['pcmu'] },
      auth: { username: tenant, password: PHONE_PASSWORD },
    })),
    numbers: TENANTS.map((tenant) => ({ number: NUMBERS[tenant], tenant, profile: 'clinic-receptionist' })),
    crm: { tenants: TENANTS.map((tenant) => ({ tenant, country: 'US' })) },
    calendar: { tenants: [{ tenant: 'default', caldav: { url, username, password, time_zone: 'UTC' } }] },
    sms: {
      public_url: webUrl,
      tenants: [
        {
          ...{ tenant: 'default', ...sms },
          twilio: { account_sid: TWILIO.accountSid, auth_token: TWILIO.authToken, base_url: twilio.url },
        },
        {
          ...{ tenant: 'harbour', ...sms },
          smpp: {
            ...{ host: '127.0.0.1', port: smsc.port, tls: false },
            ...{ system_id: SMPP.systemId, password: SMPP.password },
          },
        },
      ],
    },
  };
}

/** The keys that the gateway wrote for whoever owns its data folder. */
async function firstKeys(): Promise<Record<Tenant, string>> {
  const file = join(gateway.dataDir, 'console-key');
  const content = await eventually(
    'a first key for each tenant',
    () => readFile(file, 'utf8'),
    (lines) => lines.trim().split('\n').length === TENANTS.length,
    jobs_patience_ms,
  );
  expect((await stat(file)).mode & 0o777).toBe(0o600);
  const pairs = content
    .trim()
    .split('\n')
    .map((line) => line.split(' '));
  return Object.fromEntries(pairs) as Record<Tenant, string>;
}

/** Books, and asks for the confirmation by text. */
async function placeCall(tenant: Tenant): Promise<void> {
  const target = ['--target', gateway.target, '--operator', gateway.operatorUrl, '--timeout', '120'];
  const line = ['--to', NUMBERS[tenant], '--from', CALLER, '--user', tenant, '--password', PHONE_PASSWORD];
  // A recorded voice: "text me" of the computed ones is understood by nobody.
  const args = [
    ...target,
    ...line,
    '--text',
    '--voice',
    'rms',
    '--wav',
    join(gateway.dataDir, `${tenant}.wav`),
  ];
  const child = spawn(process.execPath, ['scripts/call.ts', ...args], { cwd: packageRoot });
  const exited = once(child, 'close') as Promise<[number | null]>;
  const [output, complaint, [code]] = await Promise.all([text(child.stdout), text(child.stderr), exited]);
  expect({ code, complaint, output }).toMatchObject({ code: 0, complaint: '' });
}

async function wholeCall(tenant: Tenant): Promise<rows.WholeCall> {
  const api = apis[tenant];
  const { data } = await eventually(
    'the call to be over in the store',
    () => api.get('/calls', rows.calls),
    (answer) => answer.data[0]?.ending === 'agent-hung-up',
    jobs_patience_ms,
  );
  expect(data).toHaveLength(1);
  return api.get(`/calls/${data[0]?.call_id ?? ''}`, rows.wholeCall);
}

/** The one text to the caller, once it is so far. */
async function sentText(tenant: Tenant, status: string): Promise<z.infer<typeof rows.message>> {
  const { data } = await eventually(
    `a text that is ${status}`,
    () => apis[tenant].get('/messages', rows.messages),
    (answer) => answer.data.some((one) => one.direction === 'outbound' && one.status === status),
    jobs_patience_ms,
  );
  const sent = data.filter((one) => one.direction === 'outbound');
  const [only, ...more] = sent;
  expect(more).toEqual([]);
  if (only === undefined) throw new Error('no text was sent');
  return only;
}

const post = ({ url, headers, body }: TwilioCall): Promise<Response> =>
  fetch(url, { method: 'POST', headers, body });

describe('after a call by voice', () => {
  beforeAll(
    async () => {
      await buildForBrowsers('console');
      [radicale, twilio, smsc] = await Promise.all([startRadicale(), startTwilio(TWILIO), startSmsc(SMPP)]);
      gateway = await startGatewayProcess(sections);
      keys = await firstKeys();
      const atGateway: typeof fetch = (path, init) => fetch(`${gateway.webUrl}${path as string}`, init);
      apis = { default: new Api(keys.default, atGateway), harbour: new Api(keys.harbour, atGateway) };
      await Promise.all(TENANTS.map(placeCall));
    },
    call_patience_ms + 2 * jobs_patience_ms,
  );

  afterAll(async () => {
    await gateway.stop();
    await Promise.all([radicale.close(), twilio.close(), smsc.close()]);
  });

  it.each(TENANTS)('%s: every word of both sides is in the store, with its times', async (tenant) => {
    const call = await wholeCall(tenant);
    expect(new Set(call.turns.map((turn) => turn.who))).toEqual(new Set(['caller', 'agent']));
    expect(call.turns.every((turn) => turn.text !== '' && turn.at_ms >= 0)).toBe(true);
    const seqs = [...call.turns, ...call.tool_calls, ...call.events].map((one) => one.seq);
    expect([...seqs].sort((a, b) => a - b)).toEqual(Array.from({ length: seqs.length }, (_, at) => at));
    expect(call.tool_calls).toMatchObject([
      { name: 'book_appointment', ok: true },
      { name: 'send_sms', ok: true },
    ]);
    expect(call.appointments).toHaveLength(1);
  });

  it.each(TENANTS)('%s: is one contact with one activity in the CRM', async (tenant) => {
    const { data } = await eventually(
      'a contact',
      () => apis[tenant].get('/contacts', rows.contacts),
      (answer) => answer.data.length > 0,
      jobs_patience_ms,
    );
    expect(data).toMatchObject([{ e164: CALLER }]);
    const contact = await eventually(
      'its activity',
      () => apis[tenant].get(`/contacts/${data[0]?.contact_id ?? ''}`, rows.wholeContact),
      ({ activities }) => activities.length > 0,
      jobs_patience_ms,
    );
    expect(contact.activities).toHaveLength(1);
  });

  it('the appointment stands in the clinic’s own CalDAV calendar, once', async () => {
    const [appointment] = (await wholeCall('default')).appointments;
    const names = await eventually(
      'the appointment in radicale',
      () => radicale.names(),
      (found) => found.length > 0,
      jobs_patience_ms,
    );
    expect(names).toHaveLength(1);
    const [login, file] = [`${radicale.username}:${radicale.password}`, names[0] ?? ''];
    const headers = { authorization: `Basic ${btoa(login)}` };
    const event = await (await fetch(`${radicale.url}${file}`, { headers })).text();
    const [day, time] = [appointment?.day.replaceAll('-', ''), appointment?.time.replace(':', '')];
    expect(event).toContain('BEGIN:VEVENT');
    expect(event).toContain(`${day}T${time}`);
    expect(event).toContain(appointment?.name ?? '-');
  });

  it('one clinic’s text went out through Twilio, whose signature alone is believed', async () => {
    const [appointment] = (await wholeCall('default')).appointments;
    const sent = await sentText('default', 'sent');
    expect(twilio.messages).toMatchObject([{ to: CALLER, from: SENDER, body: sent.body }]);
    expect(sent.body).toContain(appointment?.confirmation);
    const [message] = twilio.messages;
    if (message === undefined) throw new Error('Twilio got nothing');
    const receipt = twilio.callback(message, 'delivered');
    const forged = { ...receipt.headers, 'x-twilio-signature': 'c2lnbmF0dXJlIG9mIG5vYm9keQ==' };
    expect((await post({ ...receipt, headers: forged })).status).toBe(403);
    expect((await post({ ...receipt, body: receipt.body.replace('delivered', 'failed') })).status).toBe(403);
    expect((await sentText('default', 'sent')).status).toBe('sent');
    expect((await post(receipt)).status).toBe(204);
    await sentText('default', 'delivered');
  });

  it('the other’s went out by SMPP, and its receipt came back', async () => {
    const [appointment] = (await wholeCall('harbour')).appointments;
    const sent = await sentText('harbour', 'sent');
    expect(smsc.messages).toMatchObject([{ to: CALLER.slice(1), from: SENDER.slice(1), text: sent.body }]);
    expect(sent.body).toContain(appointment?.confirmation);
    const [message] = smsc.messages;
    if (message === undefined) throw new Error('the SMPP centre got nothing');
    expect(await smsc.receipt(message, 'DELIVRD')).toBe(0);
    await sentText('harbour', 'delivered');
  });

  it('a caller who answers STOP is heard', async () => {
    const url = `${gateway.webUrl}/hooks/sms/twilio/default`;
    const stop = twilio.incoming(url, { from: CALLER, to: SENDER, body: 'Stop' });
    expect((await post(stop)).status).toBe(204);
    await eventually(
      'the answer in the store',
      () => apis.default.get('/messages', rows.messages),
      ({ data }) => data.some((one) => one.direction === 'inbound' && one.body === 'Stop'),
      jobs_patience_ms,
    );
  });

  it('the gateway tells Prometheus of it', async () => {
    const page = await (await fetch(`${gateway.operatorUrl}/metrics`)).text();
    expect(page).toMatch(/trunkline_calls_total\{[^}]*ending="agent-hung-up"[^}]*\} [12]/);
    expect(page).toMatch(/trunkline_queue_depth\{queue="transcripts",state="waiting"\} 0/);
  });

  it('nothing is left in the queues, and nothing was given up', async () => {
    for (const api of Object.values(apis)) {
      await eventually(
        'the queues to be empty',
        () => api.get('/queues', rows.queues),
        (answer) => answer.data.every((queue) => queue.waiting + queue.active === 0),
        jobs_patience_ms,
      );
      expect((await api.get('/dead-letters', rows.deadLetters)).data).toEqual([]);
      const known = await api.get('/keys', z.object({ data: z.array(z.object({ name: z.string() })) }));
      expect(known.data).toHaveLength(1);
    }
  });

  it.each(TENANTS)(
    '%s: all of it is seen in the console, and nothing of the other',
    async (tenant) => {
      const call = await wholeCall(tenant);
      const other = await wholeCall(tenant === 'default' ? 'harbour' : 'default');
      const foreign = other.appointments[0]?.confirmation ?? '-';
      const browser = await Browser.start();
      try {
        const { page } = browser;
        const open = (name: string): Promise<void> => page.getByRole('link', { name, exact: true }).click();
        await page.goto(`${gateway.webUrl}/console`);
        await page.getByLabel('API key').fill(keys[tenant]);
        await page.getByRole('button', { name: 'Come in' }).click();
        await open('Calls');
        await page.locator('tbody a').first().click();
        await page.getByText('Book appointment').first().waitFor();
        await page.getByText('Send sms').first().waitFor();
        expect(await page.locator('.timeline li.caller').count()).toBeGreaterThan(0);
        expect(await page.locator('.timeline li.agent').count()).toBeGreaterThan(0);
        const became = page.getByRole('complementary', { name: 'What became of it' });
        const [appointment] = call.appointments;
        await became
          .getByText(appointment?.confirmation ?? '-')
          .first()
          .waitFor();
        await became.getByText('(delivered)').waitFor();
        await became.getByText(call.activities[0]?.summary ?? '-').waitFor();
        for (const [name, words] of [
          ['Appointments', appointment?.confirmation ?? '-'],
          ['Messages', 'delivered'],
          ['Contacts', CALLER],
        ] as const) {
          await open(name);
          await page.locator('tbody tr', { hasText: words }).first().waitFor();
          expect(await page.locator('tbody tr', { hasText: foreign }).count()).toBe(0);
        }
        await open('Queues');
        await page.getByRole('heading', { name: 'Transcripts' }).waitFor();
        expect(browser.complaints).toEqual([]);
      } finally {
        await browser.close();
      }
    },
    60_000,
  );
});
