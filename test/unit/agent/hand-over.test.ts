import { describe, expect, it } from 'vitest';
import { fallbackSchema, type HandOver } from '../../../src/agent/failover-settings.ts';
import { handOver } from '../../../src/agent/hand-over.ts';
import type { CallControl, TransferOutcome } from '../../../src/room/call-control.ts';
import type { HandoffOutcome, HumanDesk } from '../../../src/room/human-desk.ts';

const to = (given: object): HandOver => fallbackSchema.parse(given) as HandOver;
const human = to({ type: 'human' });
const number = to({ type: 'number', number: '+15550199', timeout_ms: 5000 });
const callId = 'call-1';

/** A queue in which a human answers so. */
function humans(answer: HandoffOutcome | 'nobody'): Pick<HumanDesk, 'request'> & { asked: unknown[] } {
  const asked: unknown[] = [];
  return {
    asked,
    request: ({ back, ...wish }) => {
      asked.push(wish);
      if (answer === 'nobody') return { taken: false, why: 'nobody' };
      queueMicrotask(() => back?.(answer));
      return { taken: true, handoffId: 'handoff-1' };
    },
  };
}

function door(outcome: TransferOutcome): CallControl & { asked: unknown[] } {
  const asked: unknown[] = [];
  return {
    asked,
    door: 'phone',
    callerNumber: '',
    transfer: (...given) => {
      asked.push(given);
      return Promise.resolve(outcome);
    },
  };
}

describe('a call whose models are gone', () => {
  it.each([
    ['handed-back', true],
    ['human-left', true],
    ['unanswered', false],
  ] as const)('goes to a human: %s', async (outcome, taken) => {
    const queue = humans(outcome);
    expect(await handOver(human, { callId, humans: queue })).toEqual({ taken, detail: outcome });
    expect(queue.asked).toEqual([{ callId, reason: 'the agent has technical trouble', announced: true }]);
  });

  it('is not taken when nobody is at a desk, or there is none', async () => {
    expect(await handOver(human, { callId, humans: humans('nobody') })).toEqual({
      taken: false,
      detail: 'nobody',
    });
    expect(await handOver(human, { callId })).toEqual({ taken: false, detail: 'no desk' });
  });

  it.each([
    [{ outcome: 'transferred' }, { taken: true, detail: 'transferred' }],
    [{ outcome: 'ended' }, { taken: true, detail: 'ended' }],
    [
      { outcome: 'refused', status: 405 },
      { taken: false, detail: 'refused 405' },
    ],
    [
      { outcome: 'failed', status: 486 },
      { taken: false, detail: 'failed 486' },
    ],
    [{ outcome: 'unknown' }, { taken: false, detail: 'unknown' }],
  ] as const)('goes to a number: %j', async (outcome, result) => {
    const call = door(outcome);
    expect(await handOver(number, { callId, call })).toEqual(result);
    expect(call.asked).toEqual([['+15550199', { timeoutMs: 5000 }]]);
  });

  it('does not where the door cannot transfer', async () => {
    const call = { door: 'web', callerNumber: '' } as const;
    expect(await handOver(number, { callId, call })).toMatchObject({ taken: false });
    expect(await handOver(number, { callId })).toMatchObject({ taken: false });
  });

  it('leaves messages to the voice', async () => {
    expect(await handOver(to({ type: 'voicemail' }), { callId })).toMatchObject({ taken: false });
  });
});
