import { Writable } from 'node:stream';
import { pino } from 'pino';
import { beforeEach, describe, expect, it } from 'vitest';
import { ending } from '../../../src/base/ending.ts';
import { keepCalls } from '../../../src/gateway/keep-calls.ts';
import type { SpoolContent } from '../../../src/jobs/spool/line.ts';
import { readLine, writeLine } from '../../../src/jobs/spool/line.ts';
import type { LegStats } from '../../../src/media/control.ts';
import { Journal, type CallOrigin, type TimelineFact } from '../../../src/room/journal.ts';

const ORIGIN: CallOrigin = {
  ...{ callId: 'call_1', sipCallId: 'sip-1', tenant: 'acme', trunk: 'local', profile: 'desk' },
  ...{ from: '+15550123', to: '+15550100' },
};

let journal: Journal;
let kept: SpoolContent[];
let complaints: string;
let stop: () => void;
beforeEach(() => {
  journal = new Journal();
  kept = [];
  complaints = '';
  const sink = new Writable({
    write: (chunk: Buffer, _encoding, done) => {
      complaints += String(chunk);
      done();
    },
  });
  const append = (content: SpoolContent): boolean => kept.push(content) > 0;
  stop = keepCalls({ journal, sink: { append }, run: () => 'run_1', log: pino({ base: null }, sink) });
});

function words(): unknown[] {
  return kept.map((content) => (content.type === 'call' ? content.word : content));
}

describe('the bridge from the journal to the spool', () => {
  it('tells of a call when it opens, with whose it is, and of which life of the gateway', () => {
    const { startedAt } = journal.open(ORIGIN);
    expect(kept).toEqual([
      {
        ...{ type: 'call', tenant: 'acme', callId: 'call_1', run: 'run_1' },
        word: {
          ...{ type: 'opened', startedAt, source: 'phone', sipCallId: 'sip-1', trunk: 'local' },
          ...{ profile: 'desk', from: '+15550123', to: '+15550100' },
        },
      },
    ]);
  });

  it('tells every word of a call as of the life that it opened in, whichever it is now', () => {
    stop();
    let run = 'run_1';
    const sink = { append: (content: SpoolContent): boolean => kept.push(content) > 0 };
    stop = keepCalls({ journal, sink, run: () => run, log: pino({ level: 'silent' }) });
    journal.open(ORIGIN);
    run = 'run_2';
    journal.open({ ...ORIGIN, callId: 'call_2' });
    for (const callId of ['call_1', 'call_2']) journal.add(callId, { type: 'held' });
    for (const callId of ['call_1', 'call_2']) journal.close(callId, ending('agent-hung-up'));
    const runs = kept.map((one) => (one.type === 'call' ? `${one.callId} ${one.run ?? ''}` : ''));
    expect(new Set(runs)).toEqual(new Set(['call_1 run_1', 'call_2 run_2']));
    expect(runs).toHaveLength(6);
  });

  it('knows a visit from a phone call', () => {
    journal.open({ ...ORIGIN, source: 'web' });
    expect(words()).toMatchObject([{ type: 'opened', source: 'web' }]);
  });

  it.each<TimelineFact>([
    { type: 'ringing' },
    { type: 'heard', text: 'I need an appointment.' },
    { type: 'said', text: 'Gladly.', heardMs: 812.4, interrupted: true, responseMs: null },
    { type: 'digit', digit: '7' },
    { type: 'tool', name: 'book', arguments: { day: 'x' }, result: { ok: true }, code: null, tookMs: 3.2 },
    { type: 'trouble', code: 'TOOL_FAILED', detail: 'no luck' },
  ])('tells $type as it happened, with its place', (fact) => {
    journal.open(ORIGIN);
    journal.add('call_1', fact);
    journal.add('call_1', { type: 'held' });
    const [, first, second] = words();
    expect(first).toMatchObject({
      type: 'fact',
      index: 0,
      fact: { ...fact, atMs: expect.any(Number) as number },
    });
    expect(second).toMatchObject({ index: 1, fact: { type: 'held' } });
  });

  it('tells what a model used twice: as a fact of the timeline, and to be counted with its price', () => {
    const { startedAt } = journal.open(ORIGIN);
    const counts = { inputTextTokens: 12, outputAudioTokens: 40 };
    const by = { source: 'response', provider: 'models.test:8000' } as const;
    const fact = { type: 'usage', model: 'm', ...by, costUsd: 0.25, counts } as const;
    journal.add('call_1', fact);
    journal.add('call_1', { ...fact, costUsd: null });
    const [, asFact, counted, , unpriced] = words();
    const { atMs } = journal.get('call_1')?.timeline[0] ?? { atMs: Number.NaN };
    expect(asFact).toEqual({ type: 'fact', index: 0, fact: { ...fact, atMs } });
    expect(counted).toEqual({
      ...{
        type: 'usage',
        index: 0,
        kind: 'response',
        provider: 'models.test:8000',
        model: 'm',
        units: counts,
      },
      ...{ at: new Date(Date.parse(startedAt) + atMs).toISOString(), costUsd: 0.25 },
    });
    expect(unpriced).toMatchObject({ type: 'usage', index: 1, costUsd: null });
  });

  it('tells how a call ended, with the statistics of its leg and without the keys that were pressed', () => {
    journal.open(ORIGIN);
    const media = { dtmf: ['1', '2'], packetsLost: 3 } as unknown as LegStats;
    const record = journal.close('call_1', ending('caller-hung-up', 'BYE'), media);
    journal.close('call_1', ending('rtp-timeout'));
    expect(words().slice(1)).toEqual([
      {
        ...{
          type: 'closed',
          durationMs: record?.durationMs,
          ending: 'caller-hung-up',
          endingClass: 'success',
        },
        ...{ detail: 'BYE', facts: 0, media: { packetsLost: 3 }, endedAt: expect.any(String) as string },
      },
    ]);
  });

  it('tells with the end how many facts there are in all', () => {
    journal.open(ORIGIN);
    journal.open({ ...ORIGIN, callId: 'call_2' });
    for (const type of ['ringing', 'answered'] as const) journal.add('call_1', { type });
    journal.add('call_2', { type: 'ringing' });
    // One that does not fit is not kept.
    journal.add('call_1', { type: 'heard', text: 7 } as unknown as TimelineFact);
    journal.add('call_1', { type: '' } as unknown as TimelineFact);
    journal.close('call_1', ending('agent-hung-up'));
    journal.close('call_2', ending('agent-hung-up'));
    expect(words().slice(-2)).toMatchObject([{ facts: 3 }, { facts: 1 }]);
  });

  it('tells of a call that had no leg', () => {
    journal.open({ ...ORIGIN, source: 'web' });
    journal.close('call_1', ending('visitor-left'));
    expect(words()[1]).toMatchObject({ type: 'closed', media: null, detail: null });
  });

  it('says of every word whose span it goes on from, the last one too', () => {
    stop();
    const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
    const open = new Map([['call_1', traceparent]]);
    const sink = { append: (content: SpoolContent): boolean => kept.push(content) > 0 };
    const traceparentOf = (callId: string): string => open.get(callId) ?? '';
    stop = keepCalls({ journal, sink, run: () => 'run_1', log: pino({ level: 'silent' }), traceparentOf });
    journal.open(ORIGIN);
    journal.open({ ...ORIGIN, callId: 'untraced' });
    // As the traces do it: the span is over before the last word is told.
    open.clear();
    journal.close('call_1', ending('agent-hung-up'));
    expect(kept).toMatchObject([{ traceparent }, { callId: 'untraced' }, { traceparent }]);
    expect(kept[1]).not.toHaveProperty('traceparent');
  });

  it('writes what the spool can read again', () => {
    journal.open(ORIGIN);
    journal.add('call_1', { type: 'heard', text: 'Zoë\n"quoted"' });
    journal.close('call_1', ending('agent-hung-up'));
    for (const [index, content] of kept.entries()) {
      const line = writeLine({ seq: index + 1, content })
        .toString()
        .trimEnd();
      expect(readLine(line)).toEqual({ seq: index + 1, content });
    }
  });

  it('says at once when a fact cannot be kept, and goes on', () => {
    journal.open(ORIGIN);
    journal.add('call_1', { type: 'heard', text: 'fine' });
    journal.open({ ...ORIGIN, callId: 'call_2', from: 'x'.repeat(30_000) });
    expect(kept).toHaveLength(2);
    expect(complaints).toContain('JOB_PAYLOAD_INVALID');
  });

  it('ends when it is told to', () => {
    journal.open(ORIGIN);
    stop();
    journal.add('call_1', { type: 'ringing' });
    expect(kept).toHaveLength(1);
  });
});
