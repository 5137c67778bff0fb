import { describe, expect, it } from 'vitest';
import { ending } from '../../../src/base/ending.ts';
import type { LegStats } from '../../../src/media/control.ts';
import { Journal, type CallOrigin } from '../../../src/room/journal.ts';

function origin(callId: string): CallOrigin {
  return {
    callId,
    sipCallId: `sip-${callId}`,
    tenant: 'default',
    trunk: 'carrier',
    from: '+15550100',
    to: '+15550199',
    profile: 'clinic',
  };
}

describe('the journal', () => {
  it('opens a record with its origin and an ISO time', () => {
    const record = new Journal().open(origin('one'));
    expect(record).toMatchObject({ ...origin('one'), timeline: [] });
    expect(new Date(record.startedAt).toISOString()).toBe(record.startedAt);
  });

  it('keeps the timeline in order, with times that never go back', () => {
    const journal = new Journal();
    journal.open(origin('one'));
    journal.add('one', { type: 'ringing' });
    journal.add('one', { type: 'answered' });
    journal.add('one', { type: 'heard', text: 'good morning' });
    const timeline = journal.get('one')?.timeline ?? [];
    expect(timeline.map(({ type }) => type)).toEqual(['ringing', 'answered', 'heard']);
    const times = timeline.map(({ atMs }) => atMs);
    expect(times).toEqual([...times].sort((a, b) => a - b));
    expect(Math.min(...times)).toBeGreaterThanOrEqual(0);
  });

  it('ignores facts of a call that it does not know', () => {
    const journal = new Journal();
    journal.add('nobody', { type: 'ringing' });
    expect(journal.get('nobody')).toBeUndefined();
    expect(journal.close('nobody', ending('caller-hung-up'))).toBeUndefined();
  });

  it('closes a call once: the first ending stands', () => {
    const journal = new Journal();
    journal.open(origin('one'));
    const closed = journal.close('one', ending('caller-hung-up'));
    journal.close('one', ending('internal-error'));
    expect(journal.get('one')?.ending?.slug).toBe('caller-hung-up');
    expect(closed?.durationMs).toBeGreaterThanOrEqual(0);
    expect(closed).not.toHaveProperty('media');
  });

  it('tells of every call when it is opened and when it is closed, each once', () => {
    const journal = new Journal();
    const told: string[] = [];
    journal.events.on('opened', ({ callId }) => told.push(`opened ${callId}`));
    journal.events.on('added', ({ callId, entry }) =>
      told.push(`${entry.type} ${callId} ${entry.atMs >= 0}`),
    );
    journal.events.on('closed', ({ callId, ending: end, durationMs }) =>
      told.push(`closed ${callId} ${end?.slug} ${durationMs !== undefined}`),
    );
    journal.open(origin('one'));
    journal.add('one', { type: 'ringing' });
    journal.close('one', ending('caller-hung-up'));
    journal.close('one', ending('internal-error'));
    journal.close('nobody', ending('internal-error'));
    expect(told).toEqual(['opened one', 'ringing one true', 'closed one caller-hung-up true']);
  });

  it('keeps the media report of a call that had one', () => {
    const journal = new Journal();
    journal.open(origin('one'));
    const media = { dtmf: '12#' } as LegStats;
    expect(journal.close('one', ending('agent-hung-up'), media)?.media?.dtmf).toBe('12#');
  });

  it('lists newest first, and finds a call by its SIP Call-ID', () => {
    const journal = new Journal();
    for (const callId of ['one', 'two', 'three']) journal.open(origin(callId));
    expect(journal.list().map(({ callId }) => callId)).toEqual(['three', 'two', 'one']);
    expect(journal.list({ sipCallId: 'sip-two' }).map(({ callId }) => callId)).toEqual(['two']);
    expect(journal.list({ sipCallId: 'nobody' })).toEqual([]);
  });

  it('counts the calls that are open', () => {
    const journal = new Journal();
    for (const callId of ['one', 'two', 'three']) journal.open(origin(callId));
    journal.close('two', ending('caller-hung-up'));
    expect(journal.openCalls).toBe(2);
  });

  it('forgets the oldest ended call beyond its limit, and never an open one', () => {
    const journal = new Journal();
    journal.open(origin('still open'));
    for (let index = 0; index < 1100; index += 1) {
      journal.open(origin(`call ${index}`));
      journal.close(`call ${index}`, ending('caller-hung-up'));
    }
    expect(journal.get('still open')).toBeDefined();
    expect(journal.get('call 0')).toBeUndefined();
    expect(journal.get('call 1099')).toBeDefined();
    // One more than the limit: the last call was still open when it was taken in.
    expect(journal.list().length).toBeLessThanOrEqual(1001);
  });

  it('bounds the timeline of one call', () => {
    const journal = new Journal();
    journal.open(origin('one'));
    for (let index = 0; index < 2500; index += 1) journal.add('one', { type: 'digit', digit: '1' });
    expect(journal.get('one')?.timeline).toHaveLength(2000);
  });
});
