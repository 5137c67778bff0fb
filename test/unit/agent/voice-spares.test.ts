/** A voice that finds a session which was opened ahead. */
import { afterEach, describe, expect, it } from 'vitest';
import { ConnectError } from '../../../src/agent/models/connect-error.ts';
import type { AgentProfile } from '../../../src/agent/profile.ts';
import type { WarmSession } from '../../../src/agent/voice-model.ts';
import { ScriptedModel } from './scripted-model.ts';
import { profile, VoiceScene } from './voice-scene.ts';

const far: AgentProfile = { ...profile, model: { ...profile.model, adapter: 'realtime', spares: 1 } };

let scene: VoiceScene;
afterEach(() => scene.voice.close());

/** `behind` is what the spare session belongs to; `asked` notes who came for it. */
async function open(behind: ScriptedModel | ConnectError | null): Promise<{ asked: AgentProfile[] }> {
  const asked: AgentProfile[] = [];
  const spare = (wanted: AgentProfile): WarmSession | null => {
    asked.push(wanted);
    if (behind === null) return null;
    const attach: WarmSession['attach'] = (call) =>
      behind instanceof ScriptedModel ? behind.connect(call) : Promise.reject(behind);
    return { usable: true, attach, close: () => undefined };
  };
  scene = new VoiceScene(new ScriptedModel(), { spare, spec: { profile: far } });
  await scene.opened();
  return { asked };
}

const steps = (): string[] => scene.events('line').map((event) => event.step);

describe('a spare session', () => {
  it('is the first of a call, which asks it for the greeting at once', async () => {
    const behind = new ScriptedModel();
    const { asked } = await open(behind);
    expect(asked).toEqual([far]);
    expect(behind.told).toEqual(['greet']);
    expect(behind.calls).toMatchObject([{ callId: 'call-1', codec: 'pcmu', history: [] }]);
    expect(scene.model.calls).toEqual([]);
    behind.reply({ ms: 200 });
    expect(scene.events('ready')).toHaveLength(1);
    expect(steps()).toEqual([]);
  });

  it('that dies is replaced by one that is opened then, whatever else is spare', async () => {
    const behind = new ScriptedModel();
    const { asked } = await open(behind);
    scene.voice.command({ type: 'greet' });
    behind.tell('closed', {});
    scene.run(40);
    await scene.opened();
    expect(steps()).toEqual(['lost', 'reconnecting', 'restored']);
    expect(asked).toHaveLength(1);
    expect(scene.model.told).toEqual(['greet']);
  });

  it('that is dead when the call comes for it costs the call no more than a try', async () => {
    const { asked } = await open(new ConnectError('the session ended before the call had it', true));
    scene.run(40);
    await scene.opened();
    expect(steps()).toEqual(['lost', 'reconnecting', 'restored']);
    expect(asked).toHaveLength(1);
    expect(scene.model.told).toEqual(['greet']);
  });

  it('is not missed: the call opens its own', async () => {
    await open(null);
    expect(scene.model.told).toEqual(['greet']);
    expect(steps()).toEqual([]);
  });

  it('is closed when its call ended before it was attached', async () => {
    const behind = new ScriptedModel();
    behind.mute = true;
    await open(behind);
    scene.voice.close();
    behind.connected();
    await scene.opened();
    expect(behind.told).toEqual(['close']);
  });
});
