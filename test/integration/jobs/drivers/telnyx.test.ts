import { describe, expect, it, onTestFinished } from 'vitest';
import { readTelnyx, Telnyx } from '../../../../src/jobs/drivers/sms/telnyx.ts';
import { startTelnyx, type TelnyxCall, type TelnyxStandIn } from '../../../support/jobs/providers/telnyx.ts';

const KEY = 'KEY0123456789';
const HOOK = 'https://gateway.example/hooks/sms/telnyx/clinic';
const TEXT = {
  messageId: 'message_1',
  to: '+442079460123',
  from: '+442079460100',
  body: 'See you on Monday.',
};

async function stage(apiKey = KEY): Promise<{ telnyx: TelnyxStandIn; sms: Telnyx }> {
  const telnyx = await startTelnyx(KEY);
  const sms = new Telnyx({
    ...{ apiKey, baseUrl: `${telnyx.url}/`, messagingProfileId: 'profile-1', timeoutMs: 10_000 },
    statusCallback: `${HOOK}?message={id}`,
  });
  onTestFinished(async () => {
    await sms.close();
    await telnyx.close();
  });
  return { telnyx, sms };
}

describe('a text by Telnyx', () => {
  it('is handed over with our name for it', async () => {
    const { telnyx, sms } = await stage();
    const id = await sms.send(TEXT);
    expect(telnyx.messages).toEqual([
      {
        ...{ id, from: TEXT.from, to: TEXT.to, text: TEXT.body },
        webhookUrl: `${HOOK}?message=message_1`,
        tags: ['trunkline:message_1'],
      },
    ]);
    expect(JSON.parse(telnyx.asked[0]?.body ?? '')).toMatchObject({ messaging_profile_id: 'profile-1' });
  });

  it('is refused with a wrong key or a wrong number', async () => {
    await expect((await stage('wrong')).sms.send(TEXT)).rejects.toMatchObject({
      outcome: 'refused',
      providerCode: '10009',
    });
    const { sms } = await stage();
    await expect(sms.send({ ...TEXT, to: 'nobody' })).rejects.toMatchObject({
      outcome: 'refused',
      providerCode: '40310',
    });
  });

  it('waits when Telnyx says so', async () => {
    const { telnyx, sms } = await stage();
    telnyx.fail({ status: 429, headers: { 'retry-after': '3' } });
    await expect(sms.send(TEXT)).rejects.toMatchObject({ outcome: 'unavailable', retryAfterMs: 3000 });
    expect(telnyx.messages).toEqual([]);
  });
});

describe('what Telnyx says', () => {
  async function sent(): Promise<{ telnyx: TelnyxStandIn; deliver: (status: string) => TelnyxCall }> {
    const { telnyx, sms } = await stage();
    await sms.send(TEXT);
    const [message] = telnyx.messages;
    if (message === undefined) throw new Error('nothing was sent');
    return { telnyx, deliver: (status) => telnyx.callback(message, status) };
  }

  it.each([
    ['sent', 'sent'],
    ['delivered', 'delivered'],
    ['delivery_failed', 'undelivered'],
    ['sending_failed', 'failed'],
    ['delivery_unconfirmed', 'sent'],
  ])('of a message that is %s', async (word, status) => {
    const { telnyx, deliver } = await sent();
    expect(readTelnyx(deliver(word), telnyx.publicKey)).toEqual([
      {
        ...{ type: 'receipt', messageId: 'message_1', status, errorCode: undefined },
        providerMessageId: telnyx.messages[0]?.id,
      },
    ]);
  });

  it('names what went wrong', async () => {
    const { telnyx } = await sent();
    const call = telnyx.messages.map((one) =>
      telnyx.callback(one, 'delivery_failed', { errorCode: '40001' }),
    );
    expect(call.flatMap((one) => readTelnyx(one, telnyx.publicKey))).toMatchObject([{ errorCode: '40001' }]);
  });

  it('is what somebody wrote', async () => {
    const { telnyx } = await stage();
    const call = telnyx.incoming(HOOK, { from: TEXT.to, to: TEXT.from, body: 'STOP' });
    expect(readTelnyx(call, telnyx.publicKey)).toMatchObject([
      { type: 'received', from: TEXT.to, to: TEXT.from, text: 'STOP' },
    ]);
  });

  it('may be about something else', async () => {
    const { telnyx, deliver } = await sent();
    expect(readTelnyx(deliver('queued'), telnyx.publicKey)).toEqual([]);
    const call = telnyx.incoming(HOOK, { from: '', to: '', body: '' });
    expect(() => readTelnyx({ ...call, body: 'not json' }, telnyx.publicKey)).toThrow(/SIGNATURE_INVALID/);
  });

  it('is not believed when anything was changed, is too old, or another key signed it', async () => {
    const { telnyx } = await stage();
    const other = await stage();
    const call = telnyx.incoming(HOOK, { from: TEXT.to, to: TEXT.from, body: 'Hello' });
    const forged: TelnyxCall[] = [
      { ...call, body: call.body.replace('Hello', 'Hallo') },
      { ...call, headers: { ...call.headers, 'telnyx-timestamp': '1' } },
      { ...call, headers: { ...call.headers, 'telnyx-signature-ed25519': 'AAAA' } },
      { ...call, headers: {} },
      telnyx.incoming(HOOK, { from: TEXT.to, to: TEXT.from, body: 'Hello' }, new Date(Date.now() - 301_000)),
      telnyx.incoming(HOOK, { from: TEXT.to, to: TEXT.from, body: 'Hello' }, new Date(Date.now() + 302_000)),
    ];
    for (const one of forged) expect(() => readTelnyx(one, telnyx.publicKey)).toThrow(/SIGNATURE_INVALID/);
    expect(() => readTelnyx(call, other.telnyx.publicKey)).toThrow(/SIGNATURE_INVALID/);
    expect(() => readTelnyx(call, 'AAAA')).toThrow(/32 octets/);
    expect(readTelnyx(call, telnyx.publicKey)).toHaveLength(1);
  });
});
