import { PassThrough } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { CallReport, bookingOf } from '../../../scripts/call/report.ts';
import type { CallRecord, TimelineEntry } from '../../support/operator.ts';

function recordOf(...timeline: TimelineEntry[]): CallRecord {
  const ending = { slug: 'agent-hung-up', sipStatus: 200, q850: 16 };
  return { callId: 'call_1', sipCallId: 'a@b', profile: 'clinic', trunk: 'local', timeline, ending };
}

const refused = {
  atMs: 1,
  type: 'tool',
  name: 'book_appointment',
  arguments: { time: '10:00' },
  result: { ok: false, reason: 'taken' },
} as const;
const booked = { ...refused, result: { ok: true, confirmation: 'KT189' } };
const said = { atMs: 2, type: 'said', text: 'Right?', heardMs: 900, interrupted: false } as const;

describe('the report of a call', () => {
  function printed(act: (report: CallReport) => void): string {
    const output = new PassThrough();
    act(new CallReport(output));
    return String(output.read() ?? '');
  }

  it('finds the booking that went through, and no other', () => {
    expect(bookingOf(recordOf(refused, booked))).toEqual({ ok: true, confirmation: 'KT189' });
    expect(bookingOf(recordOf(refused))).toBeUndefined();
    expect(bookingOf(recordOf({ ...booked, name: 'send_sms' }))).toBeUndefined();
    expect(bookingOf(undefined)).toBeUndefined();
  });

  it('prints each entry of the timeline in a line of its own', () => {
    const text = printed((report) => {
      report.entry({ ...said, responseMs: 640 });
      report.entry({ ...said, interrupted: true, responseMs: null });
      report.entry({ atMs: 3, type: 'heard', text: 'yes' });
      report.entry({ atMs: 4, type: 'digit', digit: '5' });
      report.entry({ atMs: 5, type: 'held' });
      report.entry({ atMs: 6, type: 'answered' });
      report.entry({ atMs: 7, type: 'trouble', code: 'TOOL_FAILED', detail: 'no disk' });
      report.entry(booked);
    });
    const lines = text.trim().split('\n');
    expect(lines.map((line) => line.replace(/^\s*[\d.]+ s\s+/, '').split(/\s{2,}/)[1])).toEqual([
      ...['said', 'broke off', 'heard', 'key', 'held', 'trouble'],
      expect.stringMatching(/^book_appointment/),
    ]);
  });

  it('prints what became of a call beyond the agent, and nothing of what it cost', () => {
    const text = printed((report) => {
      report.entry({ atMs: 1, type: 'failover', step: 'falling_back', to: 'offline', detail: '' });
      report.entry({ atMs: 2, type: 'handoff', step: 'accepted', by: 'Anna' });
      report.entry({ atMs: 3, type: 'supervised', mode: 'whisper', by: 'Ben' });
      report.entry({ atMs: 4, type: 'voicemail', path: 'voicemail/call_1.wav' });
      report.entry({ atMs: 5, type: 'usage', model: 'gpt-realtime-2.1' });
    });
    expect(text).toMatch(/failover\s+falling_back offline\n/);
    expect(text).toMatch(/handoff\s+accepted Anna\n/);
    expect(text).toMatch(/whisper\s+by Ben\n/);
    expect(text).toMatch(/message\s+voicemail\/call_1\.wav\n/);
    expect(text.trim().split('\n')).toHaveLength(4);
  });

  it('sums up booking, latency, ending and recording', () => {
    const text = printed((report) =>
      report.sum(recordOf({ ...said, responseMs: 640 }, { ...said, responseMs: null }, booked), 'call.wav'),
    );
    expect(text).toMatch(/appointment\s+\{"ok":true,"confirmation":"KT189"\}/);
    expect(text).toMatch(/latency\s+640 ms/);
    expect(text).toMatch(/ending\s+agent-hung-up/);
    expect(text).toMatch(/recording\s+call\.wav/);
  });

  it('says so when there is nothing to sum up', () => {
    const text = printed((report) => report.sum(undefined, 'call.wav'));
    expect(text).toMatch(/appointment\s+none was recorded/);
    expect(text).toMatch(/latency\s+unknown/);
    expect(text).toMatch(/ending\s+unknown/);
  });
});
