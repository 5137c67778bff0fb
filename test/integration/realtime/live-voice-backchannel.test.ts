/**
 * A voice with the Live adapter, a caller who makes sounds into the agent's words, and a server that goes on
 * speaking meanwhile: what is heard of it, and what the backend answers. The call's time is in ticks.
 */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createLiveModel, type LiveModel } from '../../../src/agent/models/live/index.ts';
import {
  delegation_wait_ms_max,
  farewell_ms_max,
  heard_settle_ms,
  quiet_ms,
} from '../../../src/agent/models/live/limits.ts';
import { agentProfileSchema } from '../../../src/agent/profile.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { cannedSound } from '../../support/realtime-server/canned-sound.ts';
import type { LiveConnection } from '../../support/realtime-server/live/connection.ts';
import { silence, sound, words } from '../../support/realtime-server/live/spoken-events.ts';
import { startRealtimeServer, type RealtimeServer } from '../../support/realtime-server/server.ts';
import { until } from '../../support/until.ts';
import { ScriptedModel } from '../../unit/agent/scripted-model.ts';
import { profile as base, VoiceScene } from '../../unit/agent/voice-scene.ts';

const profile = agentProfileSchema.parse({
  ...base,
  model: { adapter: 'live' },
  turns: { ...base.turns, idle_ms: 60_000 },
});

let server: RealtimeServer;
let clock: ManualClock;
let model: LiveModel;
let scene: VoiceScene;
let far: LiveConnection;

beforeEach(async () => {
  clock = new ManualClock();
  server = await startRealtimeServer({ behave: () => ({}), behaveLive: () => ({}) });
  model = createLiveModel({
    ...{ baseUrl: server.baseUrl, apiKey: '', model: 'm', voice: 'v', connectTimeoutMs: 5000, appendMs: 20 },
    clock,
  });
  scene = new VoiceScene(new ScriptedModel(), { models: { live: model }, spec: { profile } });
  scene.voice.command({ type: 'greet' });
  far = await server.liveConnection();
  expect(await far.nth('session.commentary.append')).toMatchObject({ content: profile.greeting });
});

afterEach(async () => {
  scene.voice.close();
  const closing = model.close();
  // A server that says nothing more does not keep the call.
  clock.advance(farewell_ms_max);
  await closing;
  expect(far.refused).toEqual([]);
  expect(far.sent.filter((event) => 'type' in event && event.type === 'error')).toEqual([]);
  expect(clock.pending).toBe(0);
  await server.close();
});

/** The call's time, on both sides of the voice. */
function pass(ms: number, caller: 'silent' | 'speaking' = 'silent'): void {
  for (let at = 0; at < ms; at += 20) {
    scene.run(20, caller);
    clock.advance(20);
  }
}

/** Everything that the server has said so far was heard: the last of it is nothing that the adapter knows. */
async function arrived(): Promise<void> {
  const { unknownEvents } = model.counts;
  far.raw('{"type":"mark.of.the.test"}');
  await until('the mark has come', () => model.counts.unknownEvents > unknownEvents);
}

const AHEAD_MS = 3000;
const REST_MS = 2000;
/** The silence that ends a reply belongs to it. */
const REPLY_MS = AHEAD_MS + REST_MS + quiet_ms;

/** The agent talks, and is half a second into its reply; the server has said more of it. */
async function agentTalks(): Promise<void> {
  far.send(words('A long story.'));
  far.send(sound(AHEAD_MS));
  await arrived();
  pass(500);
  expect(scene.toCaller).toHaveLength(500 / 20);
}

/** The server says the rest of the reply, whatever the caller does. */
function goesOnTalking(): void {
  far.send(sound(REST_MS));
  far.send(silence(quiet_ms));
}

/** The server makes words of what the caller says; the model wants them answered. */
async function isUnderstood(text: string): Promise<void> {
  if (text !== '')
    far.send({ type: 'session.input_transcript.delta', delta: text, start_ms: 600, end_ms: 1000 });
  far.send({
    ...{ type: 'session.delegation.created', offset_ms: 1000 },
    delegation: { id: 'dlg_1', type: 'delegation', target: 'client' },
  });
  await arrived();
}

/** The backend's answer to the delegation, spoken by the model and heard by the caller. */
async function isAnswered(): Promise<void> {
  pass(delegation_wait_ms_max);
  expect(await far.nth('session.commentary.append', 2)).toMatchObject({ delegation_id: 'dlg_1' });
  const heard = scene.toCaller.length;
  far.send(words('Sorry?'));
  far.send(sound(1000));
  far.send(silence(quiet_ms));
  await arrived();
  pass(2000);
  expect(scene.toCaller).toHaveLength(heard + (1000 + quiet_ms) / 20);
  expect(scene.events('said').at(-1)).toMatchObject({ text: 'Sorry?', interrupted: false });
}

describe('into the agent’s words', () => {
  it.each(['Mhm.', 'Yeah', 'uh-huh, right', ''])('%j loses nothing and is not answered', async (text) => {
    await agentTalks();
    pass(400, 'speaking');
    const paused = scene.toCaller.length;
    expect(paused).toBeLessThan(900 / 20);
    goesOnTalking();
    await isUnderstood(text);
    pass(profile.turns.end_of_speech_ms + 20);
    expect(scene.toCaller).toHaveLength(paused);
    pass(heard_settle_ms);
    expect(scene.events('heard').at(-1)).toMatchObject({ text, final: true });
    pass(REPLY_MS);
    expect(scene.events('said')).toMatchObject([
      { text: 'A long story.', heardMs: REPLY_MS, totalMs: REPLY_MS, interrupted: false },
    ]);
    expect(scene.toCaller).toHaveLength(REPLY_MS / 20);
    // Where it stopped it goes on: a frame fades in, the rest is as the server sent it.
    const restored = Buffer.concat(scene.toCaller.slice(paused + 1).map((frame) => frame.payload));
    const sent = [cannedSound(AHEAD_MS), cannedSound(REST_MS), new Uint8Array(quiet_ms * 8).fill(0xff)];
    expect(restored.equals(Buffer.concat(sent).subarray((paused + 1) * 160))).toBe(true);
    // The backend lets the model know that there is nothing to answer, and has it say nothing.
    expect(await far.nth('session.thinking.append')).toMatchObject({ delegation_id: 'dlg_1' });
    expect(far.all('session.commentary.append')).toHaveLength(1);
    expect(model.counts.mutedReplies).toBe(0);
  });

  it('a short cough is none, and nobody asks what it was', async () => {
    await agentTalks();
    pass(120, 'speaking');
    goesOnTalking();
    await arrived();
    pass(REPLY_MS + 1000);
    expect(scene.events('said')).toMatchObject([
      { heardMs: REPLY_MS, totalMs: REPLY_MS, interrupted: false },
    ]);
    expect(scene.toCaller).toHaveLength(REPLY_MS / 20);
    expect(scene.events('heard')).toEqual([]);
    expect(far.all('session.commentary.append')).toHaveLength(1);
  });

  it('speech cuts at once, what the model still says is not heard, and it is answered', async () => {
    await agentTalks();
    pass(1000, 'speaking');
    const heardMs = scene.toCaller.length * 20;
    expect(scene.events('said')).toMatchObject([{ heardMs, interrupted: true }]);
    goesOnTalking();
    await isUnderstood('I want something else.');
    pass(profile.turns.end_of_speech_ms);
    expect(scene.toCaller).toHaveLength(heardMs / 20);
    expect(model.counts.mutedReplies).toBe(1);
    await isAnswered();
  });

  it('a short "stop" cuts when its words are known, and is then answered', async () => {
    await agentTalks();
    pass(400, 'speaking');
    const heardMs = scene.toCaller.length * 20;
    expect(scene.events('said')).toEqual([]);
    goesOnTalking();
    await isUnderstood('Stop.');
    expect(scene.events('said')).toMatchObject([{ heardMs, interrupted: true }]);
    pass(profile.turns.end_of_speech_ms);
    expect(scene.toCaller).toHaveLength(heardMs / 20);
    await isAnswered();
  });

  it('long speech of which no words are made cuts, and is answered in the end', async () => {
    await agentTalks();
    pass(2000, 'speaking');
    goesOnTalking();
    await isUnderstood('');
    expect(scene.events('said')).toMatchObject([{ interrupted: true }]);
    pass(delegation_wait_ms_max);
    expect(await far.nth('session.commentary.append', 2)).toMatchObject({ delegation_id: 'dlg_1' });
  });
});
