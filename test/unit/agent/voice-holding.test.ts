/** The agent goes out and comes back, mere backchannels, and passages that nobody cuts short. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ScriptedModel } from './scripted-model.ts';
import { VoiceScene } from './voice-scene.ts';

let scene: VoiceScene;

beforeEach(async () => {
  const model = new ScriptedModel();
  model.ignores = true;
  scene = await VoiceScene.open(model);
});
afterEach(() => scene.voice.close());

describe('holding', () => {
  it('is silent at once, deaf, and keeps its session', () => {
    scene.model.reply({ ms: 3000, itemId: 'a', text: 'A long story.' });
    scene.run(500);
    scene.voice.command({ type: 'hold' });
    expect(scene.model.told).toEqual(['interrupt a 500']);
    expect(scene.events('said')).toMatchObject([{ itemId: 'a', heardMs: 500, interrupted: true }]);
    const [sent, heard] = [scene.toCaller.length, scene.model.heardFrames];
    scene.run(3000, 'speaking');
    scene.run(60_000);
    expect(scene.toCaller).toHaveLength(sent);
    expect(scene.model.heardFrames).toBe(heard);
    expect(scene.model.told).toEqual(['interrupt a 500']);
    expect(scene.events('hang_up')).toEqual([]);
  });

  it('says nothing of what the model answers meanwhile', () => {
    scene.voice.command({ type: 'hold' });
    scene.model.reply({ ms: 1000, itemId: 'b' });
    scene.run(2000);
    expect(scene.model.told).toEqual(['interrupt b 0']);
    scene.voice.command({ type: 'say', text: 'Hello?' });
    scene.voice.command({ type: 'digit', digit: '1' });
    expect(scene.model.told).toEqual(['interrupt b 0']);
    scene.voice.command({ type: 'resume' });
    scene.run(1000);
    expect(scene.toCaller).toHaveLength(0);
  });

  it('comes back with a notice, and hears and speaks as before', () => {
    scene.voice.command({ type: 'hold' });
    scene.voice.command({ type: 'hold' });
    scene.voice.command({ type: 'resume', notice: 'The colleague has left.' });
    scene.voice.command({ type: 'resume', notice: 'Twice.' });
    expect(scene.model.told).toEqual(['notice The colleague has left.']);
    scene.model.reply({ ms: 100 });
    scene.run(200);
    expect(scene.toCaller).toHaveLength(5);
    scene.run(400, 'speaking');
    scene.run(800);
    expect(scene.model.told.slice(1)).toEqual(['caller starts', 'caller stops']);
  });

  it('ends the turn of a caller who was speaking, and a goodbye that was ordered', () => {
    scene.run(400, 'speaking');
    scene.model.reply({ ms: 1000, itemId: 'bye' });
    scene.model.tell('toolCall', { callId: 'h1', name: 'hang_up', arguments: {} });
    scene.voice.command({ type: 'hold' });
    expect(scene.model.told).toEqual([
      'caller starts',
      'result h1 {"ok":false,"reason":"the caller spoke"}',
      'interrupt bye 0',
      'caller stops',
    ]);
    scene.voice.command({ type: 'resume' });
    scene.run(1000);
    expect(scene.events('hang_up')).toEqual([]);
  });

  it('gives the model the result of a tool that was under way', () => {
    scene.model.tell('toolCall', { callId: 't1', name: 'transfer_to_human', arguments: {} });
    scene.voice.command({ type: 'hold' });
    scene.voice.command({ type: 'tool.result', callId: 't1', result: { ok: true } });
    expect(scene.model.told).toEqual(['result t1 {"ok":true}']);
  });

  it('closes as ever', () => {
    scene.voice.command({ type: 'hold' });
    scene.voice.close();
    expect(scene.model.told).toEqual(['close']);
  });
});

describe('a mere "mhm"', () => {
  function interruptFor(ms: number): void {
    scene.model.reply({ ms: 5000, itemId: 'a' });
    scene.run(1000);
    scene.run(ms, 'speaking');
    scene.run(700);
  }
  const heard = (text: string): void => scene.model.tell('heard', { utteranceId: 'u1', text, final: true });

  it('does not throw the reply away: it goes on where it was', () => {
    interruptFor(400);
    expect(scene.model.told).toEqual(['caller starts', 'caller stops']);
    heard('Mhm.');
    expect(scene.model.told.slice(2)).toEqual(['ignore u1']);
    scene.run(5000);
    expect(scene.events('said')).toMatchObject([{ itemId: 'a', heardMs: 5000, interrupted: false }]);
    expect(scene.toCaller).toHaveLength(250);
  });

  it.each([['Stop.'], ['mhm no wait'], ['okay']])('does, when it is %j', (text) => {
    interruptFor(400);
    heard(text);
    expect(scene.model.told.at(-1)).toMatch(/^interrupt a \d+$/);
    scene.run(3000);
    expect(scene.events('said')).toMatchObject([{ interrupted: true }]);
  });

  it('is none when it lasts too long', () => {
    interruptFor(1200);
    expect(scene.model.told).toEqual([
      'caller starts',
      expect.stringMatching(/^interrupt a \d+$/) as string,
      'caller stops',
    ]);
  });

  it('counts as an interruption when its words never come', () => {
    interruptFor(400);
    scene.run(1000);
    expect(scene.model.told.at(-1)).toMatch(/^interrupt a \d+$/);
    heard('mhm');
    expect(scene.model.told.filter((one) => one.startsWith('ignore'))).toEqual([]);
  });

  it('keeps the answer that came before the words of a short interruption', () => {
    interruptFor(400);
    scene.model.reply({ ms: 1000, itemId: 'b' });
    heard('Stop.');
    expect(scene.model.told.filter((one) => one.startsWith('interrupt'))).toHaveLength(1);
    scene.run(2000);
    expect(scene.events('said').map(({ itemId, interrupted }) => [itemId, interrupted])).toEqual([
      ['a', true],
      ['b', false],
    ]);
  });
});

describe('words that come sooner or later than the voice thought', () => {
  const heard = (text: string, over: { final?: boolean; earlier?: boolean } = {}): void =>
    scene.model.tell('heard', { utteranceId: 'u1', text, final: true, ...over });

  beforeEach(() => {
    scene.model.reply({ ms: 5000, itemId: 'a', text: 'A long story.' });
    scene.run(1000);
    scene.run(400, 'speaking');
  });

  it('cut the reply as soon as they can be no "mhm" any more', () => {
    heard('mh', { final: false });
    expect(scene.model.told).toEqual(['caller starts']);
    heard('Stop', { final: false });
    expect(scene.model.told.at(-1)).toMatch(/^interrupt a \d+$/);
  });

  it('decide nothing when they were said before the reply', () => {
    heard('Are you open?', { earlier: true });
    expect(scene.model.told).toEqual(['caller starts']);
    scene.run(700);
    heard('mhm');
    expect(scene.model.told.slice(1)).toEqual(['caller stops', 'ignore u1']);
  });

  it('end a "mhm" before its silence has: what is said next cuts the reply', () => {
    scene.run(200);
    heard('mhm');
    expect(scene.model.told).toEqual(['caller starts', 'ignore u1', 'caller stops']);
    scene.run(400);
    const resumed = scene.toCaller.length;
    scene.run(1200, 'speaking');
    expect(scene.model.told.slice(3)).toEqual(['caller starts', `interrupt a ${scene.toCaller.length * 20}`]);
    expect(scene.toCaller.length).toBeGreaterThan(resumed);
  });

  it('leave nothing to go on with when the model took the reply back meanwhile', () => {
    scene.run(700);
    scene.model.tell('replyDone', { itemId: 'a', interrupted: true });
    heard('mhm');
    scene.run(1000);
    scene.model.reply({ ms: 100, itemId: 'b' });
    scene.run(400);
    expect(scene.events('said').map((said) => said.itemId)).toEqual(['a', 'b']);
  });
});

describe('who has the word', () => {
  it('is told to the session: the agent, while it is heard, and until it is surely interrupted', () => {
    const { agentSpoke } = scene.model;
    scene.run(1000);
    expect(agentSpoke).toEqual([]);
    scene.model.reply({ ms: 5000, itemId: 'a' });
    scene.run(1000);
    scene.run(400, 'speaking');
    scene.run(700);
    expect(agentSpoke).toEqual([true]);
    scene.model.tell('heard', { utteranceId: 'u1', text: 'mhm', final: true });
    scene.run(500);
    expect(agentSpoke).toEqual([true]);
    scene.run(1000, 'speaking');
    expect(agentSpoke).toEqual([true, false]);
    scene.run(1000);
    scene.model.reply({ ms: 200, itemId: 'b' });
    scene.run(400);
    expect(agentSpoke).toEqual([true, false, true, false]);
  });

  it('is nobody when the agent goes out', () => {
    scene.model.reply({ ms: 5000, itemId: 'a' });
    scene.run(500);
    scene.voice.command({ type: 'hold' });
    expect(scene.model.agentSpoke).toEqual([true, false]);
  });

  it('is the caller in the last words of a question: they are answered, whatever they are', () => {
    scene.model.reply({ ms: 2000, itemId: 'a', text: 'Is that right?' });
    scene.run(1600);
    scene.run(400, 'speaking');
    expect(scene.model.told[0]).toMatch(/^interrupt a \d+$/);
    expect(scene.model.agentSpoke).toEqual([true, false]);
  });

  it('is the agent in the last words of anything else, and while more may come', () => {
    scene.model.reply({ ms: 2000, itemId: 'a', text: 'Is that', done: false });
    scene.run(1600);
    scene.run(400, 'speaking');
    scene.model.tell('said', { itemId: 'a', text: 'Is that right?', final: true });
    expect(scene.model.told).toEqual(['caller starts']);
  });
});

describe('an uninterruptible passage', () => {
  it.each([
    ['goes on over a "mhm", which gets no answer', 'mhm', ['ignore u1']],
    ['goes on over words, which get one', 'No.', []],
  ])('%s', (_what, text, ignored) => {
    scene.model.reply({ ms: 5000, itemId: 'a', uninterruptible: true });
    scene.run(500);
    scene.run(400, 'speaking');
    scene.run(700);
    scene.model.tell('heard', { utteranceId: 'u1', text, final: true });
    scene.run(5000);
    expect(scene.model.told).toEqual(['caller starts', 'caller stops', ...ignored]);
    expect(scene.events('said')).toMatchObject([{ itemId: 'a', heardMs: 5000, interrupted: false }]);
  });

  it('may be over before the words of a "mhm" come', () => {
    scene.model.reply({ ms: 1000, itemId: 'a', uninterruptible: true });
    scene.run(500);
    scene.run(400, 'speaking');
    scene.run(900);
    expect(scene.events('said')).toHaveLength(1);
    expect(scene.model.agentSpoke).toEqual([true]);
    scene.model.tell('heard', { utteranceId: 'u1', text: 'mhm', final: true });
    scene.run(20);
    expect(scene.model.told.at(-1)).toBe('ignore u1');
    expect(scene.model.agentSpoke).toEqual([true, false]);
  });

  it('goes on over the words of the caller, whom the model hears', () => {
    scene.model.reply({ ms: 3000, itemId: 'a', uninterruptible: true });
    scene.run(500);
    scene.run(1000, 'speaking');
    scene.run(3000);
    expect(scene.model.told).toEqual(['caller starts', 'caller stops']);
    expect(scene.events('said')).toMatchObject([{ itemId: 'a', heardMs: 3000, interrupted: false }]);
    expect(new Set(scene.toCaller.map((frame) => frame.payload[80]))).toEqual(new Set([0x10]));
  });

  it('is said as far as it is here when the model takes it back', () => {
    scene.model.reply({ ms: 1000, itemId: 'a', uninterruptible: true, done: false });
    scene.run(200);
    scene.model.tell('replyDone', { itemId: 'a', interrupted: true });
    scene.model.tell('speechStarted', {});
    scene.run(2000);
    expect(scene.events('said')).toMatchObject([{ itemId: 'a', heardMs: 1000, interrupted: false }]);
  });

  it('passes the wish on to the session', () => {
    scene.voice.command({ type: 'say', text: 'This call is recorded.', uninterruptible: true });
    expect(scene.model.told).toEqual(['say This call is recorded. (to the end)']);
  });

  it('can be interrupted again once it is over', () => {
    scene.model.reply({ ms: 200, itemId: 'a', uninterruptible: true });
    scene.model.reply({ ms: 4000, itemId: 'b' });
    scene.run(1000);
    scene.run(1000, 'speaking');
    expect(scene.model.told.some((one) => one.startsWith('interrupt b'))).toBe(true);
  });
});
