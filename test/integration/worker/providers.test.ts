import { beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { z } from 'zod';
import { limitsSection } from '../../../src/config/limits.ts';
import { calendarSection, crmSection, smsSection, webhooksSection } from '../../../src/config/after-call.ts';
import { upsertContact } from '../../../src/store/tables/contacts.ts';
import { startProviders, type Providers } from '../../../src/worker/providers.ts';
import { startHubSpot } from '../../support/jobs/providers/hubspot.ts';
import { startSmsc, type Smsc } from '../../support/jobs/providers/smsc.ts';
import { startTelnyx } from '../../support/jobs/providers/telnyx.ts';
import { startTwilio } from '../../support/jobs/providers/twilio.ts';
import { startWebhookReceiver, webhookSecret } from '../../support/jobs/providers/webhook-receiver.ts';
import { workStages, type WorkStage } from '../../support/jobs/stage.ts';
import { until } from '../../support/until.ts';

const sections = z.strictObject({
  crm: crmSection,
  sms: smsSection,
  calendar: calendarSection,
  webhooks: webhooksSection,
  limits: limitsSection,
});
const LAURA = '+442079460123';
const SECRET = webhookSecret('worker');
const newStage = workStages();
let stage: WorkStage;
beforeEach(async () => {
  stage = await newStage();
});

function start(config: z.input<typeof sections>): Providers {
  const providers = startProviders(sections.parse(config), stage.queue.tools);
  onTestFinished(() => providers.close());
  stage.queue.handlers = providers.handlers;
  return providers;
}

function closing<T extends { close(): Promise<void> }>(server: T): T {
  onTestFinished(() => server.close());
  return server;
}

async function send(key: string): Promise<void> {
  const data = { callId: null, to: LAURA, body: `Text ${key}` };
  await stage.queue.enqueue('sms', { tenant: stage.tenant, key, data });
  await stage.queue.drain();
}

async function overSmpp(): Promise<Smsc> {
  const account = { systemId: 'trunkline', password: 'secret' };
  const smsc = closing(await startSmsc(account));
  const smpp = { host: '127.0.0.1', port: smsc.port, system_id: 'trunkline', password: 'secret' };
  start({
    sms: {
      unclear_wait_ms: 0,
      tenants: [{ tenant: stage.tenant, from: 'Clinic', replies: { stop: 'Goodbye.' }, smpp }],
    },
  });
  return smsc;
}

describe('providers of a configuration', () => {
  it('are none: everything stays in the store', async () => {
    start({});
    await send('a');
    expect(await stage.messages()).toMatchObject([{ status: 'sent', provider: 'outbox' }]);
  });

  it('are Twilio, with the address for its receipts', async () => {
    const account = { accountSid: 'AC9', authToken: 'token' };
    const server = closing(await startTwilio(account));
    const twilio = { base_url: server.url, account_sid: 'AC9', auth_token: 'token' };
    start({
      sms: {
        public_url: 'https://g.example/',
        tenants: [{ tenant: stage.tenant, from: '+442079460100', twilio }],
      },
    });
    await send('a');
    const [row] = await stage.messages();
    expect(server.messages[0]?.statusCallback).toBe(
      `https://g.example/hooks/sms/twilio/${stage.tenant}?message=${row?.message_id}`,
    );
  });

  it('are Telnyx', async () => {
    const server = closing(await startTelnyx('KEY'));
    const telnyx = { base_url: server.url, api_key: 'KEY' };
    start({ sms: { tenants: [{ tenant: stage.tenant, from: '+442079460100', telnyx }] } });
    await send('a');
    expect(server.messages).toHaveLength(1);
    expect(server.messages[0]?.webhookUrl).toBeUndefined();
  });

  it('are HubSpot and a webhook', async () => {
    const hub = closing(await startHubSpot('token'));
    const receiver = closing(await startWebhookReceiver(SECRET));
    const { tenant } = stage;
    start({
      crm: { tenants: [{ tenant, hubspot: { base_url: hub.url, access_token: 'token' } }] },
      webhooks: {
        ...{ allow_http: true, allowed_networks: ['127.0.0.1'] },
        tenants: [{ tenant, endpoints: [{ name: 'r', url: receiver.url, secret: SECRET }] }],
      },
    });
    const data = { type: 'contact' as const, callId: null, e164: LAURA, name: 'Laura Bennett' };
    await stage.queue.enqueue('crm', { tenant, key: 'c', data });
    await send('a');
    expect(hub.contacts).toMatchObject([{ properties: { lastname: 'Bennett' } }]);
    expect(receiver.taken.map((one) => one.type)).toEqual(['message.sent']);
    expect(await stage.unit((unit) => upsertContact(unit, { e164: LAURA }))).toMatchObject({
      external: { hubspot: hub.contacts[0]?.id },
    });
  });
});

describe('SMPP, from the job to the receipt', () => {
  it('delivers a message and keeps what the centre says of it', async () => {
    const smsc = await overSmpp();
    await send('a');
    const [message] = smsc.messages;
    if (message === undefined) throw new Error('nothing was sent');
    expect(await smsc.receipt(message, 'DELIVRD')).toBe(0);
    expect(await smsc.receipt(message, 'DELIVRD', 'tlv')).toBe(0);
    expect(await stage.messages()).toMatchObject([
      { status: 'delivered', provider: 'smpp', provider_message_id: message.id },
    ]);
  });

  it('knows by the reference of a receipt what was sent when the answer was lost', async () => {
    const smsc = await overSmpp();
    smsc.fail('cut-after');
    const data = { callId: null, to: LAURA, body: 'Text' };
    await stage.queue.enqueue('sms', { tenant: stage.tenant, key: 'a', data });
    const [job] = stage.queue.waiting.splice(0);
    if (job === undefined) throw new Error('no job');
    const work = { ...job.envelope, data: { ...data }, attempt: 1, signal: new AbortController().signal };
    const handler = stage.queue.handlers.sms;
    await expect(handler?.(work, stage.queue.tools)).rejects.toMatchObject({ outcome: 'unclear' });
    await until('the link is back', () => smsc.binds === 2);
    const [message] = smsc.messages;
    if (message === undefined) throw new Error('nothing was sent');
    expect(await smsc.receipt(message, 'DELIVRD', 'tlv')).toBe(0);
    await stage.queue.again('sms', 'a');
    expect(smsc.messages).toHaveLength(1);
    expect(await stage.messages()).toMatchObject([{ status: 'delivered', provider_message_id: message.id }]);
  });

  it('hears STOP, and answers it', async () => {
    const smsc = await overSmpp();
    await until('it is bound', () => smsc.binds === 1);
    expect(await smsc.incoming({ from: LAURA, to: '+442079460100', body: 'STOP' })).toBe(0);
    await stage.queue.drain();
    await send('a');
    expect(smsc.messages.map((one) => one.text)).toEqual(['Goodbye.']);
  });
});
