import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { Baresip } from '../support/baresip.ts';
import { TestGateway, shippedProfile } from '../support/gateway.ts';
import type { CallRecord, TimelineEntry } from '../support/operator.ts';
import { levelDbfs } from '../support/sound/level.ts';
import { bookBySpeech, expectBooked } from '../support/spoken-booking.ts';

const number = '+15550100';

function entriesOf(record: CallRecord, type: TimelineEntry['type']): TimelineEntry[] {
  return record.timeline.filter((entry) => entry.type === type);
}

describe.each(['pcmu', 'pcma'] as const)('baresip with %s', (codec) => {
  let gateway: TestGateway;

  beforeAll(async () => {
    gateway = await TestGateway.start({
      profiles: [shippedProfile('clinic-receptionist')],
      numbers: [{ number, profile: 'clinic-receptionist' }],
      trunks: [{ name: 'softphones', allow: ['127.0.0.1/32'] }],
    });
  });

  afterAll(() => gateway.close());

  /** A softphone in a call; the gateway's name of the call comes with it. */
  async function inCall(): Promise<{ phone: Baresip; sipCallId: string }> {
    const phone = await Baresip.start({ codec });
    onTestFinished(async () => {
      await phone.close();
    });
    const before = new Set((await gateway.calls()).map((call) => call.sipCallId));
    await phone.dial(`sip:${number}@${gateway.target}`);
    await phone.event('CALL_ESTABLISHED');
    const call = (await gateway.calls()).find((one) => !before.has(one.sipCallId));
    if (call === undefined) throw new Error('the gateway knows nothing of the call');
    return { phone, sipCallId: call.sipCallId };
  }

  it('hears the greeting and hangs up', async () => {
    const { phone, sipCallId } = await inCall();
    await gateway.record(sipCallId, 'the greeting', (record) => entriesOf(record, 'said').length > 0);
    await phone.hangUp();
    await phone.event('CALL_CLOSED');
    expect((await gateway.cdr(sipCallId)).ending).toBe('caller-hung-up');
    expect(levelDbfs(await phone.heard())).toBeGreaterThan(-40);
  });

  it('presses keys', async () => {
    const { phone, sipCallId } = await inCall();
    for (const digit of ['1', '2', '#']) await phone.press(digit);
    const record = await gateway.record(
      sipCallId,
      'three keys',
      (one) => entriesOf(one, 'digit').length >= 3,
    );
    expect(entriesOf(record, 'digit')).toMatchObject([{ digit: '1' }, { digit: '2' }, { digit: '#' }]);
    await phone.hangUp();
    await phone.event('CALL_CLOSED');
  });

  it('holds and resumes', async () => {
    const { phone, sipCallId } = await inCall();
    await phone.hold();
    await gateway.record(sipCallId, 'the hold', (record) => entriesOf(record, 'held').length === 1);
    await phone.resume();
    await gateway.record(sipCallId, 'the return', (record) => entriesOf(record, 'resumed').length === 1);
    await phone.hangUp();
    await phone.event('CALL_CLOSED');
    expect((await gateway.cdr(sipCallId)).ending).toBe('caller-hung-up');
  });

  it('books an appointment by voice', { timeout: 120_000 }, async () => {
    const { phone } = await inCall();
    const say = (samples: Int16Array): Promise<void> => phone.say(samples);
    const record = await bookBySpeech({ gateway, profile: 'clinic-receptionist', say });
    await phone.event('CALL_CLOSED');
    expectBooked(record);
    expect(entriesOf(record, 'tool')).toMatchObject([{ arguments: { time: '10:00' } }]);
  });

  it('leaves nothing open', async () => {
    expect(await gateway.leftOpen()).toEqual([]);
  });
});
