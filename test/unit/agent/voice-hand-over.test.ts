/** No model is left: the caller goes to a human, a number, or leaves a message. */
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ConnectError } from '../../../src/agent/models/connect-error.ts';
import { agentProfileSchema } from '../../../src/agent/profile.ts';
import { loadSound } from '../../../src/media/sound-file.ts';
import { until } from '../../support/until.ts';
import { ScriptedModel } from './scripted-model.ts';
import { VoiceScene, profile as base } from './voice-scene.ts';

let folder: string;
let scene: VoiceScene;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'trunkline-messages-'));
});
afterEach(() => {
  scene.voice.close();
  rmSync(folder, { recursive: true, maxRetries: 10 });
});

/** A call whose model refuses the key. */
async function lose(fallbacks: unknown[], where: string | null = folder): Promise<void> {
  const model = new ScriptedModel();
  model.failure = new ConnectError('401', false);
  const profile = agentProfileSchema.parse({ ...base, model: { adapter: 'realtime' }, fallbacks });
  scene = await VoiceScene.open(model, { spec: { profile }, folder: where });
}
const texts = (): string[] => scene.events('said').map((said) => said.text);
const said = (ms: number): void => scene.run(ms);

describe('a human', () => {
  it('is asked once the caller has been told', async () => {
    await lose([{ type: 'human', say: 'I will connect you.' }]);
    expect(scene.events('ready')).toHaveLength(1);
    expect(scene.events('hand_over')).toEqual([]);
    said(700);
    expect(texts()).toEqual(['I will connect you.']);
    expect(scene.events('hand_over')).toMatchObject([{ to: { type: 'human' } }]);
  });

  it('gives the call back, and the agent says goodbye', async () => {
    await lose([{ type: 'human' }]);
    said(700);
    scene.voice.command({ type: 'hold' });
    said(10_000);
    scene.voice.command({ type: 'handed_over', taken: true, detail: 'handed-back' });
    said(1000);
    expect(texts().at(-1)).toBe('Bye.');
    expect(scene.events('hang_up')).toEqual([{ type: 'hang_up', reason: 'handed-over' }]);
  });

  it('does not answer: the next fallback has its turn', async () => {
    await lose([{ type: 'human' }, { type: 'number', number: '+15550199', say: 'I will call them.' }]);
    said(700);
    scene.voice.command({ type: 'handed_over', taken: false, detail: 'unanswered' });
    scene.voice.command({ type: 'handed_over', taken: false, detail: 'said twice' });
    said(700);
    expect(texts().at(-1)).toBe('I will call them.');
    expect(scene.events('hand_over').map((one) => one.to.type)).toEqual(['human', 'number']);
    scene.voice.command({ type: 'handed_over', taken: false, detail: 'failed 486' });
    expect(scene.events('failed').at(-1)).toMatchObject({ retryable: false, detail: 'failed 486' });
  });

  it('is waited for, but not in silence', async () => {
    await lose([{ type: 'number', number: '+15550199' }]);
    said(8000);
    expect(texts().filter((text) => text === 'I am still here.').length).toBeGreaterThan(0);
  });
});

describe('a message', () => {
  const voicemail = {
    type: 'voicemail',
    say: 'Please leave a message.',
    thanks: 'Thank you.',
    silence_ms: 1000,
  };
  const bytesOf = (name: string): Promise<Uint8Array> => loadSound(join(folder, name), 'pcmu');
  /** The file has its head: from now on sound goes straight into it. */
  const opened = async (): Promise<void> => {
    const heads = (): number[] => readdirSync(folder).map((name) => statSync(join(folder, name)).size);
    await until('the file is open', () => heads()[0] === 58);
    await scene.opened();
  };

  it('is recorded after the tone, until the caller is silent, and the call ends', async () => {
    await lose([voicemail]);
    said(1100);
    expect(texts()).toEqual(['Please leave a message.']);
    await opened();
    scene.run(2000, 'speaking');
    scene.run(1500);
    scene.run(1000);
    expect(texts().at(-1)).toBe('Thank you.');
    expect(scene.events('hang_up')).toEqual([{ type: 'hang_up', reason: 'voicemail' }]);
    const [message] = scene.events('voicemail');
    expect(message?.path).toBe(join(folder, 'call-1.wav'));
    expect(message?.recordedMs).toBeGreaterThanOrEqual(2900);
    let bytes = new Uint8Array();
    await until('the file is whole', () => {
      bytesOf('call-1.wav').then(
        (read) => (bytes = new Uint8Array(read)),
        () => undefined,
      );
      return bytes.length === (message?.recordedMs ?? 0) * 8;
    });
    // Sound, then silence.
    expect(new Set(bytes.subarray(4000, 4800)).size).toBeGreaterThan(20);
    expect(new Set(bytes.subarray(bytes.length - 800)).size).toBe(1);
  });

  it('is kept when the caller hangs up in the middle', async () => {
    await lose([voicemail]);
    said(1100);
    await opened();
    scene.run(600, 'speaking');
    scene.voice.close();
    const [message] = scene.events('voicemail');
    expect(message?.recordedMs).toBeGreaterThanOrEqual(600);
    await until('the file is whole', () => {
      const file = readFileSync(join(folder, 'call-1.wav'));
      return file.readUInt32LE(54) === (message?.recordedMs ?? 0) * 8;
    });
  });

  it('has a longest length', async () => {
    await lose([{ ...voicemail, message_ms_max: 5000 }]);
    said(1100);
    await opened();
    scene.run(6000, 'speaking');
    expect(scene.events('voicemail')[0]?.recordedMs).toBe(5000);
  });

  it('that cannot be written is told, and the next fallback has its turn', async () => {
    await lose([voicemail, { type: 'human', say: 'A colleague, then.' }], '/nowhere/at/all');
    said(1100);
    await until('it failed', () => scene.events('failed').length > 0);
    expect(scene.events('failed')[0]).toMatchObject({ code: 'RECORDING_FAILED', retryable: true });
    said(1000);
    expect(texts().at(-1)).toBe('A colleague, then.');
  });

  it('cannot be left where there is no folder for it', async () => {
    await lose([voicemail, { type: 'human', say: 'A colleague, then.' }], null);
    said(1000);
    expect(texts()).toEqual(['A colleague, then.']);
  });
});
