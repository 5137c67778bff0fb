import { describe, expect, it } from 'vitest';
import { addUp, type CountedFact } from '../../../src/base/call-figures.ts';
import { lifeOf, signalled, writeCdr, type VisitCdr } from '../../../src/base/cdr.ts';
import { ending, ENDINGS, type EndingSlug } from '../../../src/base/ending.ts';
import { createLog } from '../../../src/base/log.ts';
import { Writable } from 'node:stream';

const startedAt = new Date('2026-11-23T10:00:00.000Z');

describe('the life of a call', () => {
  it('is counted from its start', () => {
    expect(lifeOf({ startedAt, answeredMs: 1000.4, endedMs: 61_000 }, ending('rtp-timeout', 'x'))).toEqual({
      ...{ startedAt: '2026-11-23T10:00:00.000Z', answeredAt: '2026-11-23T10:00:01.000Z' },
      ...{ endedAt: '2026-11-23T10:01:01.000Z', ringingMs: 1000, talkingMs: 60_000 },
      ...{ ending: 'rtp-timeout', endingClass: 'indeterminate', detail: 'x' },
    });
  });

  it('rang until its end when it was never answered', () => {
    expect(lifeOf({ startedAt, answeredMs: null, endedMs: 300 }, ending('caller-cancelled'))).toMatchObject({
      ...{ answeredAt: null, ringingMs: 300, talkingMs: 0, detail: null },
      endedAt: '2026-11-23T10:00:00.300Z',
    });
  });

  it('may be over at once', () => {
    const { endedAt, ringingMs } = lifeOf({ startedAt, answeredMs: null, endedMs: 0 }, ending('loop'));
    expect([endedAt, ringingMs]).toEqual([startedAt.toISOString(), 0]);
  });

  it.each(Object.keys(ENDINGS) as EndingSlug[])(
    'that ended as %s was answered with 200, or with its own',
    (slug) => {
      const end = ending(slug);
      expect(signalled(end, true)).toEqual({ sipStatus: 200, q850: end.q850 });
      expect(signalled(end, false)).toEqual({ sipStatus: end.sipStatus, q850: end.q850 });
    },
  );
});

describe('a CDR', () => {
  it('is one line of the log, under one name', () => {
    const lines: unknown[] = [];
    const sink = new Writable({
      write: (chunk: Buffer, _encoding, done) => {
        lines.push(JSON.parse(String(chunk)));
        done();
      },
    });
    const cdr: VisitCdr = {
      ...{ callId: 'visit_1', source: 'web', tenant: 'acme', profile: 'desk', from: 'https://site.test' },
      ...lifeOf({ startedAt, answeredMs: null, endedMs: 5 }, ending('visitor-left')),
      agent: addUp([]),
    };
    writeCdr(createLog({ level: 'info' }, sink), cdr);
    expect(lines).toMatchObject([{ msg: 'call ended', cdr }]);
  });
});

describe('figures of a call', () => {
  const said = (responseMs: number | null, interrupted = false): CountedFact => ({
    ...{ type: 'said', interrupted, responseMs },
  });

  it('are nothing of nothing', () => {
    expect(addUp([])).toEqual({
      ...{ replies: 0, interruptions: 0, responseP50Ms: null, responseMaxMs: null, modelsLost: 0 },
      ...{ costUsd: 0, unpriced: [] },
    });
  });

  it('are the same in whatever order the facts are read', () => {
    const facts: CountedFact[] = [
      ...[said(900), said(null, true), said(300), said(500)],
      { type: 'usage', model: 'b', costUsd: 0.1 },
      { type: 'failover', step: 'lost' },
      { type: 'usage', model: 'c', costUsd: null },
      { type: 'usage', model: 'b', costUsd: 0.2 },
      { type: 'usage', model: 'a', costUsd: null },
      { type: 'failover', step: 'restored' },
    ];
    const whole = {
      ...{ replies: 4, interruptions: 1, responseP50Ms: 500, responseMaxMs: 900, modelsLost: 1 },
      ...{ costUsd: 0.3, unpriced: ['a', 'c'] },
    };
    expect(addUp(facts)).toEqual(whole);
    expect(addUp(facts.toReversed())).toEqual(whole);
  });
});
