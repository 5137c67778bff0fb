/** The main thread's side of a call whose models are all gone: asks a human or the carrier to take it. */
import type { CallControl } from '../room/call-control.ts';
import type { HumanDesk } from '../room/human-desk.ts';
import type { HandOver } from './failover-settings.ts';

export interface TakersOver {
  readonly callId: string;
  /** Absent: nobody is at a desk in this gateway. */
  readonly humans?: Pick<HumanDesk, 'request'>;
  /** What the call's door can do. */
  readonly call?: CallControl;
}

export interface HandOverResult {
  /** Somebody had the call; they are done with it, or it is over. */
  readonly taken: boolean;
  /** For the timeline. */
  readonly detail: string;
}

/** Never rejects. Resolves when whoever took the call has given it back, or nobody did. */
export async function handOver(to: HandOver, takers: TakersOver): Promise<HandOverResult> {
  switch (to.type) {
    case 'human':
      return toHuman(takers);
    case 'number':
      return toNumber(to, takers);
    case 'voicemail':
      return { taken: false, detail: 'the voice takes messages itself' };
  }
}

function toHuman({ callId, humans }: TakersOver): Promise<HandOverResult> {
  const { promise, resolve } = Promise.withResolvers<HandOverResult>();
  const answer = humans?.request({
    callId,
    reason: 'the agent has technical trouble',
    announced: true,
    back: (outcome) => resolve({ taken: outcome !== 'unanswered', detail: outcome }),
  });
  if (answer === undefined) resolve({ taken: false, detail: 'no desk' });
  else if (!answer.taken) resolve({ taken: false, detail: answer.why });
  return promise;
}

async function toNumber(
  { number, timeout_ms: timeoutMs }: Extract<HandOver, { type: 'number' }>,
  { call }: TakersOver,
): Promise<HandOverResult> {
  if (call?.transfer === undefined) return { taken: false, detail: 'this door cannot transfer' };
  const result = await call.transfer(number, { timeoutMs });
  const taken = result.outcome === 'transferred' || result.outcome === 'ended';
  const status = 'status' in result ? ` ${result.status}` : '';
  return { taken, detail: `${result.outcome}${status}` };
}
