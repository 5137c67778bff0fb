import { describe, expect, it, onTestFinished } from 'vitest';
import { readTwilio, Twilio } from '../../../../src/jobs/drivers/sms/twilio.ts';
import { startTwilio, type TwilioCall, type TwilioStandIn } from '../../../support/jobs/providers/twilio.ts';

const ACCOUNT = { accountSid: 'AC00000000000000000000000000000000', authToken: 'twilio-token' };
const HOOK = 'https://gateway.example/hooks/sms/twilio/clinic';
const TEXT = {
  messageId: 'message_1',
  to: '+442079460123',
  from: '+442079460100',
  body: 'See you on Monday. €5',
};

async function stage(authToken = ACCOUNT.authToken): Promise<{ twilio: TwilioStandIn; sms: Twilio }> {
  const twilio = await startTwilio(ACCOUNT);
  const sms = new Twilio({
    ...ACCOUNT,
    authToken,
    baseUrl: twilio.url,
    statusCallback: `${HOOK}?message={id}`,
    timeoutMs: 10_000,
  });
  onTestFinished(async () => {
    await sms.close();
    await twilio.close();
  });
  return { twilio, sms };
}

const read = (call: TwilioCall, authToken = ACCOUNT.authToken): unknown => readTwilio(call, authToken);

describe('a text by Twilio', () => {
  it('is handed over, and its receipt will name it', async () => {
    const { twilio, sms } = await stage();
    const sid = await sms.send(TEXT);
    expect(twilio.messages).toMatchObject([
      { sid, to: TEXT.to, from: TEXT.from, body: TEXT.body, statusCallback: `${HOOK}?message=message_1` },
    ]);
  });

  it('goes by a messaging service when the sender is one', async () => {
    const { twilio, sms } = await stage();
    await sms.send({ ...TEXT, from: 'MG123' }).catch(() => undefined);
    const form = new URLSearchParams(twilio.asked[0]?.body);
    expect([form.get('MessagingServiceSid'), form.get('From')]).toEqual(['MG123', null]);
  });

  it.each([
    ['a number that is none', { ...TEXT, to: '12' }, '21211'],
    ['nothing to say', { ...TEXT, body: '' }, '21602'],
  ])('is refused with %s', async (_what, text, providerCode) => {
    const { sms } = await stage();
    await expect(sms.send(text)).rejects.toMatchObject({ outcome: 'refused', providerCode });
  });

  it('is refused to somebody who told Twilio to stop', async () => {
    const { twilio, sms } = await stage();
    twilio.optedOut.add(TEXT.to);
    await expect(sms.send(TEXT)).rejects.toMatchObject({ outcome: 'refused', providerCode: '21610' });
  });

  it('is refused with a wrong token', async () => {
    const { sms } = await stage('wrong');
    await expect(sms.send(TEXT)).rejects.toMatchObject({ outcome: 'refused', status: 401 });
  });

  it('whose sending had no answer is found, if it was sent', async () => {
    const { twilio, sms } = await stage();
    const since = new Date();
    twilio.fail('cut-after');
    await expect(sms.send(TEXT)).rejects.toMatchObject({ outcome: 'unclear' });
    expect(await sms.find(TEXT, since, new Set())).toBe(twilio.messages[0]?.sid);
    const taken = new Set(twilio.messages.map((one) => one.sid));
    expect(await sms.find(TEXT, since, taken)).toBeNull();
  });

  it('that was never taken is not found, nor one of yesterday, nor another text', async () => {
    const { twilio, sms } = await stage();
    twilio.fail('cut');
    await expect(sms.send(TEXT)).rejects.toMatchObject({ outcome: 'unclear' });
    expect(await sms.find(TEXT, new Date(), new Set())).toBeNull();
    await sms.send({ ...TEXT, body: 'Another text' });
    expect(await sms.find(TEXT, new Date(), new Set())).toBeNull();
    await sms.send(TEXT);
    expect(await sms.find(TEXT, new Date(Date.now() + 86_400_000), new Set())).toBeNull();
  });
});

describe('what Twilio says', () => {
  it.each([
    ['sent', 'sent'],
    ['delivered', 'delivered'],
    ['undelivered', 'undelivered'],
    ['failed', 'failed'],
  ])('of a message that is %s', async (word, status) => {
    const { twilio, sms } = await stage();
    const providerMessageId = await sms.send(TEXT);
    const [message] = twilio.messages;
    if (message === undefined) throw new Error('nothing was sent');
    expect(read(twilio.callback(message, word, word === 'failed' ? { ErrorCode: '30003' } : {}))).toEqual([
      {
        type: 'receipt',
        messageId: 'message_1',
        providerMessageId,
        status,
        errorCode: word === 'failed' ? '30003' : undefined,
      },
    ]);
  });

  it('on the way is no news', async () => {
    const { twilio, sms } = await stage();
    await sms.send(TEXT);
    for (const word of ['queued', 'sending', 'accepted', 'an unknown word'])
      for (const message of twilio.messages) expect(read(twilio.callback(message, word))).toEqual([]);
  });

  it('is what somebody wrote', async () => {
    const { twilio } = await stage();
    const call = twilio.incoming(HOOK, { from: TEXT.to, to: TEXT.from, body: 'Stop & go + 1' });
    expect(read(call)).toMatchObject([
      { type: 'received', from: TEXT.to, to: TEXT.from, text: 'Stop & go + 1' },
    ]);
  });

  it.each<[string, (call: TwilioCall) => TwilioCall]>([
    ['another body', (call) => ({ ...call, body: call.body.replace('Hello', 'Hallo') })],
    ['one parameter more', (call) => ({ ...call, body: `${call.body}&Extra=1` })],
    ['another address', (call) => ({ ...call, url: `${call.url}?message=other` })],
    ['no signature', (call) => ({ ...call, headers: {} })],
    ['half a signature', (call) => ({ ...call, headers: { 'x-twilio-signature': 'AAAA' } })],
  ])('is not believed with %s', async (_what, forge) => {
    const { twilio } = await stage();
    const call = twilio.incoming(HOOK, { from: TEXT.to, to: TEXT.from, body: 'Hello' });
    expect(() => read(forge(call))).toThrow(/SIGNATURE_INVALID/);
    expect(() => read(call, 'another token')).toThrow(/SIGNATURE_INVALID/);
    expect(read(call)).toHaveLength(1);
  });
});
