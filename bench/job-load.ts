/** What so many calls per second leave behind, told as the doors and the agent tell it: no call is there. */
import { ending } from '../src/base/ending.ts';
import type { Enqueue } from '../src/jobs/enqueue.ts';
import type { Journal, TimelineFact } from '../src/room/journal.ts';

export const benchTenant = 'default';

/**
 * Jobs that follow from one call: `crm`, `sms`, `audit`, and of `webhooks` one for each of call.started,
 * call.ended and message.sent and one for its receiver. Batches of its words come on top, as few as they are.
 */
export const jobs_per_call = 9;

/** A call whose caller books something: two turns of each side, one tool, what the model cost. */
function factsOf(n: number): TimelineFact[] {
  const said = { type: 'said', heardMs: 900, interrupted: n % 5 === 0, responseMs: 300 } as const;
  const slot = { day: '2026-03-02', time: '10:00' };
  const counts = { input: 900, output: 400 };
  return [
    { type: 'ringing' },
    { type: 'answered' },
    { ...said, text: 'Good morning, what can I do for you?' },
    { type: 'heard', text: `I am caller ${n}, and would like to come on Monday, please.` },
    { type: 'tool', name: 'find_slots', arguments: slot, result: { ok: true, slot }, code: null, tookMs: 7 },
    { ...said, text: 'There is room at ten. Shall I write that down for you?' },
    { type: 'heard', text: 'Yes, that is fine with me.' },
    { ...said, text: 'It is booked. You will get a text message. Goodbye.' },
    { type: 'usage', model: 'echo', source: 'response', provider: '127.0.0.1', costUsd: 0.01, counts },
  ];
}

export interface JobLoadParts {
  readonly journal: Journal;
  readonly enqueue: Enqueue;
  /** A job could not be put into the spool. */
  readonly failed: (error: unknown) => void;
}

const tick_ms = 10;

/** Evenly over time; a late tick makes up for what is due. */
export class JobLoad {
  readonly #parts: JobLoadParts;
  #calls = 0;
  #timer: NodeJS.Timeout | undefined;

  constructor(parts: JobLoadParts) {
    this.#parts = parts;
  }

  /** Calls that were told so far. */
  get calls(): number {
    return this.#calls;
  }

  /** From now on so many calls end each second; 0: none. */
  run(callsPerSecond: number): void {
    clearInterval(this.#timer);
    const [beganMs, before] = [performance.now(), this.#calls];
    if (callsPerSecond === 0) return;
    this.#timer = setInterval(() => {
      const due = before + Math.floor(((performance.now() - beganMs) * callsPerSecond) / 1000);
      while (this.#calls < due) this.#tell((this.#calls += 1));
    }, tick_ms);
  }

  #tell(n: number): void {
    const { journal, enqueue, failed } = this.#parts;
    const [callId, from] = [`call_bench_${n}`, `+1555${String(n % 1_000_000).padStart(7, '0')}`];
    const call = { callId, sipCallId: `sip-${n}`, tenant: benchTenant, trunk: 'bench', from };
    journal.open({ ...call, to: '+15550100', profile: 'echo' });
    for (const fact of factsOf(n)) journal.add(callId, fact);
    journal.close(callId, ending('caller-hung-up'));
    const about = { tenant: benchTenant, key: `${callId}/followed` };
    const body = 'Your appointment: Monday at ten. Answer STOP to get no more of these.';
    const entry = { at: new Date().toISOString(), actor: 'agent:echo', action: 'slot.found', target: callId };
    void Promise.all([
      enqueue.enqueue('sms', { ...about, data: { callId, to: from, body } }),
      enqueue.enqueue('audit', { ...about, data: entry }),
    ]).catch(failed);
  }
}
