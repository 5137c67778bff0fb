/** The console in Chromium: the real API, a real database, and what a day of calls leaves there. */
import { join } from 'node:path';
import type { FastifyInstance } from 'fastify';
import { bookSlot } from '../../../src/store/tables/appointments.ts';
import { putActivities } from '../../../src/store/tables/activities.ts';
import { addCallEvents } from '../../../src/store/tables/call-events.ts';
import { endCall, openCalls, updateCalls } from '../../../src/store/tables/calls.ts';
import { upsertContact } from '../../../src/store/tables/contacts.ts';
import { addDeadLetter } from '../../../src/store/tables/dead-letters.ts';
import { addMessage } from '../../../src/store/tables/messages.ts';
import { addToolCalls } from '../../../src/store/tables/tool-calls.ts';
import { addTurns } from '../../../src/store/tables/turns.ts';
import type { TenantRows } from '../../../src/store/store.ts';
import type { CallJob } from '../../../src/web/api/ports.ts';
import { createSite } from '../../../src/web/site.ts';
import { Tokens } from '../../../src/web/tokens.ts';
import { ROOT } from '../../tidy/files.ts';
import { silent } from '../store/databases.ts';
import { ApiStage } from '../web/api-stage.ts';
import { webSettings } from '../web/door-stage.ts';
import { buildForBrowsers } from '../web-builds.ts';
import { Browser } from '../widget/browser.ts';

export const CALLER = '+15550199';

export class ConsoleStage {
  readonly api: ApiStage;
  readonly browser: Browser;
  readonly key: string;
  readonly url: string;
  readonly #site: FastifyInstance;

  private constructor(parts: {
    api: ApiStage;
    browser: Browser;
    key: string;
    url: string;
    site: FastifyInstance;
  }) {
    this.api = parts.api;
    this.browser = parts.browser;
    this.key = parts.key;
    this.url = parts.url;
    this.#site = parts.site;
  }

  static async start(): Promise<ConsoleStage> {
    await buildForBrowsers('console');
    const api = await ApiStage.start();
    await api.store.tenant('acme', aDayOfCalls);
    api.counts = ['transcripts', 'crm', 'sms'].map((queue, at) => ({
      ...{ queue, waiting: at, active: 0, delayed: 0, failed: 0 },
    }));
    api.callJobs.set('acme/call_booking', jobsOfTheDay);
    const site = await createSite({
      settings: webSettings({}),
      tokens: new Tokens({ secret: '' }),
      profiles: new Set(['clinic']),
      tenantOf: () => undefined,
      refused: () => undefined,
      folder: join(ROOT, 'widget', 'dist'),
      deskAccess: { origins: [], keys: [], away_ms: 8000 },
      consoleFolder: join(ROOT, 'console', 'dist'),
      log: silent,
      api: api.parts(),
    });
    const url = await site.listen({ host: '127.0.0.1', port: 0 });
    const browser = await Browser.start();
    return new ConsoleStage({ api, browser, key: await api.key('acme'), url, site });
  }

  /** Comes in with the key. */
  async logIn(key = this.key): Promise<void> {
    const { page } = this.browser;
    await page.goto(`${this.url}/console`);
    await page.getByLabel('API key').fill(key);
    await page.getByRole('button', { name: 'Come in' }).click();
  }

  async close(): Promise<void> {
    await this.browser.close();
    await this.#site.close();
    await this.api.close();
  }
}

const asked = { askedAt: '2026-11-26T09:31:05.000Z', endedAt: null, failure: null };
const jobsOfTheDay: CallJob[] = [
  {
    ...{ ...asked, queue: 'crm', key: 'call_booking/crm', state: 'completed', attempts: 1, attemptsMax: 16 },
    endedAt: '2026-11-26T09:31:06.000Z',
  },
  {
    ...{ ...asked, queue: 'sms', key: 'call_booking/sms/1', state: 'delayed', attempts: 2, attemptsMax: 10 },
    failure: 'PROVIDER_FAILED: 500',
  },
];

/** One booking by phone with all that follows, and a job that was given up. */
async function aDayOfCalls(unit: TenantRows): Promise<void> {
  const call_id = 'call_booking';
  const started_at = new Date('2026-11-26T09:30:00.000Z');
  await openCalls(unit, {
    ...{ call_id, gateway: 'gw', source: 'phone', sip_call_id: 'sip-1', trunk: 'carrier', started_at },
    ...{ profile: 'clinic-receptionist', from_number: CALLER, to_number: '+15550100' },
  });
  const said = { call_id, heard_ms: null, interrupted: false, response_ms: null };
  await addTurns(unit, [
    { ...said, seq: 2, who: 'agent', text: 'Hello, this is the clinic. How can I help?', at_ms: 400 },
    { ...said, seq: 3, who: 'caller', text: 'I would like an appointment tomorrow at ten', at_ms: 4200 },
    {
      ...{ ...said, seq: 5, who: 'agent', text: 'You are booked for tomorrow at ten.', at_ms: 6100 },
      ...{ response_ms: 640, interrupted: true },
    },
  ]);
  await addToolCalls(unit, [
    {
      ...{ call_id, seq: 4, name: 'book_appointment', arguments: { day: '2026-11-27', time: '10:00' } },
      ...{ result: { ok: true, confirmation: 'KT482' }, ok: true, code: null, took_ms: 12, at_ms: 4900 },
    },
  ]);
  await addCallEvents(unit, [
    { call_id, seq: 0, type: 'ringing', at_ms: 0, fact: {} },
    { call_id, seq: 1, type: 'answered', at_ms: 300, fact: {} },
  ]);
  await updateCalls(unit, 'answered_ms', new Map([[call_id, 300]]));
  const summary = 'Booked an appointment for 27 November, 10:00.';
  await updateCalls(unit, 'summary', new Map([[call_id, summary]]));
  await endCall(unit, call_id, {
    ...{ ended_at: new Date('2026-11-26T09:31:05.000Z'), duration_ms: 65_000, ending: 'agent-hung-up' },
    ...{ ending_class: 'success', ending_detail: null, media: null },
  });
  const contact = await upsertContact(unit, { e164: CALLER, name: 'Emily Wilson' });
  await putActivities(unit, [
    {
      ...{ contactId: contact.contact_id, callId: call_id, kind: 'call', outcome: null },
      ...{ summary: 'Booked an appointment', occurredAt: started_at },
    },
  ]);
  await bookSlot(unit, {
    ...{ calendar: 'default', callId: call_id, attemptId: 'a', name: 'Emily Wilson', confirmation: 'KT482' },
    ...{ day: '2026-11-27', time: '10:00', timeZone: 'UTC' },
  });
  await addMessage(unit, {
    ...{ idempotency_key: 'k', channel: 'sms', direction: 'outbound', status: 'delivered', call_id },
    ...{ from_number: '+15550100', to_number: CALLER, body: 'Your appointment: 27 November, 10:00. KT482' },
    ...{ template: null, segments: 1, provider: 'local', provider_message_id: 'p1', send_after: null },
  });
  await addDeadLetter(unit, {
    ...{
      queue: 'crm',
      jobKey: 'job-1',
      payload: {},
      code: 'CRM_REFUSED',
      detail: 'The CRM says 401',
      attempts: 12,
    },
  });
}
