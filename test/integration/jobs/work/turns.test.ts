/** Jobs that come too soon for their provider: nothing is asked yet, lost, or done twice. */
import { beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { OutsideAddresses } from '../../../../src/base/outside-address.ts';
import { HubSpot } from '../../../../src/jobs/drivers/crm/hubspot.ts';
import { ProviderHttp } from '../../../../src/jobs/drivers/provider-http.ts';
import { Twilio } from '../../../../src/jobs/drivers/sms/twilio.ts';
import type { Turn } from '../../../../src/jobs/pace.ts';
import { crmHandler } from '../../../../src/jobs/work/crm.ts';
import { smsHandler } from '../../../../src/jobs/work/sms.ts';
import { smsRules } from '../../../../src/jobs/work/sms-rules.ts';
import { webhooksHandler } from '../../../../src/jobs/work/webhooks.ts';
import { JobLater } from '../../../../src/jobs/work.ts';
import { smsSection } from '../../../../src/config/after-call.ts';
import { startHubSpot } from '../../../support/jobs/providers/hubspot.ts';
import { startTwilio } from '../../../support/jobs/providers/twilio.ts';
import { startWebhookReceiver, webhookSecret } from '../../../support/jobs/providers/webhook-receiver.ts';
import { workStages, type WorkStage } from '../../../support/jobs/stage.ts';

const newStage = workStages();
const LAURA = '+442079460123';
let stage: WorkStage;
let turns: Turn[];
let pauses: number[];
beforeEach(async () => {
  stage = await newStage();
  [turns, pauses] = [[], []];
  stage.queue.onPause = (delayMs) => pauses.push(delayMs);
  // The first comes too soon, whoever it is.
  stage.queue.onTurn = (turn) => {
    turns.push(turn);
    return turns.length === 1 ? Promise.reject(new JobLater(700, 'too soon')) : Promise.resolve();
  };
});

function closing<T extends { close(): Promise<void> }>(one: T): T {
  onTestFinished(() => one.close());
  return one;
}

describe('a job that comes too soon', () => {
  it('sends its text when its turn has come, by its parts', async () => {
    const account = { accountSid: 'AC1', authToken: 'token' };
    const server = closing(await startTwilio(account));
    const options = { ...account, baseUrl: server.url, statusCallback: '', timeoutMs: 10_000 };
    const driver = closing(new Twilio(options));
    const rules = smsRules(smsSection.parse({}), stage.tenant, { driver });
    stage.queue.handlers = { sms: smsHandler(() => ({ ...rules, from: '+442079460100' })) };
    const data = { callId: null, to: LAURA, body: 'Long. '.repeat(60) };
    await stage.queue.enqueue('sms', { tenant: stage.tenant, key: 'a', data });
    await stage.queue.drain();
    const turn = { tenant: stage.tenant, provider: 'twilio', key: 'a', requests: 3 };
    expect(turns).toEqual([turn, turn]);
    expect(pauses).toEqual([700]);
    expect(server.messages).toHaveLength(1);
    expect(await stage.messages()).toMatchObject([{ status: 'sent', segments: 3 }]);
  });

  it('of the outbox has no provider to spare', async () => {
    const rules = smsRules(smsSection.parse({}), stage.tenant);
    stage.queue.handlers = { sms: smsHandler(() => rules) };
    const data = { callId: null, to: LAURA, body: 'Hi' };
    await stage.queue.enqueue('sms', { tenant: stage.tenant, key: 'a', data });
    await stage.queue.drain();
    expect(turns).toEqual([]);
  });

  it('writes its contact when its turn has come', async () => {
    const server = closing(await startHubSpot('token'));
    const driver = closing(new HubSpot({ baseUrl: server.url, accessToken: 'token', timeoutMs: 10_000 }));
    stage.queue.handlers = { crm: crmHandler(() => ({ country: 'GB', driver })) };
    const data = { type: 'contact' as const, callId: null, e164: LAURA, name: 'Laura Bennett' };
    await stage.queue.enqueue('crm', { tenant: stage.tenant, key: 'c', data });
    await stage.queue.drain();
    const turn = { tenant: stage.tenant, provider: 'hubspot', key: 'c', requests: 3 };
    expect(turns).toEqual([turn, turn]);
    expect(pauses).toEqual([700]);
    expect(stage.queue.dead).toEqual([]);
  });

  it('tells a receiver of webhooks when its turn has come', async () => {
    const secret = webhookSecret('clinic');
    const receiver = closing(await startWebhookReceiver(secret));
    const outside = new OutsideAddresses({ allowHttp: true, allowedNetworks: ['127.0.0.0/8'] });
    const http = closing(new ProviderHttp({ provider: 'a webhook', timeoutMs: 10_000, outside }));
    const endpoint = { name: 'r', url: receiver.url, secret, events: ['*'] };
    stage.queue.handlers = { webhooks: webhooksHandler(() => ({ endpoints: [endpoint] }), http) };
    const event = { eventId: 'e1', type: 'call.ended', at: '2026-01-15T10:00:00.000Z', data: {} };
    await stage.queue.enqueue('webhooks', { tenant: stage.tenant, key: 'e1', data: event });
    await stage.queue.drain();
    const turn = { tenant: stage.tenant, provider: 'webhook', key: 'e1/to/r', requests: 1 };
    expect(turns).toEqual([turn, turn]);
    expect(receiver.taken).toHaveLength(1);
  });
});
