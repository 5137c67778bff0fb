import { describe, expect, it } from 'vitest';
import { briefingOf } from '../../../src/room/briefing.ts';
import type { TimelineEntry } from '../../../src/room/journal.ts';
import { LiveCalls } from '../../../src/room/live-calls.ts';
import { StagedCall } from '../../support/room/handoff-stage.ts';

const heard = (text: string): TimelineEntry => ({ atMs: 0, type: 'heard', text });
const said = (text: string): TimelineEntry => ({
  ...{ atMs: 0, type: 'said', text, heardMs: 1, interrupted: false, responseMs: null },
});

describe('a briefing of what was said last', () => {
  it.each<[string, string, TimelineEntry[], string]>([
    [
      'a question and its answer',
      '+15550123',
      [said('Which day?'), heard('next Monday')],
      'A caller from +15550123. To "Which day?": "next Monday"',
    ],
    [
      'the first words of a caller',
      '+15550123',
      [heard('a person please')],
      'A caller from +15550123. "a person please"',
    ],
    [
      'what was not understood is left out',
      '+15550123',
      [heard('a nurse'), heard('')],
      'A caller from +15550123. "a nurse"',
    ],
    [
      'what the agent said afterwards does not count',
      '200',
      [said('Hello.'), heard('a nurse'), said('One moment.')],
      'A caller from 200. To "Hello.": "a nurse"',
    ],
    ['nothing at all', '', [], 'A visitor of the web page. Nothing was understood so far.'],
    ['a page', 'https://clinic.example', [heard('help')], 'A visitor of the web page. "help"'],
  ])('%s', (_name, from, timeline, expected) => {
    expect(briefingOf(from, timeline)).toBe(expected);
  });

  it('is short enough to be listened to', () => {
    const long = 'word '.repeat(200);
    expect(briefingOf('+15550123', [said(long), heard(long)]).length).toBeLessThan(400);
  });
});

describe('the calls that are going on', () => {
  it('are known by id and tenant until they are taken out, once', () => {
    const calls = new LiveCalls();
    const told: string[] = [];
    calls.events.on('opened', ({ callId }) => told.push(`+${callId}`));
    calls.events.on('closed', ({ callId }) => told.push(`-${callId}`));
    const [one, two, foreign] = [
      new StagedCall('one', 'clinic', []),
      new StagedCall('two', 'clinic', []),
      new StagedCall('foreign', 'other', []),
    ];
    const close = calls.add(one.live);
    calls.add(two.live);
    calls.add(foreign.live);
    expect(calls.of('clinic')).toEqual([one.live, two.live]);
    expect(calls.get('foreign')).toBe(foreign.live);
    close();
    close();
    expect(calls.of('clinic')).toEqual([two.live]);
    expect(calls.get('one')).toBeUndefined();
    expect(told).toEqual(['+one', '+two', '+foreign', '-one']);
  });
});
