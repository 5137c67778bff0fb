import { describe, expect, it } from 'vitest';
import { summarise, type CallForSummary } from '../../../../src/jobs/drivers/crm/call-summary.ts';

const BOOKING: CallForSummary = {
  from: '+442079460123',
  profile: 'clinic-receptionist',
  durationMs: 84_200,
  endingText: 'The agent finished the call',
  turns: [
    { who: 'agent', text: 'Good morning, how can I help you?' },
    { who: 'caller', text: 'Hello' },
    { who: 'agent', text: 'Hello. What can I do for you?' },
    { who: 'caller', text: 'I would like an   appointment on Monday' },
    { who: 'agent', text: 'At what time?' },
    { who: 'caller', text: 'at ten in the morning please' },
  ],
  tools: [
    {
      name: 'book_appointment',
      arguments: { name: 'Laura Bennet', day: '2026-11-30', time: '10:00' },
      result: { ok: false, reason: 'That time is taken already.', ask: 'time' },
    },
    {
      name: 'book_appointment',
      arguments: { name: 'Laura Bennett', day: '2026-11-30', time: '10:30' },
      result: { ok: true, confirmation: 'LK123', day: '2026-11-30', time: '10:30', name: 'Laura Bennett' },
    },
  ],
};

describe('the summary of a call', () => {
  it('says who, what was wanted, what was done and how it ended', () => {
    expect(summarise(BOOKING)).toEqual({
      title: 'Call to clinic-receptionist: book appointment',
      callerName: 'Laura Bennett',
      text: [
        'Caller: Laura Bennett, +442079460123',
        'Wanted: "I would like an appointment on Monday"',
        'Not done: book appointment (That time is taken already.)',
        'Done: book appointment (name Laura Bennett, day 2026-11-30, time 10:30, confirmation LK123)',
        'Ended: The agent finished the call after 1 min 24 s; the caller spoke 3 times, the agent 3.',
      ].join('\n'),
    });
  });

  it('is the same for the same call', () => {
    expect(summarise(structuredClone(BOOKING))).toEqual(summarise(BOOKING));
  });

  it('of a call where nothing was said still tells of it', () => {
    const silent = { ...BOOKING, from: '', durationMs: 900, turns: [], tools: [] };
    expect(summarise(silent)).toEqual({
      title: 'Call to clinic-receptionist',
      text: [
        'Caller: number withheld',
        'Ended: The agent finished the call after 1 s; the caller spoke 0 times, the agent 0.',
      ].join('\n'),
    });
  });

  it('quotes the longest of short sentences', () => {
    const turns = ['Hi', 'opening hours', 'bye'].map((text) => ({ who: 'caller' as const, text }));
    expect(summarise({ ...BOOKING, turns, tools: [] }).text).toContain('Wanted: "opening hours"');
  });

  it('shortens what is endless, by whole characters', () => {
    const turns = [{ who: 'caller' as const, text: `I want ${'😀'.repeat(400)} now` }];
    const wanted = summarise({ ...BOOKING, turns }).text.split('\n')[1] ?? '';
    expect(Array.from(wanted)).toHaveLength('Wanted: ""'.length + 200);
    expect(wanted.isWellFormed()).toBe(true);
  });

  it.each([null, undefined, 'text', 7, [], { ok: 'yes' }, { ok: false }])(
    'bears a tool that answered %j',
    (result) => {
      const tools = [{ name: 'look_up', arguments: result, result }];
      expect(summarise({ ...BOOKING, tools }).text).toContain('Not done: look up (failed)');
    },
  );

  it('tells nothing that was not said or done', () => {
    const known = JSON.stringify(BOOKING).replace(/\s+/g, ' ');
    for (const [, quoted] of summarise(BOOKING).text.matchAll(/"([^"]+)"/g)) expect(known).toContain(quoted);
  });
});
