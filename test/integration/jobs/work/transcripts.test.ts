/** `transcripts`: a batch of words about many calls becomes rows, each once. */
import { beforeEach, describe, expect, it } from 'vitest';
import type { CallEntry, CallWord } from '../../../../src/jobs/payloads/transcripts.ts';
import { transcriptsHandler } from '../../../../src/jobs/work/transcripts.ts';
import { callEventsOf } from '../../../../src/store/tables/call-events.ts';
import { findCall, type Call } from '../../../../src/store/tables/calls.ts';
import { toolCallsOf } from '../../../../src/store/tables/tool-calls.ts';
import { turnsOf } from '../../../../src/store/tables/turns.ts';
import { usageOf } from '../../../../src/store/tables/usage.ts';
import { workStages, type WorkStage } from '../../../support/jobs/stage.ts';

const stages = workStages();
let stage: WorkStage;
let seq = 0;
beforeEach(async () => {
  stage = await stages();
  seq = 0;
});

const about = (callId: string, ...words: CallWord[]): CallEntry[] =>
  words.map((word) => ({ seq: (seq += 1), callId, run: 'run_1', word }));

const opened = (from = '+15550111'): CallWord => ({
  ...{ type: 'opened', startedAt: '2026-03-02T10:00:00.000Z', source: 'phone', sipCallId: 'sip' },
  ...{ trunk: 'local', profile: 'desk', from, to: '+15550100' },
});

const fact = (index: number, one: { type: string } & Record<string, unknown>): CallWord => ({
  ...{ type: 'fact', index, fact: { atMs: index * 100, ...one } },
});

const said = { type: 'said', heardMs: 900.4, interrupted: false, responseMs: 300.6 };

const closed: CallWord = {
  ...{ type: 'closed', endedAt: '2026-03-02T10:01:00.000Z', durationMs: 60_000, detail: null },
  ...{ ending: 'caller-hung-up', endingClass: 'success', media: null, facts: 5 },
};

const wholeCall = (callId: string, from?: string): CallEntry[] =>
  about(
    callId,
    opened(from),
    fact(0, { type: 'ringing' }),
    fact(1, { type: 'answered' }),
    fact(2, { ...said, text: `Hello ${callId}` }),
    fact(3, { type: 'heard', text: 'Hi' }),
    fact(4, {
      type: 'tool',
      name: 'look',
      arguments: { a: 1 },
      result: { ok: true },
      code: null,
      tookMs: 7.2,
    }),
    {
      ...{
        type: 'usage',
        index: 5,
        at: '2026-03-02T10:00:30.000Z',
        kind: 'model',
        provider: 'x',
        model: 'm',
      },
      ...{ units: { input: 10, output: 2 }, costUsd: 0.5 },
    },
    closed,
  );

let batches = 0;
async function write(entries: CallEntry[]): Promise<void> {
  const { tenant, queue } = stage;
  queue.handlers = { transcripts: transcriptsHandler({ settleMs: 0 }) };
  const key = `gw/${(batches += 1)}`;
  await queue.enqueue('transcripts', { tenant, key, data: { type: 'words', gateway: 'gw', entries } });
  await queue.drain();
  expect(queue.dead).toEqual([]);
}

const call = (callId: string): Promise<Call | undefined> => stage.unit((unit) => findCall(unit, callId));

describe('a batch of words', () => {
  it('about several calls becomes the rows of each', async () => {
    const [one, other] = [wholeCall('one'), wholeCall('other', '+15550222')];
    // As they happen at the same time.
    await write(one.flatMap((entry, n) => [entry, other[n] ?? entry]));
    for (const [callId, from] of [
      ['one', '+15550111'],
      ['other', '+15550222'],
    ] as const) {
      expect(await call(callId)).toMatchObject({
        ...{
          from_number: from,
          answered_ms: 100,
          duration_ms: 60_000,
          ending: 'caller-hung-up',
          facts_told: 5,
        },
      });
      const turns = await stage.unit((unit) => turnsOf(unit, callId));
      expect(turns.map(({ seq: place, who, text }) => [place, who, text])).toEqual([
        [2, 'agent', `Hello ${callId}`],
        [3, 'caller', 'Hi'],
      ]);
      expect(turns[0]).toMatchObject({ heard_ms: 900, response_ms: 301 });
      const acts = await stage.unit((unit) => toolCallsOf(unit, callId));
      expect(acts).toMatchObject([{ seq: 4, name: 'look', arguments: { a: 1 }, ok: true, took_ms: 7 }]);
      const events = await stage.unit((unit) => callEventsOf(unit, callId));
      expect(events.map(({ type }) => type)).toEqual(['ringing', 'answered']);
      const usage = await stage.unit((unit) => usageOf(unit, callId));
      expect(usage.every(({ provider, model }) => provider === 'x' && model === 'm')).toBe(true);
      expect(usage.map(({ unit, quantity, cost_micros }) => [unit, quantity, cost_micros])).toEqual([
        ['input', 10, 500_000],
        ['output', 2, 0],
      ]);
    }
  });

  it('that comes again, whole or in other batches, changes nothing', async () => {
    const entries = wholeCall('call');
    await write(entries);
    await write(entries);
    for (const entry of entries) await write([entry]);
    await write([...entries, ...entries]);
    const turns = await stage.unit((unit) => turnsOf(unit, 'call'));
    const usage = await stage.unit((unit) => usageOf(unit, 'call'));
    expect([turns.length, usage.length]).toEqual([2, 2]);
    const asked = [...stage.queue.given.values()]
      .map(({ key }) => key)
      .filter((key) => !key.startsWith('gw/'));
    expect(asked.sort()).toEqual(['call/crm', 'call/ended', 'call/started']);
  });

  it('whose call was never told of stands by itself, until it is', async () => {
    const [opening, ...rest] = wholeCall('late');
    await write(rest);
    expect(await call('late')).toMatchObject({ from_number: '', ending: 'caller-hung-up', answered_ms: 100 });
    if (opening !== undefined) await write([opening]);
    expect(await call('late')).toMatchObject({
      ...{ from_number: '+15550111', trunk: 'local', ending: 'caller-hung-up', answered_ms: 100 },
    });
  });
});
