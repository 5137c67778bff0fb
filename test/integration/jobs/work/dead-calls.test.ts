/** `transcripts`: calls of a gateway that died are ended by what its next start tells, in whichever order. */
import { beforeEach, describe, expect, it } from 'vitest';
import type { CallEntry, CallWord } from '../../../../src/jobs/payloads/transcripts.ts';
import type { PayloadOf } from '../../../../src/jobs/queues.ts';
import { JobLater } from '../../../../src/jobs/work.ts';
import { transcriptsHandler } from '../../../../src/jobs/work/transcripts.ts';
import { findCall, type Call } from '../../../../src/store/tables/calls.ts';
import { legsOf } from '../../../../src/store/tables/legs.ts';
import { workStages, type WorkStage } from '../../../support/jobs/stage.ts';

const STARTED = Date.parse('2026-03-02T10:00:00.000Z');
const long_ms = 60_000;

const stages = workStages();
let stage: WorkStage;
let seq = 0;
beforeEach(async () => {
  stage = await stages();
  seq = 0;
});

const opened: CallWord = {
  ...{ type: 'opened', startedAt: new Date(STARTED).toISOString(), source: 'phone', sipCallId: 'sip' },
  ...{ trunk: 'local', profile: 'desk', from: '+15550111', to: '+15550100' },
};
const answered: CallWord = { type: 'fact', index: 0, fact: { type: 'answered', atMs: 100 } };
const heard = (index: number, atMs: number): CallWord => ({
  ...{ type: 'fact', index, fact: { type: 'heard', atMs, text: `at ${atMs}` } },
});
const closed: CallWord = {
  ...{ type: 'closed', endedAt: new Date(STARTED + 9000).toISOString(), durationMs: 9000, detail: null },
  ...{ ending: 'caller-hung-up', endingClass: 'success', media: { packets: 7 } },
};

interface Told {
  readonly gateway?: string;
  readonly run?: string;
  readonly settleMs?: number;
}

/** As the job process would, once. */
async function handle(data: PayloadOf<'transcripts'>, settleMs: number): Promise<void> {
  const at = new Date().toISOString();
  const work = { v: 2, tenant: stage.tenant, key: 'k', at, data, attempt: 1 };
  const signal = AbortSignal.timeout(long_ms);
  await transcriptsHandler({ settleMs })({ ...work, signal }, stage.queue.tools);
}

function tell(callId: string, words: readonly CallWord[], told: Told = {}): Promise<void> {
  const { gateway = 'gw', run = 'run_1', settleMs = 0 } = told;
  const entries = words.map((word): CallEntry => ({ seq: (seq += 1), callId, run, word }));
  return handle({ type: 'words', gateway, entries }, settleMs);
}

function tellOver({ gateway = 'gw', run = 'run_1', settleMs = 0 }: Told = {}): Promise<void> {
  return handle({ type: 'run-over', gateway, run }, settleMs);
}

const call = (callId: string): Promise<Call | undefined> => stage.unit((unit) => findCall(unit, callId));

/** Keys of the jobs that follow the ends of calls, with the ending that webhooks tell. */
function follows(): string[] {
  return [...stage.queue.given.values()]
    .filter(({ key }) => !key.endsWith('/started'))
    .map(({ key, data }) => `${key} ${(data as { data?: { ending?: string } }).data?.ending ?? ''}`.trim())
    .sort();
}

const dead = { ending: 'gateway-died', ending_class: 'server', ending_detail: null };

describe('calls of a gateway that died', () => {
  it('end at the last fact that is known of them, with their legs, and everything follows', async () => {
    await tell('talking', [opened, answered, heard(1, 4000), heard(2, 7500)]);
    await tell('ringing', [opened]);
    await tell('over', [opened, answered, closed]);
    await tellOver();
    const endedAt = (ms: number): object => ({ ended_at: new Date(STARTED + ms), duration_ms: ms });
    expect(await call('talking')).toMatchObject({ ...dead, ...endedAt(7500) });
    expect(await call('ringing')).toMatchObject({ ...dead, ...endedAt(0) });
    expect(await call('over')).toMatchObject({ ending: 'caller-hung-up', ...endedAt(9000) });
    const legs = (callId: string): Promise<unknown> => stage.unit((unit) => legsOf(unit, callId));
    expect(await legs('talking')).toMatchObject([
      { kind: 'phone', opened_at: new Date(STARTED), closed_at: new Date(STARTED + 7500), stats: null },
    ]);
    expect(await legs('ringing')).toEqual([]);
    expect(await legs('over')).toMatchObject([{ stats: { packets: 7 } }]);
    expect(follows()).toEqual([
      ...['over/crm', 'over/ended caller-hung-up', 'ringing/crm', 'ringing/ended gateway-died'],
      ...['talking/crm', 'talking/ended gateway-died'],
    ]);
  });

  it('are only those of this gateway and this life of it', async () => {
    await tell('next', [opened, answered], { run: 'run_2' });
    await tell('other', [opened, answered], { gateway: 'other' });
    await tell('unnamed', [opened, answered], { run: '' });
    await tellOver();
    for (const callId of ['next', 'other', 'unnamed'])
      expect(await call(callId), callId).toMatchObject({ ended_at: null, ending: null });
    expect(follows()).toEqual([]);
    await tellOver({ run: '' });
    expect(await call('unnamed')).toMatchObject(dead);
    expect(await call('next')).toMatchObject({ ended_at: null });
  });

  it('end all the same when their words come after it', async () => {
    await tellOver();
    await tell('late', [opened, answered, heard(1, 3000)]);
    expect(await call('late')).toMatchObject({ ...dead, duration_ms: 3000 });
    await tell('late', [heard(2, 5000)]);
    expect(await call('late')).toMatchObject({ ...dead, duration_ms: 5000 });
    expect(follows()).toEqual(['late/crm', 'late/ended gateway-died']);
  });

  it('whose facts come first of all end, and get their particulars when those come', async () => {
    await tell('late', [heard(1, 3000)]);
    await tellOver();
    await tell('late', [opened, answered]);
    expect(await call('late')).toMatchObject({
      ...{ ...dead, from_number: '+15550111', answered_ms: 100 },
      ended_at: new Date(STARTED + 3000),
    });
  });

  it('end at once, but nothing is told of it while the truth may still come', async () => {
    await tell('hung up', [opened, answered, heard(1, 3000)]);
    await tell('cut off', [opened, answered, heard(1, 3000)]);
    await expect(tellOver({ settleMs: long_ms })).rejects.toBeInstanceOf(JobLater);
    expect(await call('hung up')).toMatchObject(dead);
    // A job that the dead job process held comes again, after the one that waited behind it.
    await tell('hung up', [closed]);
    await tell('cut off', [heard(2, 4000)]);
    expect(follows()).toEqual(['hung up/crm', 'hung up/ended caller-hung-up']);
    await tellOver();
    expect(await call('hung up')).toMatchObject({ ending: 'caller-hung-up', duration_ms: 9000 });
    expect(await call('cut off')).toMatchObject({ ...dead, duration_ms: 4000 });
    expect(follows()).toEqual([
      ...['cut off/crm', 'cut off/ended gateway-died', 'hung up/crm', 'hung up/ended caller-hung-up'],
    ]);
  });

  it('wait for the truth no longer than they must, and the job says for how long', async () => {
    const waitOf = async (): Promise<number> => {
      const refused: unknown = await tellOver({ settleMs: long_ms }).catch((error: unknown) => error);
      return refused instanceof JobLater ? refused.delayMs : Number.NaN;
    };
    const first = await waitOf();
    const second = await waitOf();
    expect(first).toBeLessThanOrEqual(long_ms);
    expect(second).toBeLessThanOrEqual(first);
    expect(second).toBeGreaterThan(long_ms / 2);
  });

  it('are told of once, however often that job is done', async () => {
    await tell('call', [opened, answered]);
    await tellOver();
    await tellOver();
    await tell('call', [opened, answered]);
    expect(follows()).toEqual(['call/crm', 'call/ended gateway-died']);
    expect(stage.queue.given.size).toBe(3);
  });
});
