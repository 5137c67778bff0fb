/** The small parts of a Live session that wait for time: words and goodbyes. */
import { beforeEach, describe, expect, it } from 'vitest';
import { Farewell } from '../../../../src/agent/models/live/farewell.ts';
import { HeardWords, type Utterance } from '../../../../src/agent/models/live/heard-words.ts';
import {
  goodbye_ms_max,
  goodbye_quiet_ms,
  heard_settle_ms,
  heard_soon_ms,
  wordless_ms,
} from '../../../../src/agent/models/live/limits.ts';
import { ManualClock } from '../../../support/manual-clock.ts';

let clock: ManualClock;

beforeEach(() => {
  clock = new ManualClock();
});

describe('heard words', () => {
  let told: Utterance[];
  let words: HeardWords;
  const add = (delta: string, start_ms: number): void =>
    words.add({ delta, start_ms, end_ms: start_ms + 100 });

  beforeEach(() => {
    told = [];
    words = new HeardWords(clock, (utterance) => told.push(utterance));
  });

  it('grow into an utterance that a pause ends', () => {
    add('tomorrow ', 1000);
    clock.advance(heard_settle_ms - 1);
    add('at ten ', 1500);
    clock.advance(heard_settle_ms - 1);
    expect(told.map(({ text, final }) => [text, final])).toEqual([
      ['tomorrow', false],
      ['tomorrow at ten', false],
    ]);
    clock.advance(1);
    expect(told.at(-1)).toMatchObject({ text: 'tomorrow at ten', final: true });
    expect(new Set(told.map((one) => one.utteranceId)).size).toBe(1);
    expect(clock.pending).toBe(0);
  });

  it('are whole soon when the caller is known to have stopped', () => {
    add('mhm ', 1000);
    words.callerStopped();
    clock.advance(heard_soon_ms - 1);
    add('hm ', 1200);
    clock.advance(heard_soon_ms - 1);
    expect(told.map((one) => one.final)).toEqual([false, false]);
    clock.advance(1);
    expect(told.at(-1)).toMatchObject({ text: 'mhm hm', final: true });
    add('yes ', 9000);
    clock.advance(heard_soon_ms);
    expect(told.at(-1)?.final).toBe(false);
    clock.advance(heard_settle_ms);
  });

  it('that never come are told to who waits for them', () => {
    words.callerStopped();
    clock.advance(wordless_ms);
    expect(told).toMatchObject([{ text: '', final: true }]);
    words.finish();
    expect(told).toHaveLength(1);
    expect(clock.pending).toBe(0);
  });

  it('become two when there was a pause in the sound, though they arrive together', () => {
    add('yes ', 1000);
    add('hello ', 1100 + heard_settle_ms + 1);
    clock.advance(heard_settle_ms);
    expect(told.filter((one) => one.final).map((one) => one.text)).toEqual(['yes', 'hello']);
    expect(new Set(told.map((one) => one.utteranceId)).size).toBe(2);
  });

  it('are told whole when asked, and not again', () => {
    add('yes ', 1000);
    words.finish();
    words.finish();
    clock.advance(heard_settle_ms);
    expect(told.filter((one) => one.final)).toHaveLength(1);
  });

  it('are forgotten at the end', () => {
    add('yes ', 1000);
    words.close();
    clock.advance(heard_settle_ms);
    expect(told.filter((one) => one.final)).toEqual([]);
    expect(clock.pending).toBe(0);
  });
});

describe('the farewell', () => {
  let hungUp: string[];
  let farewell: Farewell;

  beforeEach(() => {
    hungUp = [];
    farewell = new Farewell(clock, (callId, reason) => hungUp.push(`${callId} ${reason}`));
  });

  it('waits for the goodbye that is said after it was asked for', () => {
    farewell.ask('call_1', 'goodbye');
    clock.advance(goodbye_ms_max - 1);
    farewell.replyBegan();
    clock.advance(3000);
    farewell.replyEnded();
    clock.advance(goodbye_quiet_ms - 1);
    expect(hungUp).toEqual([]);
    clock.advance(1);
    expect(hungUp).toEqual(['call_1 goodbye']);
    expect(clock.pending).toBe(0);
  });

  it('takes the pause between two sentences for no end', () => {
    farewell.ask('call_1', 'goodbye');
    farewell.replyBegan();
    farewell.replyEnded();
    clock.advance(goodbye_quiet_ms - 1);
    farewell.replyBegan();
    clock.advance(goodbye_quiet_ms);
    expect(hungUp).toEqual([]);
    farewell.replyEnded();
    clock.advance(goodbye_quiet_ms);
    expect(hungUp).toHaveLength(1);
  });

  it('does not wait for ever for a goodbye that nobody says', () => {
    farewell.ask('call_1', 'goodbye');
    clock.advance(goodbye_ms_max);
    expect(hungUp).toEqual(['call_1 goodbye']);
  });

  it('is taken back by a caller who speaks', () => {
    farewell.ask('call_1', 'goodbye');
    expect(farewell.takeBack()).toBe('call_1');
    expect(farewell.takeBack()).toBeNull();
    clock.advance(goodbye_ms_max);
    expect(hungUp).toEqual([]);
  });

  it('means nothing to replies that are no goodbye', () => {
    farewell.replyBegan();
    farewell.replyEnded();
    clock.advance(goodbye_ms_max);
    expect(hungUp).toEqual([]);
    expect(clock.pending).toBe(0);
  });
});
