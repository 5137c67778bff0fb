/** A gateway that is killed in the middle of a call, and started again. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Api } from '../../../console/console/api.ts';
import * as rows from '../../../console/console/rows.ts';
import { apiOf } from '../../support/console-api.ts';
import { startGatewayProcess, type GatewayProcess } from '../../support/gateway-process.ts';
import { committedFacts } from '../../support/jobs/committed-facts.ts';
import { factsOf, storedCall, type StoredCall } from '../../support/jobs/stored-call.ts';
import { askCalls } from '../../support/operator.ts';
import type { PhoneCall } from '../../support/phone/call.ts';
import { TestPhone } from '../../support/phone/phone.ts';
import { eventually } from '../../support/until.ts';

const patience_ms = 60_000;
const lock_ms = 1000;

let gateway: GatewayProcess;
let phone: TestPhone;
let api: Api;
beforeAll(async () => {
  gateway = await startGatewayProcess(() => ({ jobs: { lock_ms, patience_ms: 1000 } }));
  phone = await TestPhone.start();
  api = await apiOf(gateway);
}, 2 * patience_ms);
afterAll(async () => {
  await phone.close();
  await gateway.stop();
});

/** A call whose greeting is over, and which the gateway has told of up to its last digit. */
async function talk(digits: string): Promise<PhoneCall> {
  const call = await phone.dial({ to: '+15550100', target: gateway.target });
  await call.agentSilenceFor(500);
  await call.dtmf(digits);
  await eventually(
    'the digits and the greeting in the timeline',
    async () => (await askCalls(gateway.operatorUrl, call.sipCallId))[0]?.timeline ?? [],
    (timeline) =>
      timeline.filter(({ type }) => type === 'digit').length === digits.length &&
      timeline.some(({ type }) => type === 'said'),
    patience_ms,
  );
  return call;
}

const theCall = async (sipCallId: string): Promise<StoredCall> => {
  const { data } = await api.get(`/calls?sip_call_id=${encodeURIComponent(sipCallId)}`, rows.calls);
  return api.get(`/calls/${data[0]?.call_id ?? 'none'}`, storedCall);
};

describe('a call whose gateway is killed', () => {
  it(
    'is ended by the gateway’s next start, as gateway-died, with everything that was said',
    {
      timeout: 3 * patience_ms,
    },
    async () => {
      const over = await talk('1');
      await over.hangUp();
      const call = await talk('23');
      const [record] = await askCalls(gateway.operatorUrl, call.sipCallId);
      await gateway.kill();
      const kept = (await committedFacts(gateway.dataDir)).get(record?.callId ?? '') ?? [];
      expect(kept.length).toBeGreaterThanOrEqual(4);
      await gateway.startAgain();
      const stored = await eventually(
        'the call to be over in the store',
        () => theCall(call.sipCallId),
        (one) => one.ending !== null,
        patience_ms,
      );
      expect(stored).toMatchObject({ ending: 'gateway-died', ending_class: 'server' });
      expect(factsOf(stored)).toEqual(kept);
      const lastMs = Math.max(...[...stored.turns, ...stored.events].map((one) => one.at_ms));
      expect(stored.duration_ms).toBe(lastMs);
      const endedAt = new Date(Date.parse(stored.started_at) + lastMs).toISOString();
      expect(stored.ended_at).toBe(endedAt);
      expect(stored.legs).toEqual([{ kind: 'phone', closed_at: endedAt, stats: null }]);
      const { activities } = await eventually(
        'what follows from a call',
        () => theCall(call.sipCallId),
        (one) => one.activities.length > 0,
        patience_ms,
      );
      expect(activities).toHaveLength(1);
      const [cdr, ...more] = gateway.cdrs().filter(({ callId }) => callId === record?.callId);
      expect(cdr).toMatchObject({ ending: 'gateway-died', endedAt, digits: 2, sipStatus: 200, media: null });
      expect(more).toEqual([]);
      expect(await theCall(over.sipCallId)).toMatchObject({ ending: 'caller-hung-up' });
    },
  );

  it(
    'leaves a gateway behind that takes calls, and touches none of them',
    { timeout: patience_ms },
    async () => {
      const call = await talk('4');
      await eventually(
        'the queues to be empty',
        () => api.get('/queues', rows.queues),
        ({ data }) => data.every((one) => one.waiting + one.active + one.delayed === 0),
        patience_ms,
      );
      expect(await theCall(call.sipCallId)).toMatchObject({ ending: null, ended_at: null });
      await call.hangUp();
      await eventually(
        'its own end',
        () => theCall(call.sipCallId),
        (one) => one.ending === 'caller-hung-up',
        patience_ms,
      );
      expect((await api.get('/dead-letters', rows.deadLetters)).data).toEqual([]);
    },
  );
});
