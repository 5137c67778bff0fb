/**
 * A voice with the Realtime adapter, a caller who makes sounds into the agent's words, and a server that
 * takes them for turns: what goes on, what is answered, and what the conversation keeps. The call's time is
 * in ticks.
 */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createRealtimeModel, type RealtimeModel } from '../../../src/agent/models/realtime/index.ts';
import { realtimeSettingsSchema } from '../../../src/agent/models/realtime/settings.ts';
import { agentProfileSchema } from '../../../src/agent/profile.ts';
import { cannedSound } from '../../support/realtime-server/canned-sound.ts';
import type { Connection } from '../../support/realtime-server/connection.ts';
import { Responder } from '../../support/realtime-server/responder.ts';
import { startRealtimeServer, type RealtimeServer } from '../../support/realtime-server/server.ts';
import type { SpokenReply } from '../../support/realtime-server/spoken-reply.ts';
import { ToldEars } from '../../support/realtime-server/told-ears.ts';
import { until } from '../../support/until.ts';
import { ScriptedModel } from '../../unit/agent/scripted-model.ts';
import { profile as base, VoiceScene } from '../../unit/agent/voice-scene.ts';

const profile = agentProfileSchema.parse({
  ...base,
  model: { adapter: 'realtime' },
  turns: { ...base.turns, idle_ms: 60_000 },
});

let server: RealtimeServer;
let responder: Responder;
let model: RealtimeModel;
let scene: VoiceScene;
let far: Connection;
let ears: ToldEars;
/** Responses that the server began by itself, and those that it was asked for. */
let own: SpokenReply[];
let asked: SpokenReply[];

async function open(settings: object = {}): Promise<void> {
  own = [];
  asked = [];
  server = await startRealtimeServer({
    behave: (connection) => {
      responder = new Responder(connection);
      return {
        event(event) {
          const reply = responder.take(event);
          if (reply !== undefined) asked.push(reply);
        },
      };
    },
  });
  model = createRealtimeModel({
    ...{ baseUrl: server.baseUrl, apiKey: '', model: 'm', voice: 'v', connectTimeoutMs: 5000, appendMs: 20 },
    settings: realtimeSettingsSchema.parse(settings),
  });
  scene = new VoiceScene(new ScriptedModel(), { models: { realtime: model }, spec: { profile } });
  scene.voice.command({ type: 'greet' });
  far = await server.connection();
  ears = new ToldEars({ connection: far, responder, answered: (reply) => own.push(reply) });
  await until('the greeting is asked for', () => asked.length === 1);
  responder.finish();
}

beforeEach(() => open());
afterEach(async () => {
  scene.voice.close();
  await model.close();
  expect(far.refused).toEqual([]);
  expect(far.sent.filter((event) => 'type' in event && event.type === 'error')).toEqual([]);
  await server.close();
});

const REPLY_MS = 5000;

/** The agent talks, and the server knows that it is heard. Half a second of it is over. */
async function agentTalks(): Promise<string> {
  const reply = responder.begin();
  const { itemId } = reply;
  reply.words('A long story.');
  reply.audio(cannedSound(REPLY_MS));
  responder.finish();
  await until('the agent is heard', () => {
    scene.run(20);
    return scene.toCaller.length > 0;
  });
  scene.run(500 - scene.toCaller.length * 20);
  await until('the server knows', () => serverAnswers() === false);
  return itemId;
}

const serverAnswers = (): boolean | undefined => far.session.audio?.input?.turn_detection?.create_response;

/** Something like speech begins, and the adapter knows. */
async function begins(): Promise<string> {
  const utterance = ears.begins();
  await arrived();
  return utterance;
}

/** Everything that the server has said so far was heard: the last of it is nothing that the adapter knows. */
async function arrived(): Promise<void> {
  const { unknownEvents } = model.counts;
  far.raw('{"type":"mark.of.the.test"}');
  await until('the mark has come', () => model.counts.unknownEvents > unknownEvents);
}

/** The whole reply is heard, to the millisecond, and then the server answers turns again. */
async function goesOnToItsEnd(itemId: string): Promise<void> {
  scene.run(REPLY_MS + 1000);
  expect(scene.events('said')).toMatchObject([
    { itemId, heardMs: REPLY_MS, totalMs: REPLY_MS, interrupted: false },
  ]);
  expect(scene.toCaller).toHaveLength(REPLY_MS / 20);
  await until('the server answers turns again', () => serverAnswers() === true);
  expect(own).toEqual([]);
  expect(asked).toHaveLength(1);
  expect(far.all('conversation.item.truncate')).toEqual([]);
  expect(ears.kept).toEqual([]);
}

describe('into the agent’s words', () => {
  it.each(['Mhm.', 'Yeah', 'uh-huh, right', ''])('%j loses nothing and is not answered', async (words) => {
    const itemId = await agentTalks();
    const utterance = await begins();
    scene.run(400, 'speaking');
    scene.run(700);
    const paused = scene.toCaller.length;
    ears.ends(utterance);
    ears.begunToWrite(utterance, words.slice(0, 2));
    ears.writes(utterance, words);
    await far.nth('conversation.item.delete');
    expect(scene.toCaller).toHaveLength(paused);
    await goesOnToItsEnd(itemId);
    expect(scene.events('heard').at(-1)).toMatchObject({ text: words, final: true });
  });

  it('a long cough, of which no words are made, is none', async () => {
    const itemId = await agentTalks();
    const utterance = await begins();
    scene.run(400, 'speaking');
    scene.run(700);
    ears.ends(utterance);
    ears.failsToWrite(utterance);
    await far.nth('conversation.item.delete');
    await goesOnToItsEnd(itemId);
  });

  it('a short cough is none, whatever words are made of it', async () => {
    const itemId = await agentTalks();
    const utterance = await begins();
    scene.run(120, 'speaking');
    scene.run(700);
    ears.ends(utterance);
    await far.nth('conversation.item.delete');
    ears.writes(utterance, 'Thank you.');
    await goesOnToItsEnd(itemId);
    expect(scene.events('heard')).toEqual([]);
  });

  it('speech flushes and truncates at once, and the server answers it without being asked', async () => {
    const itemId = await agentTalks();
    const utterance = await begins();
    scene.run(1000, 'speaking');
    const { audio_end_ms } = await far.nth('conversation.item.truncate');
    expect(audio_end_ms).toBe(scene.toCaller.length * 20);
    expect(scene.events('said')).toMatchObject([{ itemId, heardMs: audio_end_ms, interrupted: true }]);
    await until('the server answers turns again', () => serverAnswers() === true);
    scene.run(700);
    ears.ends(utterance);
    expect(own).toHaveLength(1);
    ears.writes(utterance, 'I want something else.');
    own[0]?.audio(cannedSound(1000));
    responder.finish();
    await until('the answer is heard', () => {
      scene.run(20);
      return scene.events('said').length === 2;
    });
    expect(asked).toHaveLength(1);
    expect(ears.kept).toEqual([utterance]);
  });

  it('a short "stop" is cut when its words are known, and then answered', async () => {
    await agentTalks();
    const utterance = await begins();
    scene.run(400, 'speaking');
    scene.run(700);
    ears.ends(utterance);
    expect(far.all('conversation.item.truncate')).toEqual([]);
    ears.writes(utterance, 'Stop.');
    const { audio_end_ms } = await far.nth('conversation.item.truncate');
    expect(audio_end_ms).toBe(scene.toCaller.length * 20);
    await until('an answer is asked for', () => asked.length === 2);
    expect(own).toEqual([]);
    expect(ears.kept).toEqual([utterance]);
  });

  it('"stop" is cut as soon as its first words are known', async () => {
    await agentTalks();
    const utterance = await begins();
    scene.run(400, 'speaking');
    ears.begunToWrite(utterance, 'Stop');
    await far.nth('conversation.item.truncate');
    scene.run(20);
    await until('the server answers turns again', () => serverAnswers() === true);
    ears.ends(utterance);
    expect(own).toHaveLength(1);
  });

  it('an utterance whose words never come is answered in the end', async () => {
    await agentTalks();
    const utterance = await begins();
    scene.run(400, 'speaking');
    scene.run(700);
    ears.ends(utterance);
    ears.failsToWrite(utterance, 'server_overloaded');
    scene.run(1000);
    await far.nth('conversation.item.truncate');
    await until('an answer is asked for', () => asked.length === 2);
  });

  it('words of before that are written late decide nothing', async () => {
    const before = await begins();
    scene.run(400, 'speaking');
    scene.run(700);
    ears.ends(before);
    const itemId = own[0]?.itemId ?? '';
    own[0]?.audio(cannedSound(REPLY_MS));
    responder.finish();
    await until('the agent is heard', () => {
      scene.run(20);
      return scene.toCaller.length > 0;
    });
    scene.run(20);
    await until('the server knows', () => serverAnswers() === false);
    const utterance = await begins();
    scene.run(400, 'speaking');
    scene.run(700);
    ears.ends(utterance);
    ears.writes(before, 'When are you open?');
    ears.writes(utterance, 'mhm');
    await far.nth('conversation.item.delete');
    scene.run(REPLY_MS);
    expect(scene.events('said')).toMatchObject([{ itemId, heardMs: REPLY_MS, interrupted: false }]);
    expect(ears.kept).toEqual([before]);
  });
});

describe('without a transcription', () => {
  it('all speech interrupts, and a cough does not', async () => {
    await server.close();
    scene.voice.close();
    await model.close();
    await open({ transcription_model: '' });
    await agentTalks();
    const cough = await begins();
    scene.run(120, 'speaking');
    scene.run(700);
    ears.ends(cough);
    await far.nth('conversation.item.delete');
    const utterance = await begins();
    scene.run(400, 'speaking');
    await far.nth('conversation.item.truncate');
    await until('the server answers turns again', () => serverAnswers() === true);
    ears.ends(utterance);
    expect(own).toHaveLength(1);
    expect(ears.kept).toEqual([utterance]);
  });
});
