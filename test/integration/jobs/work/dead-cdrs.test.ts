/** One CDR line for each call that ended because its gateway died, with what the store knows of it. */
import { beforeEach, describe, expect, it, vi } from 'vitest';
import { ending } from '../../../../src/base/ending.ts';
import type { CallEntry, CallWord } from '../../../../src/jobs/payloads/transcripts.ts';
import type { PayloadOf } from '../../../../src/jobs/queues.ts';
import { JobLater } from '../../../../src/jobs/work.ts';
import { transcriptsHandler } from '../../../../src/jobs/work/transcripts.ts';
import { cdrOf } from '../../../../src/phone/cdr.ts';
import { figuresOf } from '../../../../src/room/call-figures.ts';
import { Journal, type TimelineEntry } from '../../../../src/room/journal.ts';
import { erasePerson } from '../../../../src/store/people.ts';
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

const PHONE: CallWord = {
  ...{ type: 'opened', startedAt: new Date(STARTED).toISOString(), source: 'phone', sipCallId: 'sip' },
  ...{ trunk: 'local', profile: 'desk', from: '+15550111', to: '+15550100' },
};
const WEB: CallWord = {
  ...PHONE,
  source: 'web',
  sipCallId: '',
  trunk: '',
  from: 'https://site.test',
  to: '',
};
const CLOSED: CallWord = {
  ...{ type: 'closed', endedAt: new Date(STARTED + 9000).toISOString(), durationMs: 9000, detail: null },
  ...{ ending: 'caller-hung-up', endingClass: 'success', media: null },
};

/** A timeline with something of everything that is counted. */
const TIMELINE: readonly TimelineEntry[] = [
  { atMs: 0, type: 'ringing' },
  { atMs: 100, type: 'answered' },
  { atMs: 1000, type: 'said', text: 'Hello.', heardMs: 500, interrupted: false, responseMs: null },
  { atMs: 2000, type: 'heard', text: 'Tomorrow.' },
  { atMs: 3000, type: 'said', text: 'At ten?', heardMs: 400, interrupted: true, responseMs: 810 },
  { atMs: 3100, type: 'usage', model: 'm', source: 's', provider: 'p', costUsd: 0.25, counts: { tokens: 3 } },
  { atMs: 3200, type: 'usage', model: 'free', source: 's', provider: 'p', costUsd: null, counts: {} },
  { atMs: 3300, type: 'failover', step: 'lost', code: 'MODEL_UNAVAILABLE' },
  { atMs: 3400, type: 'failover', step: 'restored' },
  { atMs: 4000, type: 'digit', digit: '7' },
  { atMs: 4100, type: 'digit', digit: '8' },
  { atMs: 4500, type: 'held' },
  { atMs: 4800, type: 'tool', name: 'book', arguments: {}, result: { ok: true }, code: null, tookMs: 3 },
  { atMs: 5000, type: 'resumed' },
  { atMs: 6000, type: 'said', text: 'Yes.', heardMs: 400, interrupted: false, responseMs: 1210 },
];
const FACTS = TIMELINE.map((fact, index): CallWord => ({ type: 'fact', index, fact: { ...fact } }));

async function handle(data: PayloadOf<'transcripts'>, settleMs: number): Promise<void> {
  const at = new Date().toISOString();
  const work = { v: 2, tenant: stage.tenant, key: 'k', at, data, attempt: 1 };
  const signal = AbortSignal.timeout(long_ms);
  await transcriptsHandler({ settleMs })({ ...work, signal }, stage.queue.tools);
}

function tell(callId: string, ...words: readonly CallWord[]): Promise<void> {
  const entries = words.map((word): CallEntry => ({ seq: (seq += 1), callId, run: 'run_1', word }));
  return handle({ type: 'words', gateway: 'gw', entries }, 0);
}

const tellOver = (settleMs = 0): Promise<void> =>
  handle({ type: 'run-over', gateway: 'gw', run: 'run_1' }, settleMs);

const lines = (): Record<string, unknown>[] =>
  stage.queue.logLines
    .filter(({ msg }) => msg === 'call ended')
    .map(({ cdr }) => cdr as Record<string, unknown>);
const told = (): unknown[] => lines().map(({ callId }) => callId);

describe('the CDR line of a call whose gateway died', () => {
  it('is that which the gateway would have written, but for what it alone knew', async () => {
    await tell('call', PHONE, ...FACTS);
    await tellOver();
    const facts = {
      ...{ callId: 'call', sipCallId: 'sip', trunk: 'local', tenant: stage.tenant, profile: 'desk' },
      ...{ number: '+15550100', from: '+15550111', to: '+15550100', source: 'udp 127.0.0.1:5080' },
      ...({ codec: 'pcmu', digits: 2, holds: 1 } as const),
    };
    const times = { invitedAt: new Date(STARTED), invitedMs: 0, answeredMs: 100, endedMs: 6000 };
    const whole = cdrOf(facts, times, ending('gateway-died'), undefined, figuresOf(TIMELINE));
    expect(lines()).toEqual([{ ...whole, number: null, source: null, codec: null }]);
    expect(lines()[0]).toMatchObject({ ringingMs: 100, talkingMs: 5900, sipStatus: 200, q850: 41 });
    expect(lines()[0]?.['agent']).toMatchObject({
      replies: 3,
      interruptions: 1,
      modelsLost: 1,
      costUsd: 0.25,
    });
    expect(JSON.stringify(lines())).not.toContain('Tomorrow');
  });

  it('of a call that was not answered has the status of its ending', async () => {
    await tell('call', PHONE);
    await tellOver();
    expect(lines()).toMatchObject([
      { answeredAt: null, ringingMs: 0, talkingMs: 0, sipStatus: 500, digits: 0, agent: { replies: 0 } },
    ]);
  });

  it('is that of a visit when it was one', async () => {
    await tell('visit', WEB, ...FACTS);
    await tellOver();
    const { tenant } = stage;
    expect(lines()).toEqual([
      {
        ...{ callId: 'visit', source: 'web', tenant, profile: 'desk', from: 'https://site.test' },
        ...{ startedAt: '2026-03-02T10:00:00.000Z', answeredAt: '2026-03-02T10:00:00.100Z' },
        ...{ endedAt: '2026-03-02T10:00:06.000Z', ringingMs: 100, talkingMs: 5900 },
        ...{ ending: 'gateway-died', endingClass: 'server', detail: null, agent: figuresOf(TIMELINE) },
      },
    ]);
  });

  it('is written once, however often the job is done and words come again', async () => {
    await tell('one', PHONE, ...FACTS);
    await tell('two', PHONE);
    await tellOver();
    await tellOver();
    await tell('one', PHONE, ...FACTS);
    await tellOver();
    expect(told().sort()).toEqual(['one', 'two']);
  });

  it('waits, as webhooks do, for the truth that may still come', async () => {
    await tell('hung up', PHONE, ...FACTS);
    await tell('cut off', PHONE, ...FACTS);
    await expect(tellOver(long_ms)).rejects.toBeInstanceOf(JobLater);
    await expect(tellOver(long_ms)).rejects.toBeInstanceOf(JobLater);
    expect(lines()).toEqual([]);
    // Its gateway has written the line of this one.
    await tell('hung up', CLOSED);
    await tellOver();
    expect(told()).toEqual(['cut off']);
  });

  it('is written for calls whose words come late, by the first of them', async () => {
    await tellOver();
    await tell('late', PHONE, ...FACTS.slice(0, 3));
    await tell('late', ...FACTS.slice(3));
    expect(lines()).toMatchObject([{ callId: 'late', endedAt: new Date(STARTED + 1000).toISOString() }]);
    // One that closed in truth meanwhile has none of ours.
    await tell('closed', PHONE, ...FACTS, CLOSED);
    expect(told()).toEqual(['late']);
  });

  it('is not written when what it stands on is not kept', async () => {
    await tell('call', PHONE, ...FACTS);
    const { store } = stage.queue.tools;
    const tenant = store.tenant.bind(store);
    const broken: typeof tenant = (of, work) =>
      tenant(of, async (unit) => {
        await work(unit);
        throw new Error('the connection broke before the commit');
      });
    vi.spyOn(store, 'tenant').mockImplementationOnce(broken);
    await expect(tellOver()).rejects.toThrow('broke before the commit');
    expect(lines()).toEqual([]);
    await tellOver();
    expect(told()).toEqual(['call']);
  });

  it('counts what is left of a call when a person’s data was erased', async () => {
    await tell('call', PHONE, ...FACTS);
    await stage.unit((unit) => erasePerson(unit, '+15550111'));
    await tellOver();
    expect(lines()).toMatchObject([
      { callId: 'call', from: '', digits: 2, agent: { replies: 3, modelsLost: 0, costUsd: 0 } },
    ]);
  });
});

describe('the figures of a call', () => {
  it('are the same from the journal and from its rows', async () => {
    const journal = new Journal();
    journal.open({
      ...{ callId: 'call', sipCallId: 'sip', tenant: stage.tenant, trunk: 'local', profile: 'desk' },
      ...{ from: '+15550111', to: '+15550100' },
    });
    for (const { atMs: _at, ...fact } of TIMELINE) journal.add('call', fact);
    const timeline = journal.get('call')?.timeline ?? [];
    await tell('call', PHONE, ...timeline.map((fact, index): CallWord => ({ type: 'fact', index, fact })));
    await tellOver();
    expect(lines()[0]?.['agent']).toEqual(figuresOf(timeline));
  });
});
