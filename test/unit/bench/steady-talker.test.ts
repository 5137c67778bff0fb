import { once } from 'node:events';
import { afterEach, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { SteadyTalker } from '../../../bench/steady-talker.ts';

interface Event {
  readonly type: string;
  readonly delta?: string;
  readonly item_id?: string;
  readonly transcript?: string;
}

let model: SteadyTalker;
let client: WebSocket;
const events: Event[] = [];

async function open(waits: { sessionMs: number; firstSoundMs: number }): Promise<void> {
  events.length = 0;
  model = await SteadyTalker.start(waits);
  client = new WebSocket(`${model.server.baseUrl}/realtime?model=test`);
  client.on('message', (text: Buffer) => events.push(JSON.parse(text.toString()) as Event));
  await once(client, 'open');
}

/** The first event of a type, come or still to come. */
async function first(type: string): Promise<Event> {
  for (;;) {
    const found = events.find((event) => event.type === type);
    if (found !== undefined) return found;
    await once(client, 'message');
  }
}

/** u-law, or whatever the session's format is, of all deltas so far. */
const soundBytes = (): number =>
  events.reduce((sum, { delta, type }) => {
    return type === 'response.output_audio.delta' ? sum + Buffer.from(delta ?? '', 'base64').length : sum;
  }, 0);

afterEach(async () => {
  client.terminate();
  await model.close();
});

describe('a model that talks when it is told to', () => {
  it('answers what it is asked with a short sound, after the session and its wait', async () => {
    await open({ sessionMs: 5, firstSoundMs: 5 });
    await first('session.created');
    client.send(JSON.stringify({ type: 'response.create' }));
    await first('response.done');
    expect(soundBytes()).toBe(300 * 8);
    const types = events.map((event) => event.type);
    expect(types.indexOf('response.created')).toBeLessThan(types.indexOf('response.output_audio.delta'));
  });

  it('talks unasked, for as long as it should, and tells what item that is', async () => {
    await open({ sessionMs: 0, firstSoundMs: 0 });
    await first('session.created');
    const itemId = model.talk(await model.server.connection(), 1000);
    await first('response.done');
    expect(soundBytes()).toBe(8000);
    expect((await first('response.output_audio.delta')).item_id).toBe(itemId);
  });

  it('hears what it is told, and answers a turn in silence', async () => {
    await open({ sessionMs: 0, firstSoundMs: 0 });
    const connection = await model.server.connection();
    const ears = model.earsOf(connection);
    const utterance = ears.begins();
    ears.ends(utterance);
    ears.writes(utterance, 'hello');
    const heard = await first('conversation.item.input_audio_transcription.completed');
    expect(heard).toMatchObject({ transcript: 'hello', item_id: utterance });
    expect((await first('input_audio_buffer.committed')).item_id).toBe(utterance);
    expect(model.answersOn(connection)).toBe(1);
    client.send(JSON.stringify({ type: 'response.create', response: { metadata: { purpose: 'turn' } } }));
    await connection.nth('response.create');
    expect(model.answersOn(connection)).toBe(2);
    expect(soundBytes()).toBe(0);
  });

  it('answers no turn that it was told to leave alone', async () => {
    await open({ sessionMs: 0, firstSoundMs: 0 });
    const connection = await model.server.connection();
    const turn_detection = { type: 'server_vad', create_response: false };
    const session = { type: 'realtime', audio: { input: { turn_detection } } };
    client.send(JSON.stringify({ type: 'session.update', session }));
    await first('session.updated');
    const ears = model.earsOf(connection);
    const utterance = ears.begins();
    ears.ends(utterance);
    expect(model.answersOn(connection)).toBe(0);
    expect(ears.kept).toEqual([utterance]);
  });
});
