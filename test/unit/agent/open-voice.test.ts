import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { createOpenVoice } from '../../../src/agent/open-voice.ts';
import type { VoiceHost } from '../../../src/media/voice-port.ts';
import { ScriptedModel } from './scripted-model.ts';
import { profile } from './voice-scene.ts';

let folder: string;
beforeAll(() => (folder = mkdtempSync(join(tmpdir(), 'trunkline-open-'))));
afterAll(() => rmSync(folder, { recursive: true }));

const options = (): { offline: { cacheFolder: string } } => ({ offline: { cacheFolder: join(folder, 'c') } });
const host = (log: unknown[] = []): VoiceHost => ({
  voiceId: 'voice-1',
  codec: 'pcma',
  report: (event) => log.push(event),
});

describe('createOpenVoice', () => {
  it.each([
    [undefined],
    [null],
    [{}],
    [{ offline: {} }],
    [{ offline: { cacheFolder: '' } }],
    [{ offline: { cacheFolder: 'x' }, typo: 1 }],
    [{ offline: { cacheFolder: 'x' }, realtime: { baseUrl: 'http://127.0.0.1' } }],
    [{ offline: { cacheFolder: 'x', warm: [{ name: 'no profile' }] } }],
  ])('refuses the options %j', (given) => expect(() => createOpenVoice(given)).toThrow());

  it('opens a voice with the model of the profile', async () => {
    const asked: string[] = [];
    const model = new ScriptedModel();
    const models = {
      get: (adapter: string) => {
        asked.push(adapter);
        return model;
      },
    };
    const log: unknown[] = [];
    const voices = createOpenVoice(options(), { models });
    const voice = voices.openVoice({ callId: 'call-1', profile }, host(log));
    expect(voice).toMatchObject({ id: 'voice-1', paced: true });
    await vi.waitFor(() => expect(log).toEqual([{ type: 'ready' }]), { interval: 1 });
    expect(asked).toEqual(['offline']);
    voice.close();
    expect(model.told).toEqual(['close']);
    await voices.close();
  });

  it.each([
    [null],
    [{ callId: 'x' }],
    [{ callId: '', profile: {} }],
    [{ callId: 'x', profile: { name: 'x' } }],
  ])('refuses the spec %j', async (spec) => {
    const voices = createOpenVoice(options(), { models: { get: () => new ScriptedModel() } });
    expect(() => voices.openVoice(spec, host())).toThrow();
    await voices.close();
  });

  it('refuses a realtime profile when no server is configured', async () => {
    const voices = createOpenVoice(options());
    const realtime = { ...profile, model: { adapter: 'realtime', name: '', voice: '' } };
    expect(() => voices.openVoice({ callId: 'call-1', profile: realtime }, host())).toThrow(
      /MODEL_UNAVAILABLE.*no realtime server/,
    );
    await voices.close();
  });

  it('refuses a pipeline profile when no servers are configured', async () => {
    const voices = createOpenVoice(options());
    const pipeline = { ...profile, model: { adapter: 'pipeline', name: '', voice: '' } };
    expect(() => voices.openVoice({ callId: 'call-1', profile: pipeline }, host())).toThrow(
      /MODEL_UNAVAILABLE.*no pipeline of servers/,
    );
    await voices.close();
  });

  it('reports a realtime server that cannot be reached', async () => {
    const realtime = {
      baseUrl: 'http://127.0.0.1:1/v1',
      apiKey: '',
      model: 'test',
      voice: 'test',
      connectTimeoutMs: 1000,
      appendMs: 20,
      tools: {},
    };
    const voices = createOpenVoice({ ...options(), realtime });
    const log: unknown[] = [];
    const spec = {
      callId: 'call-1',
      profile: { ...profile, model: { ...profile.model, adapter: 'realtime' } },
    };
    const voice = voices.openVoice(spec, host(log));
    await vi.waitFor(() => expect(log).toHaveLength(1), { timeout: 10_000, interval: 10 });
    expect(log).toMatchObject([{ type: 'failed', code: 'MODEL_UNAVAILABLE' }]);
    voice.close();
    await voices.close();
  });

  it('starts nothing that was not asked for', async () => {
    const voices = createOpenVoice(options());
    await voices.close();
  });
});
