// What stands in for providers is held to what the providers do: by their own packages where there are any.
import { Webhook } from 'standardwebhooks';
import twilio from 'twilio';
import { describe, expect, it, onTestFinished } from 'vitest';
import { twilioSignature } from '../../../../src/jobs/drivers/sms/twilio.ts';
import { startHttpStandIn } from '../../../support/jobs/providers/http-stand-in.ts';
import { startHubSpot } from '../../../support/jobs/providers/hubspot.ts';
import { startTelnyx } from '../../../support/jobs/providers/telnyx.ts';
import { startTwilio } from '../../../support/jobs/providers/twilio.ts';
import { startWebhookReceiver, webhookSecret } from '../../../support/jobs/providers/webhook-receiver.ts';
import { until } from '../../../support/until.ts';

const ACCOUNT = { accountSid: 'AC0', authToken: 'token' };
const TEXT = { from: '+442079460123', to: '+442079460100', body: 'Grüße & 1+1=2 €' };

function closing<T extends { close(): Promise<void> }>(server: T): T {
  onTestFinished(() => server.close());
  return server;
}

describe('the HTTP stand-in', () => {
  it('serves, keeps what was asked, and breaks as it is told', async () => {
    const server = closing(await startHttpStandIn(({ path }) => ({ status: 200, body: { path } })));
    server.fail(undefined, { status: 429, headers: { 'retry-after': '2' } }, 'cut', 'cut-after');
    expect(await (await fetch(`${server.url}/a`)).json()).toEqual({ path: '/a' });
    const busy = await fetch(`${server.url}/b`);
    expect([busy.status, busy.headers.get('retry-after')]).toEqual([429, '2']);
    await expect(fetch(`${server.url}/c`)).rejects.toThrow();
    await expect(fetch(`${server.url}/d`, { method: 'POST', body: 'x' })).rejects.toThrow();
    expect(server.asked.map((one) => one.path)).toEqual(['/a', '/b', '/c', '/d']);
  });

  it('is silent until it is released', async () => {
    const server = closing(await startHttpStandIn(() => ({ status: 200 })));
    server.fail('silent');
    const asking = fetch(server.url).then(
      () => 'answered',
      () => 'broken',
    );
    await until('it was asked', () => server.asked.length === 1);
    server.release();
    expect(await asking).toBe('broken');
  });

  it('answers 599 when it fails itself', async () => {
    const server = closing(
      await startHttpStandIn(() => {
        throw new Error('a bug of the stand-in');
      }),
    );
    expect((await fetch(server.url)).status).toBe(599);
  });
});

describe('the Twilio stand-in', () => {
  it('signs as Twilio does, and our own signature is the same', async () => {
    const stand = closing(await startTwilio(ACCOUNT));
    const { url, headers, body } = stand.incoming('https://gateway.example/hooks?a=b', TEXT);
    const parameters = Object.fromEntries(new URLSearchParams(body));
    const signature = headers['x-twilio-signature'] ?? '';
    expect(twilio.validateRequest(ACCOUNT.authToken, signature, url, parameters)).toBe(true);
    expect(twilio.validateRequest('another', signature, url, parameters)).toBe(false);
    expect(twilioSignature(ACCOUNT.authToken, url, new URLSearchParams(body))).toBe(signature);
  });

  it('is understood by Twilio’s own client', async () => {
    const stand = closing(await startTwilio(ACCOUNT));
    const authorization = `Basic ${btoa(`${ACCOUNT.accountSid}:${ACCOUNT.authToken}`)}`;
    const address = `${stand.url}/2010-04-01/Accounts/${ACCOUNT.accountSid}/Messages.json`;
    const headers = { authorization, 'content-type': 'application/x-www-form-urlencoded' };
    const form = new URLSearchParams({ From: TEXT.to, To: TEXT.from, Body: TEXT.body }).toString();
    const made = await fetch(address, { method: 'POST', headers, body: form });
    expect(made.status).toBe(201);
    const listed = await fetch(`${address}?To=${encodeURIComponent(TEXT.from)}`, { headers });
    expect(await listed.json()).toMatchObject({ messages: [{ body: TEXT.body, direction: 'outbound-api' }] });
    expect((await fetch(address, { headers: { authorization: 'Basic wrong' } })).status).toBe(401);
  });
});

describe('the Telnyx stand-in', () => {
  it('knows its key and checks what it is given', async () => {
    const stand = closing(await startTelnyx('KEY'));
    const post = (key: string, body: unknown): Promise<Response> =>
      fetch(`${stand.url}/v2/messages`, {
        method: 'POST',
        headers: { authorization: `Bearer ${key}` },
        body: JSON.stringify(body),
      });
    const text = { from: TEXT.to, to: TEXT.from, text: TEXT.body };
    expect((await post('KEY', text)).status).toBe(200);
    expect((await post('wrong', text)).status).toBe(401);
    expect((await post('KEY', { ...text, to: 'x' })).status).toBe(422);
    expect(stand.messages).toHaveLength(1);
    expect(Buffer.from(stand.publicKey, 'base64')).toHaveLength(32);
  });
});

describe('the HubSpot stand-in', () => {
  it('has properties, refuses unknown ones, and keeps unique ones unique', async () => {
    const stand = closing(await startHubSpot('token'));
    const ask = async (method: string, path: string, body?: unknown, token = 'token'): Promise<number> => {
      const answer = await fetch(`${stand.url}${path}`, {
        method,
        headers: { authorization: `Bearer ${token}` },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      });
      return answer.status;
    };
    const upsert = (idProperty: string, properties: Record<string, string>): Promise<number> =>
      ask('POST', '/crm/v3/objects/contacts/batch/upsert', { inputs: [{ id: '1', idProperty, properties }] });
    expect(await ask('GET', '/crm/v3/properties/contacts/phone', undefined, 'wrong')).toBe(401);
    expect(await ask('GET', '/crm/v3/properties/contacts/nothing')).toBe(404);
    expect(await upsert('phone', {})).toBe(400);
    expect(await upsert('email', { nothing: 'x' })).toBe(400);
    expect(await upsert('email', { phone: '1' })).toBe(200);
    expect(await upsert('email', { phone: '2' })).toBe(200);
    expect(stand.contacts).toHaveLength(1);
    const other = stand.addContact({ phone: '3' });
    const patch = (email: string): Promise<number> =>
      ask('PATCH', `/crm/v3/objects/contacts/${other}`, { properties: { email } });
    expect([await patch('1'), await patch('2')]).toEqual([409, 200]);
    expect(await ask('PUT', '/crm/v4/objects/calls/1/associations/default/contacts/2')).toBe(404);
  });
});

describe('the webhook receiver', () => {
  it('takes what is well signed, once', async () => {
    const secret = webhookSecret('s');
    const stand = closing(await startWebhookReceiver(secret));
    const body = JSON.stringify({ type: 'call.ended', timestamp: 'now', data: {} });
    const post = (signature: string): Promise<Response> =>
      fetch(stand.url, {
        method: 'POST',
        body,
        headers: {
          'webhook-id': 'e1',
          'webhook-timestamp': String(Math.floor(Date.now() / 1000)),
          'webhook-signature': signature,
        },
      });
    const right = new Webhook(secret).sign('e1', new Date(), body);
    expect((await post(right)).status).toBe(200);
    expect((await post(new Webhook(secret).sign('e1', new Date(), body))).status).toBe(200);
    expect((await post('v1,AAAA')).status).toBe(401);
    expect([stand.taken.length, stand.repeated]).toEqual([1, 1]);
  });
});
