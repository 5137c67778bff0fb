import { beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { readTelnyx, Telnyx } from '../../../../src/jobs/drivers/sms/telnyx.ts';
import { readTwilio, Twilio } from '../../../../src/jobs/drivers/sms/twilio.ts';
import { takeNotice } from '../../../../src/jobs/work/sms-notices.ts';
import { smsHandler, type SmsTenant } from '../../../../src/jobs/work/sms.ts';
import { optedOutOf, setOptOut } from '../../../../src/store/tables/opt-outs.ts';
import { startTelnyx, type TelnyxStandIn } from '../../../support/jobs/providers/telnyx.ts';
import { startTwilio, type TwilioCall, type TwilioStandIn } from '../../../support/jobs/providers/twilio.ts';
import { workStages, type WorkStage } from '../../../support/jobs/stage.ts';

const ACCOUNT = { accountSid: 'AC1', authToken: 'token' };
const HOOK = 'https://gateway.example/hooks/sms/twilio/clinic';
const LAURA = '+442079460123';
const CLINIC = '+442079460100';
const newStage = workStages();

let stage: WorkStage;
let nowMs: number;
beforeEach(async () => {
  stage = await newStage();
  nowMs = Date.now();
  stage.queue.onPause = (delayMs) => (nowMs += delayMs);
});

function rules(more: Partial<SmsTenant> = {}): SmsTenant {
  const one: SmsTenant = {
    ...{
      from: CLINIC,
      timeZone: 'UTC',
      quietHours: { from: '', to: '' },
      quietZone: 'tenant',
      partsMax: 6,
      perDayMax: 0,
      dayZone: 'UTC',
      unclearWaitMs: 60_000,
    },
    templates: { booked: 'See you on {day} at {time}.' },
    optWords: { stop: ['halt'], start: [], help: [] },
    replies: { stop: 'You get no more messages.', start: 'Welcome back.', help: '' },
    ...more,
  };
  stage.queue.handlers = {
    sms: smsHandler(() => one, { now: () => new Date(nowMs), tryMs: 0 }),
  };
  return one;
}

async function twilio(more: Partial<SmsTenant> = {}): Promise<[TwilioStandIn, SmsTenant]> {
  const server = await startTwilio(ACCOUNT);
  const statusCallback = `${HOOK}?message={id}`;
  const driver = new Twilio({ ...ACCOUNT, baseUrl: server.url, statusCallback, timeoutMs: 10_000 });
  onTestFinished(async () => {
    await driver.close();
    await server.close();
  });
  return [server, rules({ driver, ...more })];
}

async function telnyx(more: Partial<SmsTenant> = {}): Promise<[TelnyxStandIn, SmsTenant]> {
  const server = await startTelnyx('KEY');
  const options = { apiKey: 'KEY', messagingProfileId: '', statusCallback: `${HOOK}?message={id}` };
  const driver = new Telnyx({ ...options, baseUrl: server.url, timeoutMs: 10_000 });
  onTestFinished(async () => {
    await driver.close();
    await server.close();
  });
  return [server, rules({ driver, ...more })];
}

async function send(key: string, data: Record<string, unknown> = {}): Promise<void> {
  const body = { callId: 'call_1', to: LAURA, body: `Text ${key}`, ...data };
  await stage.queue.enqueue('sms', { tenant: stage.tenant, key, data: body });
  await stage.queue.drain();
}

async function take(call: TwilioCall, tenantRules: SmsTenant): Promise<void> {
  const origin = { tenant: stage.tenant, provider: 'twilio', rules: tenantRules };
  for (const notice of readTwilio(call, ACCOUNT.authToken))
    await takeNotice(notice, origin, stage.queue.tools);
}

const events = (): string[] =>
  [...stage.queue.given.values()].flatMap(({ data }) => {
    const { type } = data as { type?: string };
    return type?.startsWith('message.') === true ? [type] : [];
  });

describe('a text message', () => {
  it('is a row in the outbox when no provider is configured', async () => {
    rules();
    await send('a', { body: undefined, template: 'booked', values: { day: 'Monday', time: '10:00' } });
    expect(await stage.messages()).toMatchObject([
      {
        status: 'sent',
        provider: 'outbox',
        body: 'See you on Monday at 10:00.',
        from_number: CLINIC,
        segments: 1,
      },
    ]);
    expect(events()).toEqual(['message.sent']);
  });

  it('goes out once, however often its job runs', async () => {
    const [server] = await twilio();
    await send('a');
    await stage.queue.again('sms', 'a');
    await stage.queue.again('sms', 'a');
    expect(server.messages).toHaveLength(1);
    expect(await stage.messages()).toMatchObject([
      { status: 'sent', provider: 'twilio', provider_message_id: server.messages[0]?.sid, error_code: null },
    ]);
  });

  it('goes out exactly once through every fault of Twilio', async () => {
    const [server] = await twilio();
    // The provider's clock is the real one.
    stage.queue.onPause = () => undefined;
    const faults = [
      'cut',
      'cut-after',
      { status: 500 },
      { status: 429, headers: { 'retry-after': '2' } },
    ] as const;
    for (const [index, fault] of faults.entries())
      for (const second of faults) {
        server.fail(fault, second);
        await send(`${index}-${JSON.stringify(second)}`);
      }
    const bodies = server.messages.map((one) => one.body);
    expect(bodies).toHaveLength(16);
    expect(new Set(bodies).size).toBe(16);
    expect(stage.queue.dead).toEqual([]);
    expect((await stage.messages()).every((one) => one.status === 'sent')).toBe(true);
  });

  it('is not taken for another that says the same', async () => {
    const [server] = await twilio();
    await send('a', { body: 'Same words' });
    server.fail('cut');
    await send('b', { body: 'Same words' });
    expect(server.messages).toHaveLength(2);
    expect(new Set((await stage.messages()).map((one) => one.provider_message_id)).size).toBe(2);
  });

  it('that Telnyx took without an answer is known by its receipt, and not sent again', async () => {
    const [server, tenantRules] = await telnyx();
    server.fail('cut-after');
    const origin = { tenant: stage.tenant, provider: 'telnyx', rules: tenantRules };
    // The receipt comes while the job waits for it.
    const receipts: Promise<void>[] = [];
    stage.queue.onPause = (delayMs) => {
      nowMs += delayMs;
      for (const message of server.messages)
        for (const notice of readTelnyx(server.callback(message, 'delivered'), server.publicKey))
          receipts.push(takeNotice(notice, origin, stage.queue.tools));
    };
    await send('a');
    await Promise.all(receipts);
    await stage.queue.again('sms', 'a');
    expect((await stage.messages()).map((one) => [one.status, one.provider_message_id])).toEqual([
      ['delivered', server.messages[0]?.id],
    ]);
  });

  it('that Telnyx never took is sent when no receipt has come for so long', async () => {
    const [server] = await telnyx();
    const startedMs = nowMs;
    server.fail('cut');
    await send('a');
    expect(server.messages).toHaveLength(1);
    expect(nowMs - startedMs).toBeGreaterThan(50_000);
  });

  it('that is refused says why, and can be sent anew once the cause is mended', async () => {
    const [server] = await twilio();
    server.fail({ status: 400, body: { code: 21606, message: 'not a valid sender' } });
    await send('a');
    expect(await stage.messages()).toMatchObject([
      { status: 'failed', error_code: '21606', handed_at: null },
    ]);
    expect(stage.queue.dead).toMatchObject([{ queue: 'sms', key: 'a', error: { code: 'PROVIDER_REFUSED' } }]);
    await stage.queue.again('sms', 'a');
    expect(await stage.messages()).toMatchObject([{ status: 'sent', error_code: null }]);
    expect(server.messages).toHaveLength(1);
  });

  it.each([
    ['no template of that name', { body: undefined, template: 'nothing' }],
    ['a place without a value', { body: undefined, template: 'booked', values: { day: 'Monday' } }],
    ['too many parts', { body: 'ж'.repeat(500) }],
  ])('is not made with %s', async (_what, data) => {
    rules();
    await send('a', data);
    expect(stage.queue.dead).toMatchObject([{ error: { code: 'SMS_TEXT_INVALID' } }]);
    expect(await stage.messages()).toEqual([]);
  });
});

describe('quiet hours', () => {
  it('hold a message and let it go at their end', async () => {
    nowMs = Date.parse('2026-01-15T23:00:00Z');
    const [server] = await twilio({ quietHours: { from: '21:00', to: '08:00' } });
    const held: string[] = [];
    stage.queue.onPause = (delayMs) => {
      held.push(`${server.messages.length} sent, ${delayMs / 3_600_000} h to wait`);
      nowMs += delayMs;
    };
    await send('a');
    expect(held).toEqual(['0 sent, 9 h to wait']);
    expect(server.messages).toHaveLength(1);
    expect((await stage.messages())[0]).toMatchObject({
      status: 'sent',
      send_after: new Date('2026-01-16T08:00:00Z'),
    });
  });

  it.each([
    ['on the clock where the number is from', '+12125550123', 'recipient', 12],
    ['until it is day in all of its country', '+61412345678', 'recipient', 0],
    ["on the tenant's clock when that is said", '+12125550123', 'tenant', 7],
    ["on the tenant's clock when nobody knows where it is", '+18005550123', 'recipient', 7],
  ] as const)('are %s', async (_what, to, quietZone, hours) => {
    // Midnight in London, where the tenant is; 19:00 in New York, and morning in all of Australia.
    nowMs = Date.parse('2026-01-16T00:00:00Z');
    const quietHours = { from: '19:00', to: '07:00' };
    const [server] = await twilio({ quietHours, quietZone, timeZone: 'Europe/London' });
    await send('a', { to });
    expect(server.messages.map((one) => one.to)).toEqual([to]);
    expect(nowMs).toBe(Date.parse('2026-01-16T00:00:00Z') + hours * 3_600_000);
  });

  it('do not hold the answer to STOP', async () => {
    nowMs = Date.parse('2026-01-15T23:00:00Z');
    const [server] = await twilio({ quietHours: { from: '21:00', to: '08:00' } });
    await send('a', { isOptReply: true });
    expect(server.messages).toHaveLength(1);
    expect(nowMs).toBe(Date.parse('2026-01-15T23:00:00Z'));
  });
});

describe('the limit of a day', () => {
  const outcomes = async (): Promise<[string, string][]> =>
    (await stage.messages()).map(({ body, status }) => [body, status] as [string, string]).sort();

  it('keeps what is beyond it from going out, says so, and is decided once for each message', async () => {
    const [server] = await twilio({ perDayMax: 2 });
    for (const key of ['a', 'b', 'c']) await send(key);
    await stage.queue.again('sms', 'c');
    await stage.queue.again('sms', 'a');
    expect(server.messages.map((one) => one.body)).toEqual(['Text a', 'Text b']);
    const [refused] = (await stage.messages()).filter((one) => one.status === 'suppressed');
    expect(refused).toMatchObject({ body: 'Text c', error_code: 'SMS_DAY_LIMIT_REACHED' });
    expect(refused?.error_detail).toBe(`messages_per_day_max (2) of tenant ${stage.tenant} is reached`);
    expect(events()).toEqual(['message.sent', 'message.sent']);
  });

  it('begins anew at midnight', async () => {
    rules({ perDayMax: 1 });
    for (const key of ['a', 'b']) await send(key);
    nowMs += 48 * 3_600_000;
    await send('c');
    expect(await outcomes()).toEqual([
      ['Text a', 'sent'],
      ['Text b', 'suppressed'],
      ['Text c', 'sent'],
    ]);
  });

  it.each([
    ['in the zone of the tenant', 23, 'sent'],
    ['and not before it is midnight there', 12, 'suppressed'],
  ])('begins anew at midnight %s', async (_where, hour, status) => {
    // The database dates rows by its own clock: the zone is one whose clock shows this hour now.
    const ahead = ((hour - new Date().getUTCHours() + 36) % 24) - 12;
    rules({ perDayMax: 1, dayZone: `Etc/GMT${ahead < 0 ? '+' : '-'}${Math.abs(ahead)}` });
    await send('a');
    nowMs += 3_600_000;
    await send('b');
    expect(await outcomes()).toEqual([
      ['Text a', 'sent'],
      ['Text b', status],
    ]);
  });

  it('holds however many ask at once', async () => {
    rules({ perDayMax: 3 });
    const keys = Array.from({ length: 12 }, (_, nth) => `job-${nth}`);
    const ask = (key: string) => ({
      tenant: stage.tenant,
      key,
      data: { callId: null, to: LAURA, body: key },
    });
    await Promise.all(keys.map((key) => stage.queue.enqueue('sms', ask(key))));
    await Promise.all([stage.queue.drain(), stage.queue.drain(), stage.queue.drain()]);
    const sent = (await outcomes()).filter(([, status]) => status === 'sent');
    expect(sent).toHaveLength(3);
  });

  it('does not keep the answer to STOP', async () => {
    rules({ perDayMax: 1 });
    await send('a');
    await send('stop', { isOptReply: true });
    expect((await outcomes()).map(([, status]) => status)).toEqual(['sent', 'sent']);
  });
});

describe('somebody who wants no messages', () => {
  const isOut = (): Promise<boolean> =>
    stage.unit(async (unit) => (await optedOutOf(unit, { numbers: [LAURA], channel: 'sms' })).has(LAURA));

  it('gets none after STOP but the answer to it, and some again after START', async () => {
    const [server, tenantRules] = await twilio();
    const write = async (body: string): Promise<void> => {
      await take(server.incoming(HOOK, { from: LAURA, to: CLINIC, body }), tenantRules);
      await stage.queue.drain();
    };
    await write('Halt!');
    expect(await isOut()).toBe(true);
    await send('a');
    expect(server.messages.map((one) => one.body)).toEqual(['You get no more messages.']);
    expect((await stage.messages()).map((one) => one.status).sort()).toEqual([
      'received',
      'sent',
      'suppressed',
    ]);
    await write('START');
    await send('b');
    expect(await isOut()).toBe(false);
    expect(server.messages.map((one) => one.body)).toEqual([
      'You get no more messages.',
      'Welcome back.',
      'Text b',
    ]);
    // A STOP that Twilio repeats late stops nothing any more.
    await write('Halt!');
    expect(await isOut()).toBe(false);
  });

  it('is known when Twilio knows it', async () => {
    const [server] = await twilio();
    server.optedOut.add(LAURA);
    await send('a');
    await send('b');
    expect(await isOut()).toBe(true);
    expect(server.asked).toHaveLength(1);
    expect((await stage.messages()).map((one) => one.status).sort()).toEqual(['failed', 'suppressed']);
  });

  it('of one tenant gets those of another', async () => {
    rules();
    const other = await newStage();
    const gone = { e164: LAURA, channel: 'sms', optedOut: true, reason: 'test' };
    await other.unit((unit) => setOptOut(unit, gone));
    await send('a');
    expect(await stage.messages()).toMatchObject([{ status: 'sent' }]);
  });
});

describe('receipts', () => {
  it('only ever lead forward, whatever their order and number', async () => {
    const [server, tenantRules] = await twilio();
    await send('a');
    const [message] = server.messages;
    if (message === undefined) throw new Error('nothing was sent');
    for (const word of ['delivered', 'sent', 'delivered', 'undelivered', 'failed'])
      await take(server.callback(message, word), tenantRules);
    const [row] = await stage.messages();
    expect(row).toMatchObject({ status: 'delivered', error_code: null });
    expect(row?.delivered_at).toBeInstanceOf(Date);
    expect(events()).toEqual(['message.sent', 'message.delivered']);
  });

  it('tell what went wrong', async () => {
    const [server, tenantRules] = await twilio();
    await send('a');
    for (const one of server.messages)
      await take(server.callback(one, 'undelivered', { ErrorCode: '30003' }), tenantRules);
    expect(await stage.messages()).toMatchObject([{ status: 'undelivered', error_code: '30003' }]);
  });

  it('of messages that are not ours change nothing', async () => {
    const [server, tenantRules] = await twilio();
    await send('a');
    const [message] = server.messages;
    if (message === undefined) throw new Error('nothing was sent');
    const foreign = { ...message, sid: 'SMforeign', statusCallback: `${HOOK}?message=message_other` };
    await take(server.callback(foreign, 'failed'), tenantRules);
    expect(await stage.messages()).toMatchObject([{ status: 'sent' }]);
  });
});
