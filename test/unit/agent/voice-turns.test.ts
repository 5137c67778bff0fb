import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { decode } from '../../../src/media/g711.ts';
import { PHRASE_MS, VoiceScene } from './voice-scene.ts';

let scene: VoiceScene;

function decodeOne(byte: number): number {
  const samples = new Int16Array(1);
  decode('pcmu', Uint8Array.of(byte), samples);
  return samples[0] ?? 0;
}

beforeEach(async () => {
  scene = await VoiceScene.open();
});
afterEach(() => scene.voice.close());

describe('the end of a call', () => {
  it('tells how much of the sentence that was sounding the caller heard', () => {
    scene.model.reply({ ms: 3000, itemId: 'a', text: 'A long story.' });
    scene.model.reply({ ms: 3000, itemId: 'b', text: 'Another one.' });
    scene.run(500);
    const heardMs = scene.toCaller.length * 20;
    scene.voice.close();
    expect(heardMs).toBeGreaterThan(0);
    expect(scene.events('said')).toMatchObject([
      { itemId: 'a', text: 'A long story.', heardMs, totalMs: 3000, interrupted: true },
    ]);
  });
});

describe('barge-in', () => {
  it('ducks at the first sound, then flushes and tells the model how much was heard, exactly', () => {
    scene.model.reply({ ms: 5000, itemId: 'a', text: 'A long story.' });
    scene.run(1000);
    const before = scene.toCaller.length;
    scene.run(600, 'speaking');
    const sounding = scene.toCaller.slice(before).map((frame) => frame.payload[80]);
    expect(sounding[0]).toBe(0x10);
    expect(sounding.at(-1)).not.toBe(0x10);
    // The last frame faded out while the words were waiting: it left for the caller and counts.
    const heardMs = scene.toCaller.length * 20;
    expect(scene.model.told).toEqual([`interrupt a ${heardMs}`, 'caller starts']);
    expect(heardMs).toBeLessThan(1000 + 240 + 120);
    expect(scene.events('said')).toMatchObject([
      { itemId: 'a', text: 'A long story.', heardMs, totalMs: 5000, interrupted: true },
    ]);
    scene.run(1000);
    expect(scene.toCaller).toHaveLength(heardMs / 20);
  });

  it('is silent within 100 ms of the first sound that may be speech, and ducked before', () => {
    scene.model.reply({ ms: 5000, itemId: 'a' });
    scene.run(1000);
    scene.run(40, 'speaking');
    const before = scene.toCaller.length;
    scene.run(100, 'speaking');
    expect(scene.toCaller.length - before).toBeLessThanOrEqual(5);
    const last = scene.toCaller.at(-1)?.payload[159] ?? 0;
    expect(Math.abs(decodeOne(last))).toBeLessThan(Math.abs(decodeOne(0x10)) / 20);
    expect(scene.model.told).toEqual([]);
  });

  it('drops what still comes of a reply that was cut, but plays the next one', () => {
    scene.model.reply({ ms: 3000, itemId: 'a', done: false });
    scene.run(500);
    scene.run(600, 'speaking');
    const cut = scene.toCaller.length;
    scene.model.tell('audio', { itemId: 'a', bytes: new Uint8Array(1600) });
    scene.model.tell('replyDone', { itemId: 'a', interrupted: true });
    scene.run(1000);
    expect(scene.toCaller).toHaveLength(cut);
    scene.model.reply({ ms: 100, itemId: 'b' });
    scene.run(200);
    expect(scene.toCaller).toHaveLength(cut + 5);
  });

  it('forgets the replies that waited behind the cut one', () => {
    scene.model.reply({ ms: 3000, itemId: 'a' });
    scene.model.reply({ ms: 3000, itemId: 'b' });
    scene.run(500);
    scene.run(600, 'speaking');
    expect(scene.model.told[0]).toMatch(/^interrupt a \d+$/);
    expect(scene.model.told[1]).toBe('interrupt b 0');
    expect(scene.events('said').map((said) => said.itemId)).toEqual(['a']);
  });

  it('restores the voice after a cough', () => {
    scene.model.reply({ ms: 4000, itemId: 'a' });
    scene.run(1000);
    const before = scene.toCaller.length;
    scene.run(100, 'speaking');
    scene.run(1000);
    const sounding = scene.toCaller.slice(before).map((frame) => frame.payload[80]);
    expect(sounding.some((byte) => byte !== 0x10)).toBe(true);
    expect(sounding.at(-1)).toBe(0x10);
    expect(scene.model.told).toEqual([]);
    scene.run(4500);
    // Nothing was lost: what waited while the cough lasted was said afterwards.
    expect(scene.events('said')).toMatchObject([{ heardMs: 4000, interrupted: false }]);
    expect(scene.toCaller).toHaveLength(4000 / 20);
  });

  it("believes the model's own ears when they are sooner", () => {
    scene.model.reply({ ms: 4000, itemId: 'a' });
    scene.run(1000);
    scene.model.tell('speechStarted', {});
    expect(scene.model.told).toEqual(['interrupt a 1000']);
    scene.run(1000);
    expect(scene.toCaller).toHaveLength(50 + 1);
  });

  it('withdraws a reply that the model takes back', () => {
    scene.model.reply({ ms: 4000, itemId: 'a', done: false });
    scene.run(200);
    scene.model.tell('replyDone', { itemId: 'a', interrupted: true });
    scene.run(200);
    expect(scene.toCaller).toHaveLength(10 + 1);
    expect(scene.events('said')).toMatchObject([{ heardMs: 200, interrupted: true }]);
  });
});

describe('silence', () => {
  it('asks twice, then says goodbye and hangs up once that was heard', () => {
    scene.voice.command({ type: 'greet' });
    scene.model.reply({ ms: 100 });
    scene.run(2200);
    expect(scene.model.told.at(-1)).toBe('say Are you there?');
    scene.model.reply({ ms: 100 });
    scene.run(2200);
    expect(scene.model.told.at(-1)).toBe('say Hello?');
    scene.model.reply({ ms: 100 });
    scene.run(2200);
    expect(scene.model.told.at(-1)).toBe('say Bye.');
    scene.run(400);
    expect(scene.events('hang_up')).toEqual([]);
    scene.model.reply({ ms: 400 });
    scene.run(300);
    expect(scene.events('hang_up')).toEqual([]);
    scene.run(300);
    expect(scene.events('hang_up')).toEqual([{ type: 'hang_up', reason: 'idle' }]);
    scene.run(10_000);
    expect(scene.events('hang_up')).toHaveLength(1);
  });

  it('hangs up even when the goodbye never comes', () => {
    scene.voice.command({ type: 'greet' });
    scene.run(20_000);
    expect(scene.events('hang_up')).toHaveLength(1);
  });

  it('starts over when the caller speaks', () => {
    scene.voice.command({ type: 'greet' });
    scene.run(2200);
    scene.run(400, 'speaking');
    scene.run(3000);
    expect(scene.model.told.filter((one) => one.startsWith('say'))).toEqual([
      'say Are you there?',
      'say Are you there?',
    ]);
  });

  it('is no silence before the call began', async () => {
    scene.voice.close();
    scene = new VoiceScene();
    await scene.opened();
    scene.run(5000);
    expect(scene.model.told).toEqual(['greet']);
    expect(scene.toCaller).toEqual([]);
  });

  it('is filled while a tool works, and again after longer', async () => {
    scene.model.reply({ ms: 20, text: 'Hello.' });
    scene.run(100);
    await scene.opened();
    scene.model.tell('toolCall', { callId: 't1', name: 'book', arguments: { a: 1 } });
    scene.run(9000);
    const [, first, second, ...more] = scene.events('said');
    expect([first?.text, second?.text, more]).toEqual(['Let me have a look.', 'This takes a moment.', []]);
    expect(first?.startedMs).toBe(20 + 1500);
    expect((second?.startedMs ?? 0) - (first?.startedMs ?? 0)).toBe(PHRASE_MS + 4000 - 20);
    expect(scene.model.told).toEqual([]);
    scene.voice.command({ type: 'tool.result', callId: 't1', result: { ok: true } });
    scene.run(3000);
    expect(scene.model.told).toEqual(['result t1 {"ok":true}', 'say Are you there?']);
  });

  it('is broken by a warning before the longest call ends', async () => {
    scene.voice.close();
    scene = await VoiceScene.open(undefined, { spec: { warnAfterMs: 1000 } });
    scene.run(980);
    expect(scene.model.told).toEqual([]);
    scene.run(5000);
    expect(scene.model.told.filter((one) => one.includes('has to end'))).toHaveLength(1);
    expect(scene.model.told[0]).toBe('say I am afraid this call has to end in a minute.');
  });
});

describe('tools', () => {
  it('asks the main thread and passes the result on, once', () => {
    scene.model.tell('toolCall', { callId: 't1', name: 'book', arguments: { a: 1 } });
    expect(scene.events('tool.call')).toEqual([
      { type: 'tool.call', callId: 't1', name: 'book', arguments: { a: 1 } },
    ]);
    scene.voice.command({ type: 'tool.result', callId: 't1', result: 5 });
    scene.voice.command({ type: 'tool.result', callId: 't1', result: 6 });
    scene.voice.command({ type: 'tool.result', callId: 'unknown', result: 7 });
    expect(scene.model.told).toEqual(['result t1 5']);
  });

  it('refuses a model that goes wild', () => {
    for (let index = 0; index < 20; index += 1)
      scene.model.tell('toolCall', { callId: `t${index}`, name: 'book', arguments: {} });
    expect(scene.events('tool.call')).toHaveLength(16);
    expect(scene.model.told).toHaveLength(4);
  });

  it('hangs up after the goodbye has been played out', () => {
    scene.model.reply({ ms: 400, text: 'Goodbye.' });
    scene.model.tell('toolCall', { callId: 'h1', name: 'hang_up', arguments: { reason: 'done' } });
    scene.run(400);
    expect(scene.events('hang_up')).toEqual([]);
    scene.run(40);
    expect(scene.events('hang_up')).toEqual([{ type: 'hang_up', reason: 'done' }]);
    expect(scene.events('tool.call')).toEqual([]);
  });

  it('does not hang up on a caller who speaks into the goodbye', () => {
    scene.model.reply({ ms: 4000, text: 'Goodbye.' });
    scene.model.tell('toolCall', { callId: 'h1', name: 'hang_up', arguments: null });
    scene.run(400);
    scene.run(600, 'speaking');
    scene.run(4000);
    expect(scene.events('hang_up')).toEqual([]);
    expect(scene.model.told[0]).toBe('result h1 {"ok":false,"reason":"the caller spoke"}');
  });
});

describe('closing', () => {
  it('ends the session, and is deaf and dumb afterwards', () => {
    scene.model.reply({ ms: 1000 });
    scene.run(100);
    scene.voice.close();
    scene.voice.close();
    expect(scene.model.told).toEqual(['close']);
    const sent = scene.toCaller.length;
    scene.run(200, 'speaking');
    scene.model.reply({ ms: 1000 });
    scene.voice.command({ type: 'greet' });
    expect(scene.toCaller).toHaveLength(sent);
    expect(scene.model.told).toEqual(['close']);
  });
});
