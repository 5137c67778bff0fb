/** Blind transfers: REFER within the call, and the truth about how it went, from a caller made of text. */
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { TransferOutcome } from '../../../src/room/call-control.ts';
import type { SipCaller, SipText } from '../../support/phone-door/caller.ts';
import { LOCAL_TRUNK, NOTHING_OPEN, PhoneGround, PhoneStage } from '../../support/phone-door/stage.ts';
import { writeOffer } from '../../support/phone/sdp.ts';
import { quirks } from '../../support/sip-server/table.ts';
import { until } from '../../support/until.ts';

let ground: PhoneGround;
let stage: PhoneStage;
let caller: SipCaller;

beforeAll(async () => {
  ground = await PhoneGround.open(32_300);
});
afterEach(async () => {
  await stage.close();
});
afterAll(() => ground.close());

const offer = writeOffer({ port: 40_000, codecs: ['pcmu'] });

async function inCall(options: Parameters<typeof PhoneStage.open>[1] = {}): Promise<void> {
  stage = await PhoneStage.open(ground, options);
  caller = await stage.newCaller();
  await caller.call(offer);
  await until('the agent greets', () => stage.agent.greetings === 1);
}

function transfer(number = '+15550123', timeoutMs = 20_000): Promise<TransferOutcome> {
  const outcome = stage.agent.options.call?.transfer?.(number, { timeoutMs });
  if (outcome === undefined) throw new Error('this call cannot be transferred');
  return outcome;
}

/** What the far end tells of the call that it places for us. */
function notify(
  line: string,
  state = 'active;expires=60',
  more: Record<string, string> = {},
): Promise<SipText> {
  return caller.ask({
    method: 'NOTIFY',
    headers: { Event: 'refer', 'Subscription-State': state, ...more },
    contentType: 'message/sipfrag;version=2.0',
    body: line === '' ? '' : `${line}\r\n`,
  });
}

describe('a call that is handed over', () => {
  it('is asked for by REFER, followed by NOTIFY, and ended as transferred', async () => {
    await inCall();
    expect(stage.agent.options.call).toMatchObject({ door: 'phone', callerNumber: '+15550199' });
    const outcome = transfer();
    const refer = await caller.request('REFER');
    expect(refer.header('Refer-To')).toBe(`<sip:+15550123@127.0.0.1:${caller.port}>`);
    expect(refer.header('Referred-By')).toMatch(/^<sip:\+15550100@127\.0\.0\.1:\d+>$/);
    expect(refer.header('Contact')).not.toBe('');
    expect((await notify('SIP/2.0 100 Trying')).status).toBe(200);
    expect((await notify('SIP/2.0 180 Ringing')).status).toBe(200);
    expect((await notify('SIP/2.0 200 OK', 'terminated;reason=noresource')).status).toBe(200);
    expect(await outcome).toEqual({ outcome: 'transferred' });
    const bye = await caller.request('BYE');
    expect(bye.header('Reason')).toContain('The call was transferred');
    expect(await stage.lastCdr()).toMatchObject({ ending: 'transferred', endingClass: 'success' });
    expect(await stage.leftovers()).toEqual(NOTHING_OPEN);
  });

  it('goes where the trunk wants it to go', async () => {
    await inCall({ trunks: [{ ...LOCAL_TRUNK, refer_to: 'sip:{number}@carrier.example;transport=tcp' }] });
    const outcome = transfer('+15550123');
    const refer = await caller.request('REFER');
    expect(refer.header('Refer-To')).toBe('<sip:+15550123@carrier.example;transport=tcp>');
    await notify('SIP/2.0 200 OK', 'terminated');
    expect(await outcome).toEqual({ outcome: 'transferred' });
  });

  it('may be told of late, when nobody waits any more', async () => {
    await inCall();
    expect(await transfer('+15550123', 50)).toEqual({ outcome: 'unknown' });
    expect(stage.door.calls).toBe(1);
    await notify('SIP/2.0 200 OK', 'terminated');
    expect(await stage.lastCdr()).toMatchObject({ ending: 'transferred' });
  });
});

describe('a second transfer in a dialog', () => {
  async function afterOneThatNobodyWaitsFor(): Promise<{ ids: string[]; second: Promise<TransferOutcome> }> {
    await inCall();
    expect(await transfer('+15550123', 50)).toEqual({ outcome: 'unknown' });
    const second = transfer('+15550124');
    const refers = (): SipText[] => caller.received.filter((one) => one.method === 'REFER');
    await until('a second REFER', () => refers().length === 2);
    // What is answered after its 202 was read after it: the gateway knows its id.
    expect((await caller.ask({ method: 'OPTIONS' })).status).toBe(200);
    return { ids: refers().map((one) => String(Number.parseInt(one.header('CSeq'), 10))), second };
  }
  const event = (id = ''): Record<string, string> => ({ Event: `refer;id=${id}` });

  it('is told from the first by the id of its NOTIFYs (RFC 3515)', async () => {
    const { ids, second } = await afterOneThatNobodyWaitsFor();
    expect((await notify('SIP/2.0 486 Busy Here', 'terminated', event(ids[0]))).status).toBe(200);
    expect((await notify('SIP/2.0 100 Trying', 'active', event(ids[1]))).status).toBe(200);
    expect((await notify('SIP/2.0 480 Nobody', 'terminated', event(ids[1]))).status).toBe(200);
    expect(await second).toEqual({ outcome: 'failed', status: 480 });
    expect((await notify('SIP/2.0 200 OK', 'active', event(ids[0]))).status).toBe(481);
    expect(stage.door.calls).toBe(1);
  });

  it('is not failed by what the first still tells without an id', async () => {
    const { ids, second } = await afterOneThatNobodyWaitsFor();
    await notify('SIP/2.0 503 Later', 'terminated');
    await notify('SIP/2.0 200 OK', 'terminated', event(ids[1]));
    expect(await second).toEqual({ outcome: 'transferred' });
  });

  it.each([
    ['4000000000', 481],
    ['x', 481],
    ['', quirks.emptyEventIdStatus],
  ])('has no NOTIFY with the id "%s"', async (id, status) => {
    const { second } = await afterOneThatNobodyWaitsFor();
    expect((await notify('SIP/2.0 200 OK', 'terminated', event(id))).status).toBe(status);
    await caller.bye();
    expect(await second).toEqual({ outcome: 'ended' });
  });
});

describe('a call that is not handed over goes on', () => {
  it.each([
    ['SIP/2.0 486 Busy Here', 486],
    ['SIP/2.0 404 Not Found', 404],
    ['SIP/2.0 302 Moved', 302],
    ['SIP/2.0 603', 603],
  ])('when the number cannot be had: %s', async (line, status) => {
    await inCall();
    const outcome = transfer();
    await caller.request('REFER');
    await notify('SIP/2.0 100 Trying');
    await notify(line, 'terminated;reason=noresource');
    expect(await outcome).toEqual({ outcome: 'failed', status });
    // The model may try another number.
    const second = transfer('+15550124');
    await until('a second REFER', () => caller.received.filter((one) => one.method === 'REFER').length === 2);
    await notify('SIP/2.0 200 OK', 'terminated');
    expect(await second).toEqual({ outcome: 'transferred' });
  });

  it.each([403, 405, 603])('when the far end does not transfer: %i', async (status) => {
    await inCall();
    caller.answersRequests = false;
    const outcome = transfer();
    const refer = await caller.request('REFER');
    caller.answer(refer, status);
    expect(await outcome).toEqual({ outcome: 'refused', status });
    caller.answersRequests = true;
    expect((await caller.bye()).status).toBe(200);
    expect(await stage.lastCdr()).toMatchObject({ ending: 'caller-hung-up' });
  });

  it('when the far end forgets about it', async () => {
    await inCall();
    const outcome = transfer();
    await caller.request('REFER');
    await notify('', 'terminated;reason=timeout');
    expect(await outcome).toEqual({ outcome: 'unknown' });
  });

  it('while a second wish comes, which is refused', async () => {
    await inCall();
    const outcome = transfer();
    expect(await transfer('+15550124')).toEqual({ outcome: 'refused', status: 491 });
    await caller.request('REFER');
    await caller.bye();
    expect(await outcome).toEqual({ outcome: 'ended' });
    expect(await stage.lastCdr()).toMatchObject({ ending: 'caller-hung-up' });
    expect(await transfer()).toEqual({ outcome: 'ended' });
    expect(await stage.leftovers()).toEqual(NOTHING_OPEN);
  });

  it('when the gateway ends the call meanwhile', async () => {
    await inCall();
    const outcome = transfer();
    await caller.request('REFER');
    stage.agent.events.emit('hangUp', { reason: 'goodbye' });
    expect(await outcome).toEqual({ outcome: 'ended' });
    expect(await stage.lastCdr()).toMatchObject({ ending: 'agent-hung-up' });
  });

  it.each(['+15550123>;x=<sip:evil', 'sip:evil@example', '', '5550123@evil', '5'.repeat(33)])(
    'when the number is none: "%s"',
    async (number) => {
      await inCall();
      expect(await transfer(number)).toEqual({ outcome: 'refused', status: 400 });
      expect(caller.received.filter((one) => one.method === 'REFER')).toEqual([]);
    },
  );
});

describe('a NOTIFY', () => {
  it('of no transfer is refused: there is nothing to notify of (RFC 6665)', async () => {
    await inCall();
    expect((await notify('SIP/2.0 200 OK')).status).toBe(481);
    const presence = await caller.ask({ method: 'NOTIFY', headers: { Event: 'presence' } });
    expect([presence.status, presence.header('Allow-Events')]).toEqual([489, 'refer']);
    expect(stage.door.calls).toBe(1);
  });

  it.each([
    ['no fragment', 'hello'],
    ['a request', 'INVITE sip:a@b SIP/2.0'],
    ['a status that is none', 'SIP/2.0 999 What'],
    ['nothing', ''],
  ])('that holds %s is taken and tells nothing', async (_, body) => {
    await inCall();
    const outcome = transfer();
    await caller.request('REFER');
    expect((await notify(body)).status).toBe(200);
    const odd = { 'Content-Type': 'text/plain' };
    expect((await notify('SIP/2.0 200 OK', 'active', odd)).status).toBe(200);
    await notify('SIP/2.0 480 Nobody', 'terminated');
    expect(await outcome).toEqual({ outcome: 'failed', status: 480 });
  });
});

describe('keys of a secret', () => {
  it('are not in the journal', async () => {
    await inCall();
    const info = { method: 'INFO', contentType: 'application/dtmf-relay' };
    await caller.ask({ ...info, body: 'Signal=1\r\nDuration=160' });
    stage.agent.takesSecret = true;
    await caller.ask({ ...info, body: 'Signal=2\r\nDuration=160' });
    const [record] = stage.journal.list();
    const digits = record?.timeline.flatMap((entry) => (entry.type === 'digit' ? [entry.digit] : []));
    expect(digits).toEqual(['1', '•']);
    expect(stage.agent.digits).toEqual(['1', '2']);
  });
});
