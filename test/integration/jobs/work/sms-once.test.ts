/** One text, however many processes hold its job: a lock runs out where a process is held up. */
import { beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { Twilio } from '../../../../src/jobs/drivers/sms/twilio.ts';
import { smsHandler } from '../../../../src/jobs/work/sms.ts';
import { startTwilio, type TwilioStandIn } from '../../../support/jobs/providers/twilio.ts';
import { workStages, type WorkStage } from '../../../support/jobs/stage.ts';

const ACCOUNT = { accountSid: 'AC1', authToken: 'secret' };
const try_ms = 30_000;
const newStage = workStages();

let stage: WorkStage;
let nowMs: number;
let twilio: TwilioStandIn;
beforeEach(async () => {
  [stage, twilio, nowMs] = [await newStage(), await startTwilio(ACCOUNT), Date.now()];
  const driver = new Twilio({ ...ACCOUNT, baseUrl: twilio.url, statusCallback: '', timeoutMs: 10_000 });
  onTestFinished(async () => {
    await driver.close();
    await twilio.close();
  });
  const rules = {
    ...{ driver, from: '+15550100', timeZone: 'UTC', dayZone: 'UTC', quietZone: 'tenant' as const },
    ...{ quietHours: { from: '', to: '' }, templates: {}, partsMax: 6, perDayMax: 0, unclearWaitMs: 60_000 },
    ...{ optWords: { stop: [], start: [], help: [] }, replies: { stop: '', start: '', help: '' } },
  };
  const now = (): Date => new Date(nowMs);
  stage.queue.handlers = { sms: smsHandler(() => rules, { now, tryMs: try_ms }) };
  const data = { callId: null, to: '+15550123', body: 'Once' };
  await stage.queue.enqueue('sms', { tenant: stage.tenant, key: 'a', data });
});

describe('a text message', () => {
  it('goes out once when several processes take up its job', async () => {
    // Nobody's clock goes on: the others come back until the first is done.
    stage.queue.onPause = () => undefined;
    const again = (): Promise<void> => stage.queue.again('sms', 'a');
    await Promise.all([again(), again(), again()]);
    expect(twilio.messages).toHaveLength(1);
    expect(await stage.messages()).toMatchObject([
      { status: 'sent', provider_message_id: twilio.messages[0]?.sid },
    ]);
  });

  it('waits for a try that may be sending it still', async () => {
    const pauses: number[] = [];
    stage.queue.onPause = (delayMs) => {
      pauses.push(delayMs);
      nowMs += delayMs;
    };
    twilio.fail('cut');
    await stage.queue.drain();
    expect(pauses).toEqual([try_ms]);
    expect(twilio.messages).toHaveLength(1);
  });
});
