import { describe, expect, it } from 'vitest';
import { ending } from '../../../src/base/ending.ts';
import type { LegStats } from '../../../src/media/control.ts';
import { cdrOf } from '../../../src/phone/cdr.ts';
import { TokenBucket } from '../../../src/base/token-bucket.ts';
import { ManualClock } from '../../support/manual-clock.ts';

const facts = {
  callId: 'call_1',
  sipCallId: 'one@test',
  trunk: 'local',
  tenant: 'default',
  profile: 'clinic',
  number: '+15550100',
  from: '+15550199',
  to: '+15550100',
  source: 'udp 127.0.0.1:5080',
  codec: 'pcmu',
  digits: 4,
  holds: 0,
} as const;
const invitedAt = new Date('2026-11-23T10:00:00.000Z');

const stats: LegStats = {
  fromCaller: {
    packets: 10,
    bytes: 1600,
    lost: 1,
    duplicates: 0,
    late: 0,
    jitterMs: 2.5,
    droppedForeignSource: 0,
    droppedPayloadType: 0,
    droppedMalformed: 0,
    ssrcChanges: 0,
  },
  toCaller: { packets: 9, bytes: 1440, ssrc: 1, lossRatio: null, jitterMs: null, roundTripMs: null },
  mosFromCaller: 4.1,
  mosToCaller: null,
  dtmf: '1234',
};

describe('cdrOf', () => {
  it('counts ringing and talking of an answered call, and keeps its sound but not its keys', () => {
    const times = { invitedAt, invitedMs: 500, answeredMs: 1500, endedMs: 61_500 };
    const cdr = cdrOf(facts, times, ending('rtp-timeout', '30000 ms'), stats);
    expect(cdr).toMatchObject({
      ...facts,
      startedAt: '2026-11-23T10:00:00.000Z',
      answeredAt: '2026-11-23T10:00:01.000Z',
      endedAt: '2026-11-23T10:01:01.000Z',
      ringingMs: 1000,
      talkingMs: 60_000,
      ending: 'rtp-timeout',
      endingClass: 'indeterminate',
      detail: '30000 ms',
      sipStatus: 200,
      q850: 102,
    });
    expect(cdr.media).toMatchObject({ fromCaller: { lost: 1 }, mosFromCaller: 4.1 });
    expect(JSON.stringify(cdr)).not.toContain('1234');
  });

  it('gives an unanswered call the status of its ending', () => {
    const times = { invitedAt, invitedMs: 0, endedMs: 300 };
    expect(cdrOf(facts, times, ending('caller-cancelled'))).toMatchObject({
      answeredAt: null,
      ringingMs: 300,
      talkingMs: 0,
      sipStatus: 487,
      detail: null,
      media: null,
    });
  });
});

describe('TokenBucket', () => {
  it('lets a burst of one second pass, then one for each share of a second', () => {
    const clock = new ManualClock();
    const bucket = new TokenBucket(4, clock);
    const taken = (tries: number): number =>
      Array.from({ length: tries }, () => bucket.take()).filter(Boolean).length;
    expect(taken(10)).toBe(4);
    clock.advance(250);
    expect(taken(10)).toBe(1);
    clock.advance(60_000);
    expect(taken(10)).toBe(4);
  });
});
