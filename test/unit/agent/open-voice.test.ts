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
    await vi.waitFor(() => expect(model.told).toEqual(['greet']), { interval: 1 });
    model.reply({ ms: 100 });
    expect(log).toEqual([{ type: 'ready' }]);
    expect(asked).toEqual(['offline']);
    voice.close();
    expect(model.told).toEqual(['greet', 'close']);
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

  it('reports a profile whose server is not configured, and that nothing is left to be tried', async () => {
    const voices = createOpenVoice(options());
    const model = { adapter: 'realtime', name: '', voice: '' };
    const log: unknown[] = [];
    voices.openVoice({ callId: 'call-1', profile: { ...profile, model, fallbacks: [] } }, host(log));
    await vi.waitFor(() => expect(log).toHaveLength(2), { interval: 1 });
    expect(log).toMatchObject([
      { type: 'line', step: 'lost', detail: 'no realtime server is configured' },
      { type: 'failed', code: 'MODEL_UNAVAILABLE', retryable: false },
    ]);
    await voices.close();
  });

  it.each(['pipeline', 'live'])('does so for the adapter %s', async (adapter) => {
    const voices = createOpenVoice(options());
    const model = { ...profile.model, adapter };
    const log: unknown[] = [];
    voices.openVoice({ callId: 'call-1', profile: { ...profile, model, fallbacks: [] } }, host(log));
    await vi.waitFor(() => expect(log).toHaveLength(2), { interval: 1 });
    expect(log[0]).toMatchObject({
      step: 'lost',
      detail: expect.stringMatching(/^no .* configured$/) as string,
    });
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
      profile: {
        ...profile,
        fallbacks: [],
        failover: { ...profile.failover, reconnects_max: 0 },
        model: { ...profile.model, adapter: 'realtime' },
      },
    };
    const voice = voices.openVoice(spec, host(log));
    await vi.waitFor(() => expect(log).toHaveLength(2), { timeout: 10_000, interval: 10 });
    expect(log).toMatchObject([
      { type: 'line', step: 'lost', code: 'MODEL_UNAVAILABLE' },
      { type: 'failed', code: 'MODEL_UNAVAILABLE', retryable: false },
    ]);
    voice.close();
    await voices.close();
  });

  it('starts nothing that was not asked for', async () => {
    const voices = createOpenVoice(options());
    await voices.close();
  });
});
