import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { modelUsage } from '../../../src/agent/usage.ts';
import { TrunklineError } from '../../../src/base/errors.ts';
import type { Source } from '../../../src/media/frame.ts';
import { G711 } from '../../../src/media/g711.ts';
import { ScriptedModel } from './scripted-model.ts';
import { lineFrame, VoiceScene } from './voice-scene.ts';

let scene: VoiceScene;

beforeEach(async () => {
  scene = await VoiceScene.open();
});
afterEach(() => scene.voice.close());

describe('opening', () => {
  it('asks for the greeting at once, is ready with its first sound, and says it when told', async () => {
    scene.voice.close();
    scene = new VoiceScene();
    await scene.opened();
    expect(scene.model.told).toEqual(['greet']);
    expect(scene.log).toEqual([]);
    scene.model.reply({ ms: 400, itemId: 'hello', done: false });
    expect(scene.log).toEqual([{ type: 'ready' }]);
    scene.run(1000);
    expect(scene.toCaller).toHaveLength(0);
    scene.voice.command({ type: 'greet' });
    scene.run(100);
    expect(scene.toCaller).toHaveLength(5);
    scene.model.tell('replyDone', { itemId: 'hello', interrupted: false });
    scene.run(1000);
    expect(scene.events('ready')).toHaveLength(1);
    expect(scene.events('said')).toMatchObject([{ itemId: 'hello', heardMs: 400, startedMs: 1020 }]);
  });

  it('greets late when it was told before the session was there', async () => {
    scene.voice.close();
    scene = new VoiceScene();
    scene.voice.command({ type: 'greet' });
    await scene.opened();
    expect(scene.model.told).toEqual(['greet']);
  });

  it('says that somebody is there while the session is slow, and greets then', async () => {
    scene.voice.close();
    const model = new ScriptedModel();
    model.mute = true;
    scene = await VoiceScene.open(model);
    scene.run(980);
    expect(scene.toCaller).toHaveLength(0);
    scene.run(1000);
    expect(scene.toCaller.length).toBeGreaterThan(0);
    scene.run(200);
    expect(scene.events('said')).toMatchObject([{ text: 'One moment, please.' }]);
    model.connected();
    await scene.opened();
    expect(model.told).toEqual(['greet']);
    model.reply({ ms: 400, itemId: 'hello' });
    scene.run(500);
    expect(scene.events('said')).toMatchObject([{}, { itemId: 'hello', heardMs: 400 }]);
  });

  it('owes no greeting to a caller whom a human has', async () => {
    scene.voice.close();
    const model = new ScriptedModel();
    model.mute = true;
    scene = new VoiceScene(model);
    scene.voice.command({ type: 'hold' });
    scene.voice.command({ type: 'greet' });
    model.connected();
    await scene.opened();
    scene.run(3000);
    scene.voice.command({ type: 'resume', notice: '' });
    scene.run(1500);
    expect(model.told).not.toContain('greet');
    expect(scene.events('said')).toEqual([]);
  });

  it.each([
    [new TrunklineError('SPEECH_UNAVAILABLE', 'no library'), 'SPEECH_UNAVAILABLE'],
    [new Error('connection refused'), 'MODEL_UNAVAILABLE'],
  ])('reports a model that cannot be had (%#)', async (failure, code) => {
    scene.voice.close();
    const model = new ScriptedModel();
    model.failure = failure;
    scene = await VoiceScene.open(model);
    await scene.opened();
    expect(scene.log).toMatchObject([
      { type: 'line', step: 'lost', code },
      { type: 'failed', code, retryable: false },
    ]);
    scene.run(100);
  });

  it('closes a session that came too late', async () => {
    scene.voice.close();
    scene = new VoiceScene();
    scene.voice.close();
    await scene.opened();
    expect(scene.model.told).toEqual(['close']);
    expect(scene.log).toEqual([]);
  });

  it.each([[{ type: 'dance' }], [null], [{ type: 'say', text: '' }], [{ type: 'digit', digit: '12' }]])(
    'refuses the command %j',
    (command) => expect(() => scene.voice.command(command)).toThrow(/VOICE_COMMAND_INVALID/),
  );
});

describe('speaking', () => {
  it('plays a reply frame by frame and tells when it is through', () => {
    scene.model.reply({ ms: 100, itemId: 'a', text: 'Hello.' });
    scene.run(200);
    expect(scene.toCaller).toHaveLength(5);
    expect(scene.toCaller.map((frame) => frame.marker)).toEqual([true, false, false, false, false]);
    expect(scene.toCaller.every((frame, index) => frame.rtpTimestamp === (index + 1) * 160)).toBe(true);
    expect(scene.events('said')).toMatchObject([
      { itemId: 'a', text: 'Hello.', heardMs: 100, totalMs: 100, interrupted: false, responseMs: null },
    ]);
  });

  it('keeps its clock running through silence', () => {
    scene.model.reply({ ms: 20 });
    scene.run(100);
    scene.model.reply({ ms: 20 });
    scene.run(40);
    expect(scene.toCaller.map((frame) => frame.marker)).toEqual([true, true]);
    expect(scene.toCaller.map((frame) => frame.rtpTimestamp)).toEqual([160, 160 * 6]);
  });

  it('says and passes on what it is told', () => {
    scene.voice.command({ type: 'say', text: 'One moment.' });
    scene.voice.command({ type: 'digit', digit: '7' });
    expect(scene.model.told).toEqual(['say One moment.', 'digit 7']);
  });

  it('gives up on a reply that never ends', () => {
    scene.model.reply({ ms: 40, itemId: 'a', done: false });
    scene.run(8000);
    expect(scene.events('said')).toMatchObject([{ itemId: 'a', heardMs: 40 }]);
    scene.model.reply({ ms: 40, itemId: 'b' });
    scene.run(100);
    expect(scene.events('said')).toHaveLength(2);
  });

  it('reports usage and failures', () => {
    const usage = modelUsage({ model: 'm', source: 'response', outputAudioTokens: 7 });
    scene.model.tell('usage', { usage });
    scene.model.tell('failed', { code: 'MODEL_UNAVAILABLE', detail: 'x', retryable: true });
    expect(scene.log).toEqual([
      { type: 'usage', usage },
      { type: 'failed', code: 'MODEL_UNAVAILABLE', detail: 'x', retryable: true },
    ]);
  });
});

describe('listening', () => {
  it('hands every frame to the session, and says when the caller starts and stops', () => {
    scene.run(200);
    scene.run(600, 'speaking');
    scene.run(1000);
    expect(scene.model.told).toEqual(['caller starts', 'caller stops']);
    expect(scene.model.heardFrames).toBe(90);
  });

  it('ends the turn of a phone that falls silent by sending nothing', () => {
    scene.run(600, 'speaking');
    scene.run(1000, 'nothing');
    expect(scene.model.told).toEqual(['caller starts', 'caller stops']);
  });

  it('measures the answer from the last sound of the caller', () => {
    scene.run(600, 'speaking');
    scene.run(800);
    scene.model.reply({ ms: 40 });
    scene.run(100);
    const responseMs = scene.events('said')[0]?.responseMs ?? 0;
    expect(responseMs).toBeGreaterThanOrEqual(600);
    expect(responseMs).toBeLessThanOrEqual(840);
  });

  it('tells what was heard, with times', () => {
    scene.run(600, 'speaking');
    scene.run(800);
    scene.model.tell('heard', { utteranceId: 'u1', text: 'hello', final: true });
    const [heard] = scene.events('heard');
    expect(heard).toMatchObject({ utteranceId: 'u1', text: 'hello', final: true });
    expect(heard?.startedMs).toBeLessThan(200);
    expect(heard?.endedMs).toBeGreaterThan(500);
    expect(heard?.endedMs).toBeLessThan(900);
  });

  it('holds a reply back while the caller speaks, but not for ever', () => {
    scene.run(400, 'speaking');
    scene.model.reply({ ms: 200 });
    scene.run(1000, 'speaking');
    expect(scene.toCaller).toHaveLength(0);
    scene.run(1000);
    expect(scene.toCaller).toHaveLength(10);
    scene.run(400, 'speaking');
    scene.model.reply({ ms: 200 });
    scene.run(5000, 'speaking');
    expect(scene.toCaller).toHaveLength(20);
    scene.run(1000);
    expect(scene.model.told.at(-1)).toBe('caller stops');
  });

  it('refuses frames of an odd length', () => {
    const frame = lineFrame({ payload: new Uint8Array(80) });
    scene.voice.take(frame, scene.line);
    expect(scene.model.heardFrames).toBe(0);
  });

  it('translates another law, and mixes a second source in', () => {
    const other: Source = { id: 'other', paced: true, sinks: [] };
    const payload = new Uint8Array(160).fill(G711.pcma.silence);
    const frame = lineFrame({ codec: 'pcma', payload, gapMs: 40 });
    scene.voice.take(frame, scene.line);
    expect([scene.model.heardFrames, scene.model.gapsMs]).toEqual([1, 40]);
    scene.voice.sourceAdded(other);
    scene.voice.take({ ...frame, gapMs: 0 }, other);
    expect(scene.model.heardFrames).toBe(1);
    scene.voice.tick(0, 0);
    expect(scene.model.heardFrames).toBe(2);
    scene.voice.sourceRemoved(other);
    scene.voice.take(frame, scene.line);
    expect(scene.model.heardFrames).toBe(3);
  });
});
