import { setImmediate as turnOfTheLoop } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { agentProfileSchema } from '../../../src/agent/profile.ts';
import { Voice } from '../../../src/agent/voice.ts';
import type { VoiceEvent } from '../../../src/agent/voice-control.ts';
import { TrunklineError } from '../../../src/base/errors.ts';
import type { Frame, Source } from '../../../src/media/frame.ts';
import { encode, G711 } from '../../../src/media/g711.ts';
import { ScriptedModel } from './scripted-model.ts';

const profile = agentProfileSchema.parse({
  name: 'test',
  greeting: 'Hello.',
  not_understood: ['Sorry?'],
  still_there: ['Are you there?', 'Hello?'],
  anything_else: 'Anything else?',
  goodbye: 'Bye.',
  tasks: [{ name: 'book', phrases: ['book'], done: 'Done.' }],
  turns: { end_of_speech_ms: 600, barge_in_ms: 240, idle_ms: 2000 },
});

/** Something that libfvad takes for speech: a buzz of 120 Hz with harmonics, its loudness waving. */
function buzz(frame: number): Uint8Array {
  const samples = new Int16Array(160);
  for (let index = 0; index < 160; index += 1) {
    const t = (frame * 160 + index) / 8000;
    let sum = 0;
    for (let harmonic = 1; harmonic <= 20; harmonic += 1)
      sum += Math.sin(2 * Math.PI * 120 * harmonic * t) / harmonic;
    samples[index] = 6000 * sum * (0.6 + 0.4 * Math.sin(2 * Math.PI * 4 * t));
  }
  const bytes = new Uint8Array(160);
  encode('pcmu', samples, bytes);
  return bytes;
}
const SILENCE = new Uint8Array(160).fill(G711.pcmu.silence);

let model: ScriptedModel;
let voice: Voice;
let log: VoiceEvent[];
let toCaller: { payload: Uint8Array; marker: boolean; rtpTimestamp: number }[];
let ticks: number;
const line: Source = { id: 'line', paced: false, sinks: [] };

beforeEach(async () => {
  model = new ScriptedModel();
  ticks = 0;
  await open();
});
afterEach(() => voice.close());

async function open(): Promise<void> {
  log = [];
  toCaller = [];
  voice = new Voice({
    spec: { callId: 'call-1', profile },
    host: { voiceId: 'voice-1', codec: 'pcmu', report: (event) => log.push(event as VoiceEvent) },
    model,
    now: () => new Date(),
  });
  voice.sinks = [
    {
      id: 'caller',
      take: ({ payload, marker, rtpTimestamp }) =>
        toCaller.push({ payload: payload.slice(), marker, rtpTimestamp }),
    },
  ];
  voice.sourceAdded(line);
  // The session opens asynchronously.
  await turnOfTheLoop();
}

/** Ticks of 20 ms; the caller is silent, buzzes, or sends nothing at all. */
function run(ms: number, caller: 'silent' | 'speaking' | 'nothing' = 'silent'): void {
  for (let end = ticks + ms / 20; ticks < end; ticks += 1) {
    const payload = caller === 'speaking' ? buzz(ticks) : SILENCE;
    const frame: Frame = {
      codec: 'pcmu',
      sampleRateHz: 8000,
      payload,
      rtpTimestamp: ticks * 160,
      marker: false,
      gapMs: 0,
    };
    if (caller !== 'nothing') voice.take(frame, line);
    voice.tick(ticks, 0);
  }
}

const events = <T extends VoiceEvent['type']>(type: T): Extract<VoiceEvent, { type: T }>[] =>
  log.filter((event): event is Extract<VoiceEvent, { type: T }> => event.type === type);

describe('opening', () => {
  it('is ready when its session is, and greets when told', () => {
    expect(log).toEqual([{ type: 'ready' }]);
    voice.command({ type: 'greet' });
    expect(model.told).toEqual(['greet']);
  });

  it('greets late when it was told before the session was there', async () => {
    voice.close();
    model = new ScriptedModel();
    const opening = open();
    voice.command({ type: 'greet' });
    await opening;
    expect(model.told).toEqual(['greet']);
  });

  it.each([
    [new TrunklineError('SPEECH_UNAVAILABLE', 'no library'), 'SPEECH_UNAVAILABLE'],
    [new Error('connection refused'), 'MODEL_UNAVAILABLE'],
  ])('reports a model that cannot be had (%#)', async (failure, code) => {
    voice.close();
    model = new ScriptedModel();
    model.failure = failure;
    await open();
    await turnOfTheLoop();
    expect(log).toMatchObject([{ type: 'failed', code, retryable: false }]);
    run(100);
  });

  it('closes a session that came too late', async () => {
    voice.close();
    model = new ScriptedModel();
    const opening = open();
    voice.close();
    await opening;
    expect(model.told).toEqual(['close']);
    expect(log).toEqual([]);
  });

  it.each([[{ type: 'dance' }], [null], [{ type: 'say', text: '' }], [{ type: 'digit', digit: '12' }]])(
    'refuses the command %j',
    (command) => expect(() => voice.command(command)).toThrow(/VOICE_COMMAND_INVALID/),
  );
});

describe('speaking', () => {
  it('plays a reply frame by frame and tells when it is through', () => {
    model.reply({ ms: 100, itemId: 'a', text: 'Hello.' });
    run(200);
    expect(toCaller).toHaveLength(5);
    expect(toCaller.map((frame) => frame.marker)).toEqual([true, false, false, false, false]);
    expect(toCaller.every((frame, index) => frame.rtpTimestamp === (index + 1) * 160)).toBe(true);
    expect(events('said')).toMatchObject([
      { itemId: 'a', text: 'Hello.', heardMs: 100, totalMs: 100, interrupted: false, responseMs: null },
    ]);
  });

  it('keeps its clock running through silence', () => {
    model.reply({ ms: 20 });
    run(100);
    model.reply({ ms: 20 });
    run(40);
    expect(toCaller.map((frame) => frame.marker)).toEqual([true, true]);
    expect(toCaller.map((frame) => frame.rtpTimestamp)).toEqual([160, 160 * 6]);
  });

  it('says and passes on what it is told', () => {
    voice.command({ type: 'say', text: 'One moment.' });
    voice.command({ type: 'digit', digit: '7' });
    expect(model.told).toEqual(['say One moment.', 'digit 7']);
  });

  it('gives up on a reply that never ends', () => {
    model.reply({ ms: 40, itemId: 'a', done: false });
    run(6000);
    expect(events('said')).toMatchObject([{ itemId: 'a', heardMs: 40 }]);
    model.reply({ ms: 40, itemId: 'b' });
    run(100);
    expect(events('said')).toHaveLength(2);
  });

  it('reports usage and failures', () => {
    model.tell('usage', { usage: { tokens: 7 } });
    model.tell('failed', { code: 'MODEL_UNAVAILABLE', detail: 'x', retryable: true });
    expect(log.slice(1)).toEqual([
      { type: 'usage', usage: { tokens: 7 } },
      { type: 'failed', code: 'MODEL_UNAVAILABLE', detail: 'x', retryable: true },
    ]);
  });
});

describe('listening', () => {
  it('hands every frame to the session, and says when the caller starts and stops', () => {
    run(200);
    run(600, 'speaking');
    run(1000);
    expect(model.told).toEqual(['caller starts', 'caller stops']);
    expect(model.heardFrames).toBe(90);
  });

  it('ends the turn of a phone that falls silent by sending nothing', () => {
    run(600, 'speaking');
    run(1000, 'nothing');
    expect(model.told).toEqual(['caller starts', 'caller stops']);
  });

  it('measures the answer from the last sound of the caller', () => {
    run(600, 'speaking');
    run(800);
    model.reply({ ms: 40 });
    run(100);
    const responseMs = events('said')[0]?.responseMs ?? 0;
    expect(responseMs).toBeGreaterThanOrEqual(600);
    expect(responseMs).toBeLessThanOrEqual(840);
  });

  it('tells what was heard, with times', () => {
    run(600, 'speaking');
    run(800);
    model.tell('heard', { utteranceId: 'u1', text: 'hello', final: true });
    const [heard] = events('heard');
    expect(heard).toMatchObject({ utteranceId: 'u1', text: 'hello', final: true });
    expect(heard?.startedMs).toBeLessThan(200);
    expect(heard?.endedMs).toBeGreaterThan(500);
    expect(heard?.endedMs).toBeLessThan(900);
  });

  it('holds a reply back while the caller speaks, but not for ever', () => {
    run(400, 'speaking');
    model.reply({ ms: 200 });
    run(1000, 'speaking');
    expect(toCaller).toHaveLength(0);
    run(1000);
    expect(toCaller).toHaveLength(10);
    run(400, 'speaking');
    model.reply({ ms: 200 });
    run(5000, 'speaking');
    expect(toCaller).toHaveLength(20);
    run(1000);
    expect(model.told.at(-1)).toBe('caller stops');
  });

  it('refuses frames of an odd length', () => {
    const frame: Frame = {
      codec: 'pcmu',
      sampleRateHz: 8000,
      payload: new Uint8Array(80),
      rtpTimestamp: 0,
      marker: false,
      gapMs: 0,
    };
    voice.take(frame, line);
    expect(model.heardFrames).toBe(0);
  });

  it('translates another law, and mixes a second source in', () => {
    const other: Source = { id: 'other', paced: true, sinks: [] };
    const frame: Frame = {
      codec: 'pcma',
      sampleRateHz: 8000,
      payload: new Uint8Array(160).fill(G711.pcma.silence),
      rtpTimestamp: 0,
      marker: false,
      gapMs: 40,
    };
    voice.take(frame, line);
    expect([model.heardFrames, model.gapsMs]).toEqual([1, 40]);
    voice.sourceAdded(other);
    voice.take({ ...frame, gapMs: 0 }, other);
    expect(model.heardFrames).toBe(1);
    voice.tick(0, 0);
    expect(model.heardFrames).toBe(2);
    voice.sourceRemoved(other);
    voice.take(frame, line);
    expect(model.heardFrames).toBe(3);
  });
});

describe('barge-in', () => {
  it('ducks at the first sound, then flushes and tells the model how much was heard, exactly', () => {
    model.reply({ ms: 5000, itemId: 'a', text: 'A long story.' });
    run(1000);
    const before = toCaller.length;
    run(600, 'speaking');
    const sounding = toCaller.slice(before).map((frame) => frame.payload[80]);
    expect(sounding[0]).toBe(0x10);
    expect(sounding.at(-1)).not.toBe(0x10);
    const heardMs = toCaller.length * 20;
    expect(model.told).toEqual([`interrupt a ${heardMs}`, 'caller starts']);
    expect(heardMs).toBeLessThan(1000 + 240 + 120);
    expect(events('said')).toMatchObject([
      { itemId: 'a', text: 'A long story.', heardMs, totalMs: 5000, interrupted: true },
    ]);
    run(1000);
    expect(toCaller).toHaveLength(heardMs / 20);
  });

  it('drops what still comes of a reply that was cut, but plays the next one', () => {
    model.reply({ ms: 3000, itemId: 'a', done: false });
    run(500);
    run(600, 'speaking');
    const cut = toCaller.length;
    model.tell('audio', { itemId: 'a', bytes: new Uint8Array(1600) });
    model.tell('replyDone', { itemId: 'a', interrupted: true });
    run(1000);
    expect(toCaller).toHaveLength(cut);
    model.reply({ ms: 100, itemId: 'b' });
    run(200);
    expect(toCaller).toHaveLength(cut + 5);
  });

  it('forgets the replies that waited behind the cut one', () => {
    model.reply({ ms: 3000, itemId: 'a' });
    model.reply({ ms: 3000, itemId: 'b' });
    run(500);
    run(600, 'speaking');
    expect(model.told[0]).toMatch(/^interrupt a \d+$/);
    expect(model.told[1]).toBe('interrupt b 0');
    expect(events('said').map((said) => said.itemId)).toEqual(['a']);
  });

  it('restores the voice after a cough', () => {
    model.reply({ ms: 4000, itemId: 'a' });
    run(1000);
    const before = toCaller.length;
    run(100, 'speaking');
    run(1000);
    const sounding = toCaller.slice(before).map((frame) => frame.payload[80]);
    expect(sounding.some((byte) => byte !== 0x10)).toBe(true);
    expect(sounding.at(-1)).toBe(0x10);
    expect(model.told).toEqual([]);
    run(4000);
    expect(events('said')).toMatchObject([{ heardMs: 4000, interrupted: false }]);
  });

  it("believes the model's own ears when they are sooner", () => {
    model.reply({ ms: 4000, itemId: 'a' });
    run(1000);
    model.tell('speechStarted', {});
    expect(model.told).toEqual(['interrupt a 1000']);
    run(1000);
    expect(toCaller).toHaveLength(50);
  });

  it('withdraws a reply that the model takes back', () => {
    model.reply({ ms: 4000, itemId: 'a', done: false });
    run(200);
    model.tell('replyDone', { itemId: 'a', interrupted: true });
    run(200);
    expect(toCaller).toHaveLength(10);
    expect(events('said')).toMatchObject([{ heardMs: 200, interrupted: true }]);
  });
});

describe('silence', () => {
  it('asks twice, then says goodbye and hangs up once that was heard', () => {
    voice.command({ type: 'greet' });
    model.reply({ ms: 100 });
    run(2200);
    expect(model.told.at(-1)).toBe('say Are you there?');
    model.reply({ ms: 100 });
    run(2200);
    expect(model.told.at(-1)).toBe('say Hello?');
    model.reply({ ms: 100 });
    run(2200);
    expect(model.told.at(-1)).toBe('say Bye.');
    run(400);
    expect(events('hang_up')).toEqual([]);
    model.reply({ ms: 400 });
    run(300);
    expect(events('hang_up')).toEqual([]);
    run(300);
    expect(events('hang_up')).toEqual([{ type: 'hang_up', reason: 'idle' }]);
    run(10_000);
    expect(events('hang_up')).toHaveLength(1);
  });

  it('hangs up even when the goodbye never comes', () => {
    voice.command({ type: 'greet' });
    run(20_000);
    expect(events('hang_up')).toHaveLength(1);
  });

  it('starts over when the caller speaks', () => {
    voice.command({ type: 'greet' });
    run(2200);
    run(400, 'speaking');
    run(3000);
    expect(model.told.filter((one) => one.startsWith('say'))).toEqual([
      'say Are you there?',
      'say Are you there?',
    ]);
  });

  it('is no silence before the call began, nor while a tool works', () => {
    run(5000);
    expect(model.told).toEqual([]);
    voice.command({ type: 'greet' });
    model.tell('toolCall', { callId: 't1', name: 'book', arguments: { a: 1 } });
    run(5000);
    expect(model.told).toEqual(['greet']);
    voice.command({ type: 'tool.result', callId: 't1', result: { ok: true } });
    run(3000);
    expect(model.told.slice(1)).toEqual(['result t1 {"ok":true}', 'say Are you there?']);
  });
});

describe('tools', () => {
  it('asks the main thread and passes the result on, once', () => {
    model.tell('toolCall', { callId: 't1', name: 'book', arguments: { a: 1 } });
    expect(events('tool.call')).toEqual([
      { type: 'tool.call', callId: 't1', name: 'book', arguments: { a: 1 } },
    ]);
    voice.command({ type: 'tool.result', callId: 't1', result: 5 });
    voice.command({ type: 'tool.result', callId: 't1', result: 6 });
    voice.command({ type: 'tool.result', callId: 'unknown', result: 7 });
    expect(model.told).toEqual(['result t1 5']);
  });

  it('refuses a model that goes wild', () => {
    for (let index = 0; index < 20; index += 1)
      model.tell('toolCall', { callId: `t${index}`, name: 'book', arguments: {} });
    expect(events('tool.call')).toHaveLength(16);
    expect(model.told).toHaveLength(4);
  });

  it('hangs up after the goodbye has been played out', () => {
    model.reply({ ms: 400, text: 'Goodbye.' });
    model.tell('toolCall', { callId: 'h1', name: 'hang_up', arguments: { reason: 'done' } });
    run(400);
    expect(events('hang_up')).toEqual([]);
    run(40);
    expect(events('hang_up')).toEqual([{ type: 'hang_up', reason: 'done' }]);
    expect(events('tool.call')).toEqual([]);
  });

  it('does not hang up on a caller who speaks into the goodbye', () => {
    model.reply({ ms: 4000, text: 'Goodbye.' });
    model.tell('toolCall', { callId: 'h1', name: 'hang_up', arguments: null });
    run(400);
    run(600, 'speaking');
    run(4000);
    expect(events('hang_up')).toEqual([]);
    expect(model.told[0]).toBe('result h1 {"ok":false,"reason":"the caller spoke"}');
  });
});

describe('closing', () => {
  it('ends the session, and is deaf and dumb afterwards', () => {
    model.reply({ ms: 1000 });
    run(100);
    voice.close();
    voice.close();
    expect(model.told).toEqual(['close']);
    const sent = toCaller.length;
    run(200, 'speaking');
    model.reply({ ms: 1000 });
    voice.command({ type: 'greet' });
    expect(toCaller).toHaveLength(sent);
    expect(model.told).toEqual(['close']);
  });
});
