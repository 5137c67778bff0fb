import { describe, expect, it } from 'vitest';
import { History } from '../../../src/agent/history.ts';
import { Phrases, phrasesOf } from '../../../src/agent/phrases.ts';
import { agentProfileSchema } from '../../../src/agent/profile.ts';
import { TurnTimes } from '../../../src/agent/turn-times.ts';
import { Waiting, type Wait } from '../../../src/agent/waiting.ts';
import { G711 } from '../../../src/media/g711.ts';
import { cannedPhrases, profile } from './voice-scene.ts';

/** When something is said within so many ms, and what. */
function waits(waiting: Waiting, wait: Wait, ms: number): [number, string][] {
  const said: [number, string][] = [];
  for (let atMs = 20; atMs <= ms; atMs += 20) {
    const text = waiting.tick(wait);
    if (text !== null) said.push([atMs, text]);
  }
  return said;
}

describe('Waiting', () => {
  it('says nothing when nobody waits', () => {
    expect(waits(new Waiting(profile), 'nothing', 60_000)).toEqual([]);
  });

  it('says something after 1.7 s without an answer, each time another sentence', () => {
    expect(waits(new Waiting(profile), 'reply', 7000)).toEqual([
      [1700, 'One moment, please.'],
      [3400, 'I am still here.'],
      [5100, 'Just a little longer.'],
      [6800, 'One moment, please.'],
    ]);
  });

  it('says within a second that somebody is there, when the greeting is late', () => {
    expect(waits(new Waiting(profile), 'greeting', 4100)).toEqual([
      [1000, 'One moment, please.'],
      [2500, 'I am still here.'],
      [4000, 'I will be with you in a moment.'],
    ]);
    const waiting = new Waiting(profile);
    waits(waiting, 'greeting', 800);
    expect(waiting.unheardMs).toBe(800);
  });

  it('waits longer before it says something about a tool again', () => {
    expect(waits(new Waiting(profile), 'tool', 6000)).toEqual([
      [1500, 'Let me have a look.'],
      [5500, 'This takes a moment.'],
    ]);
  });

  it('speaks of trouble soon, counted from when it began', () => {
    const waiting = new Waiting(profile);
    waits(waiting, 'nothing', 5000);
    expect(waits(waiting, 'trouble', 2000)).toEqual([
      [400, 'One moment, please.'],
      [1900, 'I am still here.'],
    ]);
  });

  it('counts silence from the last sound of anybody', () => {
    const waiting = new Waiting(profile);
    waits(waiting, 'reply', 1600);
    waiting.sound();
    expect(waits(waiting, 'reply', 1680)).toEqual([]);
    expect(waits(waiting, 'reply', 20)).toHaveLength(1);
  });

  it('forgets what it said when another wait begins, and goes on when only the agent spoke', () => {
    const waiting = new Waiting(profile);
    waits(waiting, 'tool', 1500);
    for (let tick = 0; tick < 50; tick += 1) expect(waiting.tick(null)).toBeNull();
    waiting.sound();
    expect(waits(waiting, 'tool', 3980)).toEqual([]);
    expect(waits(waiting, 'tool', 20)).toEqual([[20, 'This takes a moment.']]);
    waits(waiting, 'nothing', 20);
    waiting.sound();
    expect(waits(waiting, 'tool', 1500)).toEqual([[1500, 'Let me have a look.']]);
  });

  it('measures how long the model has told nothing while it owes an answer', () => {
    const waiting = new Waiting(profile);
    waits(waiting, 'reply', 1000);
    expect(waiting.unheardMs).toBe(1000);
    waiting.modelStirred();
    waits(waiting, 'reply', 100);
    expect(waiting.unheardMs).toBe(100);
    waits(waiting, 'tool', 100);
    expect(waiting.unheardMs).toBe(0);
  });

  it('can be told to be silent, and to use a tone', () => {
    const with_ = (fillers: object): Waiting =>
      new Waiting(agentProfileSchema.parse({ ...profile, fillers }));
    expect(waits(with_({ reply_after_ms: 0 }), 'reply', 10_000)).toEqual([]);
    expect(waits(with_({ tool_after_ms: 0 }), 'tool', 10_000)).toEqual([]);
    expect(waits(with_({ greeting_after_ms: 0 }), 'greeting', 10_000)).toEqual([]);
    expect(waits(with_({ reply: [] }), 'reply', 1700)).toEqual([[1700, '']]);
  });
});

describe('Phrases', () => {
  const phrase = { text: 'One moment, please.', voice: 'slt', codec: 'pcmu' } as const;

  it('has everything ready that a profile may need', async () => {
    const phrases = cannedPhrases();
    phrases.prepare(profile, 'pcmu');
    await expect.poll(() => phrasesOf(profile).every((text) => phrases.has({ ...phrase, text }))).toBe(true);
    expect(phrases.has({ ...phrase, codec: 'pcma' })).toBe(false);
    expect(phrases.sound(phrase)).toHaveLength(4800);
  });

  it('knows the words of hand-overs, the goodbye, and each only once', () => {
    const fallbacks = [
      { type: 'human', say: 'A colleague.' },
      { type: 'voicemail', say: 'Leave one.', thanks: 'Thanks.' },
    ];
    const texts = phrasesOf(agentProfileSchema.parse({ ...profile, fallbacks }));
    expect(texts).toEqual(
      expect.arrayContaining(['A colleague.', 'Leave one.', 'Thanks.', 'Bye.', profile.trouble]),
    );
    expect(new Set(texts).size).toBe(texts.length);
  });

  it('plays a tone until the sentence is there', async () => {
    const phrases = cannedPhrases();
    expect(phrases.sound(phrase)).toEqual(phrases.tone('pcmu'));
    await expect.poll(() => phrases.has(phrase)).toBe(true);
    expect(phrases.sound(phrase)).not.toEqual(phrases.tone('pcmu'));
  });

  it('plays a tone when nobody can speak, and asks again next time', async () => {
    let asked = 0;
    const phrases = new Phrases({
      speaker: () => {
        asked += 1;
        throw new Error('no synthesiser');
      },
    });
    expect(phrases.sound(phrase)).toEqual(phrases.tone('pcmu'));
    await expect.poll(() => asked).toBe(1);
    await expect.poll(() => (phrases.sound(phrase), asked)).toBeGreaterThan(1);
  });

  it('makes two soft sounds in either law, and gives away copies', () => {
    const phrases = cannedPhrases();
    for (const codec of ['pcmu', 'pcma'] as const) {
      const tone = phrases.tone(codec);
      expect(tone).toHaveLength(380 * 8);
      expect(new Set(tone.subarray(0, 960)).size).toBeGreaterThan(10);
      expect(new Set(tone.subarray(960, 2080))).toEqual(new Set([G711[codec].silence]));
      tone.fill(0);
      expect(phrases.tone(codec)).not.toEqual(tone);
    }
  });

  it('speaks one sentence at a time, so that a call gets in between', async () => {
    let speaking = 0;
    let most = 0;
    const phrases = new Phrases({
      speaker: () => ({
        speak: async () => {
          most = Math.max(most, ++speaking);
          await Promise.resolve();
          speaking -= 1;
          return new Uint8Array(8);
        },
      }),
    });
    phrases.prepare(profile, 'pcma');
    await expect.poll(() => phrases.has({ ...phrase, text: 'Bye.', codec: 'pcma' })).toBe(true);
    expect(most).toBe(1);
  });
});

describe('History', () => {
  it('keeps what was said as far as it was heard', () => {
    const history = new History();
    history.heard('Hello there.');
    history.heard('  ');
    history.said({ text: 'one two three four', heardMs: 500, totalMs: 1000 });
    history.said({ text: 'never heard', heardMs: 0, totalMs: 1000 });
    history.said({ text: 'no sound came', heardMs: 0, totalMs: 0 });
    expect(history.turns).toEqual([
      { from: 'caller', text: 'Hello there.' },
      { from: 'agent', text: 'one two' },
    ]);
  });

  it('notes what tools gave, under the name of the call', () => {
    const history = new History();
    history.toolCalled('t1', 'find_slots', { day: 'Monday' });
    expect(history.toolGave('t1', ['10:00'])).toBe('[The tool find_slots({"day":"Monday"}) gave ["10:00"]]');
    expect(history.turns).toEqual([
      { from: 'note', text: '[The tool find_slots({"day":"Monday"}) gave ["10:00"]]' },
    ]);
    expect(history.toolGave('t9', 1)).toBe('[The tool t9 gave 1]');
  });

  it('forgets the oldest of more than 200 turns, and cuts long ones', () => {
    const history = new History();
    for (let index = 0; index <= 200; index += 1) history.heard(`turn ${index}`);
    expect(history.turns).toHaveLength(200);
    expect(history.turns[0]?.text).toBe('turn 1');
    history.heard('x'.repeat(5000));
    expect(history.turns.at(-1)?.text).toHaveLength(4000);
  });
});

describe('TurnTimes', () => {
  it('measures from the end of speech to first word, first sound, and the wire', () => {
    const times = new TurnTimes();
    times.callerEnded(1000);
    times.text(1300);
    times.text(1400);
    times.audio(1500);
    times.audio(1600);
    expect(times.begins(1700)).toEqual({ startedMs: 1700, responseMs: 700, textMs: 300, audioMs: 500 });
    expect(times.begins(5000)).toEqual({ startedMs: 5000, responseMs: null, textMs: null, audioMs: null });
  });

  it('measures nothing when nobody waits', () => {
    const times = new TurnTimes();
    times.text(100);
    times.audio(100);
    times.callerEnded(1000);
    times.forget();
    times.text(1100);
    expect(times.callerEndedMs).toBeNull();
    expect(times.begins(1200)).toMatchObject({ responseMs: null, textMs: null });
  });

  it('measures from the first voiced frame to the softer one and to silence, once each', () => {
    const times = new TurnTimes();
    times.ducked(20);
    times.silent(20);
    expect(times.bargeIn).toEqual({ duckMs: null, silenceMs: null });
    times.onset(1000);
    times.ducked(1060);
    times.ducked(1080);
    times.silent(1120);
    times.silent(1140);
    expect(times.bargeIn).toEqual({ duckMs: 60, silenceMs: 120 });
    times.cleared();
    times.onset(2000);
    expect(times.bargeIn).toEqual({ duckMs: null, silenceMs: null });
  });
});
