import { Webhook } from 'standardwebhooks';
import { describe, expect, it, onTestFinished } from 'vitest';
import { OutsideAddresses } from '../../../../src/base/outside-address.ts';
import { WebhookCrm } from '../../../../src/jobs/drivers/crm/webhook-crm.ts';
import { ProviderHttp } from '../../../../src/jobs/drivers/provider-http.ts';
import { postSigned, type WebhookEvent } from '../../../../src/jobs/drivers/webhook/signed-post.ts';
import {
  startWebhookReceiver,
  webhookSecret,
  type TakenEvent,
  type WebhookReceiverStandIn,
} from '../../../support/jobs/providers/webhook-receiver.ts';

const SECRET = webhookSecret('a secret of the clinic');
const LOOPBACK = new OutsideAddresses({ allowHttp: true, allowedNetworks: ['127.0.0.0/8'] });
const EVENT: WebhookEvent = {
  id: 'event_1',
  type: 'call.ended',
  at: '2026-01-15T10:00:00.000Z',
  data: { callId: 'call_1', note: 'Müller & Söhne' },
};
const CALL = {
  ...{ key: 'call_1/activity', title: 'Call', text: 'Caller: Laura', durationMs: 1000 },
  ...{ startedAt: new Date('2026-01-15T10:00:00Z'), fromNumber: '+442079460123', toNumber: '+442079460100' },
};

async function receiver(reply?: (event: TakenEvent) => unknown): Promise<WebhookReceiverStandIn> {
  const server = await startWebhookReceiver(SECRET, reply);
  onTestFinished(() => server.close());
  return server;
}

function client(outside = LOOPBACK): ProviderHttp {
  const http = new ProviderHttp({ provider: 'a webhook', timeoutMs: 10_000, outside });
  onTestFinished(() => http.close());
  return http;
}

describe('a signed post', () => {
  it('is believed by the specification’s own verifier', async () => {
    const server = await receiver();
    await postSigned(client(), { url: server.url, secret: SECRET }, EVENT);
    expect(server.taken).toEqual([
      { id: 'event_1', type: 'call.ended', timestamp: EVENT.at, data: EVENT.data },
    ]);
  });

  it('is refused with another secret', async () => {
    const server = await receiver();
    const wrong = { url: server.url, secret: webhookSecret('another') };
    await expect(postSigned(client(), wrong, EVENT)).rejects.toMatchObject({
      outcome: 'refused',
      status: 401,
    });
    expect(server.taken).toEqual([]);
  });

  it('has the same id on every try, and a time of its own, so that old ones can be refused', async () => {
    const server = await receiver();
    const to = { url: server.url, secret: SECRET };
    server.fail('cut-after', { status: 503 });
    await expect(postSigned(client(), to, EVENT)).rejects.toMatchObject({ outcome: 'unclear' });
    await expect(postSigned(client(), to, EVENT)).rejects.toMatchObject({ outcome: 'unavailable' });
    await postSigned(client(), to, EVENT);
    expect(server.taken).toHaveLength(1);
    expect(server.repeated).toBe(1);
    expect(new Set(server.asked.map((one) => one.headers['webhook-id']))).toEqual(new Set(['event_1']));
    const hourAgo = { now: new Date(Date.now() - 3_600_000) };
    await expect(postSigned(client(), to, EVENT, hourAgo)).rejects.toMatchObject({ status: 401 });
  });

  it('reaches nothing inside', async () => {
    const server = await receiver();
    const strict = client(new OutsideAddresses());
    const inside = [server.url, 'https://127.0.0.1/', 'https://169.254.169.254/latest/meta-data'];
    for (const url of inside)
      await expect(postSigned(strict, { url, secret: SECRET }, EVENT)).rejects.toThrow(/ADDRESS_FORBIDDEN/);
    expect(server.asked).toEqual([]);
  });

  it('signs what is sent, octet by octet', async () => {
    const server = await receiver();
    await postSigned(client(), { url: server.url, secret: SECRET }, EVENT);
    const [asked] = server.asked;
    const changed = (asked?.body ?? '').replace('call_1', 'call_2');
    expect(() => new Webhook(SECRET).verify(changed, asked?.headers as Record<string, string>)).toThrow();
  });
});

describe('a CRM behind a webhook', () => {
  async function stage(
    reply?: (event: TakenEvent) => unknown,
  ): Promise<[WebhookReceiverStandIn, WebhookCrm]> {
    const server = await receiver(reply);
    const crm = new WebhookCrm({ url: server.url, secret: SECRET, timeoutMs: 10_000, outside: LOOPBACK });
    onTestFinished(() => crm.close());
    return [server, crm];
  }

  it('is told of contacts and activities', async () => {
    const [server, crm] = await stage((event) => ({ id: event.type === 'contact.upserted' ? 'c1' : 7 }));
    expect(await crm.upsertContact({ e164: '+442079460123', name: 'Laura Bennett' })).toBe('c1');
    expect(await crm.writeActivity(CALL, 'c1')).toBe('7');
    expect(server.taken).toMatchObject([
      { type: 'contact.upserted', data: { e164: '+442079460123', name: 'Laura Bennett', id: null } },
      { type: 'activity.written', data: { key: 'call_1/activity', contactId: 'c1', text: 'Caller: Laura' } },
    ]);
  });

  it('may answer nothing: number and key are names enough', async () => {
    const [, crm] = await stage(() => 'ok');
    expect(await crm.upsertContact({ e164: '+442079460123' })).toBe('+442079460123');
    expect(await crm.writeActivity(CALL, 'x')).toBe('call_1/activity');
  });

  it('gets one event for one change, and another for the next', async () => {
    const [server, crm] = await stage();
    server.fail('cut-after');
    await expect(crm.upsertContact({ e164: '+442079460123', name: 'L' })).rejects.toMatchObject({
      outcome: 'unclear',
    });
    await crm.upsertContact({ e164: '+442079460123', name: 'L' });
    await crm.upsertContact({ e164: '+442079460123', name: 'Laura' });
    await crm.writeActivity(CALL, 'x');
    await crm.writeActivity(CALL, 'x');
    expect(server.taken.map((one) => one.type)).toEqual([
      'contact.upserted',
      'contact.upserted',
      'activity.written',
    ]);
    expect(server.repeated).toBe(2);
  });
});
