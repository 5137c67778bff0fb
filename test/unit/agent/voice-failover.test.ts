/** The model fails: what the caller hears meanwhile, what is tried, and in what order. All in ticks. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ConnectError } from '../../../src/agent/models/connect-error.ts';
import { agentProfileSchema, type AgentProfile } from '../../../src/agent/profile.ts';
import { ScriptedModel } from './scripted-model.ts';
import { PHRASE_BYTE, VoiceScene, profile as base, type SceneOptions } from './voice-scene.ts';

const GONE = { code: 'MODEL_UNAVAILABLE', detail: 'the socket closed', retryable: true };

function profileWith(fallbacks: unknown[]): AgentProfile {
  return agentProfileSchema.parse({ ...base, model: { adapter: 'realtime' }, fallbacks });
}

let scene: VoiceScene;
let model: ScriptedModel;
let offline: ScriptedModel;

async function open(fallbacks: unknown[] = [{ type: 'offline' }], options: SceneOptions = {}): Promise<void> {
  model = new ScriptedModel();
  offline = new ScriptedModel();
  scene = await VoiceScene.open(model, {
    models: { offline },
    ...options,
    spec: { profile: profileWith(fallbacks) },
  });
  scene.model.reply({ ms: 200, itemId: 'hello', text: 'Hello.' });
  scene.run(400);
}

beforeEach(() => open());
afterEach(() => scene.voice.close());

/** The socket is gone. */
function die(): void {
  model.tell('failed', GONE);
  model.tell('closed', {});
}
/** Lets connections come about, then time pass. */
async function pass(ms: number): Promise<void> {
  for (let left = ms; left > 0; left -= 20) {
    scene.run(20);
    await scene.opened();
  }
}
const steps = (): string[] =>
  scene.events('line').map(({ step, to }) => (to === undefined ? step : `${step} ${to}`));
const texts = (): string[] => scene.events('said').map((said) => said.text);

/** The longest run of ticks without a frame to the caller, in ms, since frame number `from`. */
function longestSilenceMs(from = 0): number {
  const times = scene.toCaller.slice(from).map((frame) => frame.rtpTimestamp / 8);
  const now = scene.elapsedMs;
  const gaps = [...times, now].map((time, index, all) => time - (all[index - 1] ?? time));
  return Math.max(0, ...gaps);
}

describe('a socket that dies', () => {
  it('is replaced at once by another with the conversation so far; nobody hears of it', async () => {
    scene.run(600, 'speaking');
    scene.run(800);
    model.tell('heard', { utteranceId: 'u', text: 'Are you open?', final: true });
    model.reply({ ms: 400, itemId: 'a', text: 'Yes, we are.' });
    scene.run(800);
    die();
    await pass(100);
    expect(steps()).toEqual(['lost', 'reconnecting', 'restored realtime']);
    expect(model.calls).toHaveLength(2);
    expect(model.calls[1]?.history).toEqual([
      { from: 'agent', text: 'Hello.' },
      { from: 'caller', text: 'Are you open?' },
      { from: 'agent', text: 'Yes, we are.' },
    ]);
    // Nothing was owed: the agent waits, as before.
    expect(texts()).toEqual(['Hello.', 'Yes, we are.']);
    expect(model.told.at(-1)).toBe('close');
  });

  it('owes its answer: the new session gives it', async () => {
    die();
    await pass(60);
    scene.run(600, 'speaking');
    scene.run(800);
    model.told.length = 0;
    die();
    await pass(600);
    expect(model.told).toEqual(['close', 'resume']);
  });

  it('is still heard as far as its sound has come, and the rest is asked for', async () => {
    model.reply({ ms: 600, itemId: 'a', done: false });
    scene.run(200);
    die();
    await pass(800);
    expect(scene.events('said').find((said) => said.itemId === 'a')).toMatchObject({
      heardMs: 600,
      interrupted: false,
    });
    expect(model.told.at(-1)).toBe('resume');
  });

  it('does not learn of a mere "mhm", and owes nothing for it', async () => {
    model.ignores = true;
    die();
    await pass(60);
    model.reply({ ms: 4000, itemId: 'a', text: 'A long story.' });
    scene.run(1000);
    scene.run(400, 'speaking');
    scene.run(700);
    model.tell('heard', { utteranceId: 'u', text: 'Mhm.', final: true });
    expect(model.told.at(-1)).toBe('ignore u');
    await pass(4000);
    const { length } = scene.events('said');
    await pass(1500);
    // No filler, because nothing is waited for.
    expect(scene.events('said')).toHaveLength(length);
    die();
    await pass(1500);
    expect(model.calls.at(-1)?.history?.map((turn) => turn.text)).toEqual(['Hello.', 'A long story.']);
    expect(model.told.at(-1)).toBe('close');
  });

  it('says something within a second when it takes long, and leaves no two seconds of silence', async () => {
    const before = scene.toCaller.length;
    model.mute = true;
    offline.mute = true;
    die();
    await pass(7000);
    const first = scene.toCaller[before];
    expect(first?.payload[0]).toBe(PHRASE_BYTE);
    expect(texts().slice(1, 4)).toEqual([
      'One moment, please.',
      'I am still here.',
      'I will be with you in a moment.',
    ]);
    expect(longestSilenceMs(before)).toBeLessThanOrEqual(1600);
    expect((first?.rtpTimestamp ?? 0) / 8 - 400).toBeLessThanOrEqual(1000);
  });

  it('says nothing to a caller who speaks, or while the agent is out', async () => {
    model.mute = true;
    die();
    const before = scene.toCaller.length;
    scene.run(3000, 'speaking');
    expect(scene.toCaller).toHaveLength(before);
    scene.voice.command({ type: 'hold' });
    await pass(3000);
    expect(scene.toCaller).toHaveLength(before);
  });

  it('hands the result of a tool to the session that takes over', async () => {
    model.tell('toolCall', { callId: 't1', name: 'book', arguments: { day: 'Monday' } });
    die();
    await pass(60);
    scene.voice.command({ type: 'tool.result', callId: 't1', result: { ok: true } });
    expect(model.told.at(-1)).toBe('notice [The tool book({"day":"Monday"}) gave {"ok":true}]');
    die();
    await pass(600);
    expect(model.calls.at(-1)?.history?.at(-1)).toEqual({
      from: 'note',
      text: '[The tool book({"day":"Monday"}) gave {"ok":true}]',
    });
  });

  it('greets once more when it died before its first word', async () => {
    scene.voice.close();
    model = new ScriptedModel();
    scene = await VoiceScene.open(model, { spec: { profile: profileWith([]) } });
    die();
    await pass(60);
    expect(model.told).toEqual(['close', 'greet']);
  });
});

describe('a model that is silent although an answer is due', () => {
  beforeEach(() => {
    scene.run(600, 'speaking');
    scene.run(600);
  });

  it('is covered by a filler, and replaced after a while', async () => {
    const before = scene.toCaller.length;
    await pass(8000);
    expect(texts()[1]).toBe('One moment, please.');
    expect(steps()).toEqual(['lost', 'reconnecting', 'restored realtime']);
    expect(scene.events('line')[0]?.detail).toMatch(/said nothing for 5000 ms/);
    expect(longestSilenceMs(before)).toBeLessThanOrEqual(2000);
  });

  it('is left alone as long as it tells anything', async () => {
    for (let second = 0; second < 9; second += 1) {
      await pass(1000);
      model.tell('heard', { utteranceId: 'u', text: `word ${second}`, final: false });
    }
    expect(steps()).toEqual([]);
  });

  it('is not said to be one after a mere noise', async () => {
    model.reply({ ms: 100 });
    scene.run(300);
    scene.run(120, 'speaking');
    await pass(8000);
    expect(steps()).toEqual([]);
  });

  it('is one whose reply has begun and does not come, too', async () => {
    model.reply({ ms: 100, itemId: 'a', done: false });
    const before = scene.toCaller.length;
    await pass(9000);
    expect(steps()).toEqual(['lost', 'reconnecting', 'restored realtime']);
    expect(longestSilenceMs(before)).toBeLessThanOrEqual(2000);
  });
});

describe('a model that cannot be had any more', () => {
  it('is tried as often as the profile says, then the offline voice takes over', async () => {
    model.failure = new ConnectError('429', true);
    die();
    await pass(2000);
    expect(steps()).toEqual([
      'lost',
      'reconnecting',
      'lost',
      'reconnecting',
      'lost',
      'falling_back offline',
      'restored offline',
    ]);
    expect(offline.calls).toHaveLength(1);
    expect(offline.calls[0]?.profile.model).toMatchObject({ adapter: 'offline', voice: 'slt' });
  });

  it('is not tried again when it refuses the key', async () => {
    model.failure = new ConnectError('401', false);
    die();
    await pass(200);
    expect(model.calls).toHaveLength(2);
    expect(steps()).toEqual(['lost', 'reconnecting', 'lost', 'falling_back offline', 'restored offline']);
  });

  it('gives up a session that does not open in time, and closes one that comes too late', async () => {
    model.mute = true;
    die();
    await pass(4200);
    expect(steps().slice(0, 4)).toEqual(['lost', 'reconnecting', 'lost', 'falling_back offline']);
  });

  it('fails for good when nothing is left', async () => {
    await open([]);
    model.failure = new ConnectError('500', true);
    die();
    await pass(2000);
    expect(scene.events('failed').at(-1)).toMatchObject({ code: 'MODEL_UNAVAILABLE', retryable: false });
  });

  it('goes through while the phone still rings, without a word', async () => {
    scene.voice.close();
    model = new ScriptedModel();
    model.failure = new ConnectError('503', false);
    scene = new VoiceScene(model, {
      models: { offline },
      spec: { profile: profileWith([{ type: 'offline' }]) },
    });
    await pass(200);
    expect(offline.told).toEqual(['greet']);
    offline.reply({ ms: 100 });
    expect(scene.events('ready')).toHaveLength(1);
    expect(scene.toCaller).toEqual([]);
  });
});

describe('an offline voice', () => {
  it('goes on after a failure that passes', async () => {
    await open([{ type: 'human' }], { models: {} });
    model.tell('failed', { code: 'SPEECH_UNAVAILABLE', detail: 'ears', retryable: true });
    await pass(1000);
    expect(steps()).toEqual([]);
    expect(scene.events('failed')).toMatchObject([{ retryable: true }]);
  });
});

describe('a caller who keys a number in', () => {
  const asks = (name: string): void => model.tell('toolCall', { callId: 't1', name, arguments: {} });

  it('is not told to wait, however long it takes, nor when the model is lost meanwhile', async () => {
    asks('collect_digits');
    await pass(15_000);
    expect(texts()).toEqual(['Hello.']);
    die();
    await pass(3000);
    expect(texts()).toEqual(['Hello.']);
    expect(scene.events('hang_up')).toEqual([]);
  });

  it('is not told to wait after words without an answer, and the model is not given up', async () => {
    asks('collect_digits');
    scene.run(1000, 'speaking');
    await pass(10_000);
    expect(texts()).toEqual(['Hello.']);
    expect(steps()).toEqual([]);
  });

  it('waits for the model once the number is there', async () => {
    asks('collect_digits');
    await pass(5000);
    scene.voice.command({ type: 'tool.result', callId: 't1', result: { ok: true, digits: '42' } });
    await pass(2000);
    expect(texts()).toEqual(['Hello.', 'One moment, please.']);
  });

  it('is told to wait for any other tool, but not while speaking', async () => {
    asks('book');
    scene.run(1200);
    scene.run(1000, 'speaking');
    expect(texts()).toEqual(['Hello.']);
    await pass(3000);
    expect(texts()).toEqual(['Hello.', 'Let me have a look.']);
  });
});

describe('a session that will expire', () => {
  it('is replaced when nobody speaks and nothing is due', async () => {
    model.reply({ ms: 400 });
    scene.run(100);
    model.tell('expiring', { leftMs: 60_000 });
    expect(steps()).toEqual([]);
    await pass(600);
    expect(steps()).toEqual(['reconnecting', 'restored realtime']);
    expect(texts()).toEqual(['Hello.', 'Some words.']);
  });
});

describe('words that nobody heard to their end', () => {
  it('are asked for again: the session was lost while the caller spoke', async () => {
    scene.run(400, 'speaking');
    die();
    await pass(60);
    expect(model.told.at(-1)).toBe('caller starts');
    scene.run(800);
    expect(model.told.slice(-2)).toEqual([
      'caller stops',
      'say Sorry, I had trouble hearing you. Could you say that again?',
    ]);
  });

  it('are not, when the caller began after the new session was there', async () => {
    die();
    await pass(60);
    scene.run(600, 'speaking');
    scene.run(800);
    expect(model.told.at(-1)).toBe('caller stops');
  });
});

describe('what a turn took', () => {
  it('is told with the reply: to its first word, its first sound, and the wire', async () => {
    scene.run(600, 'speaking');
    scene.run(800);
    model.tell('replyStarted', { itemId: 'a' });
    await pass(200);
    model.tell('audio', { itemId: 'a', bytes: new Uint8Array(1600) });
    await pass(100);
    model.tell('replyDone', { itemId: 'a', interrupted: false });
    await pass(400);
    const [said] = scene.events('said').filter((one) => one.itemId === 'a');
    const { textMs, audioMs, responseMs } = said ?? {};
    expect((audioMs ?? 0) - (textMs ?? 0)).toBe(200);
    expect((responseMs ?? 0) - (audioMs ?? 0)).toBeLessThanOrEqual(20);
    expect(textMs).toBeGreaterThanOrEqual(600);
    expect(said).not.toHaveProperty('duckMs');
  });

  it('is told with the interrupted one: to the softer voice, and to silence', async () => {
    model.reply({ ms: 4000, itemId: 'a' });
    await pass(1000);
    scene.run(1000, 'speaking');
    const [said] = scene.events('said').filter((one) => one.itemId === 'a');
    expect(said?.duckMs).toBeGreaterThan(0);
    expect(said?.duckMs).toBeLessThanOrEqual(60);
    expect(said?.silenceMs).toBeGreaterThan(said?.duckMs ?? Infinity);
    expect(said?.silenceMs).toBeLessThanOrEqual(120);
  });

  it('is nothing for a filler, which is no answer', async () => {
    scene.run(600, 'speaking');
    await pass(2600);
    const filler = scene.events('said').at(-1);
    expect(filler).toMatchObject({
      text: 'One moment, please.',
      responseMs: null,
      textMs: null,
      audioMs: null,
    });
    model.reply({ ms: 100, itemId: 'late' });
    await pass(300);
    expect(scene.events('said').at(-1)?.responseMs).toBeGreaterThan(2000);
  });
});
