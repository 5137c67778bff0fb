/**
 * A model that talks when the bench wants it to, in a steady tone, so that whatever else the caller hears
 * is the gateway's doing. It takes for granted what the vendor's ears would find: the bench tells it.
 */
import { newId } from '../src/base/ids.ts';
import { cannedSound } from '../test/support/realtime-server/canned-sound.ts';
import type { Connection } from '../test/support/realtime-server/connection.ts';
import { Responder } from '../test/support/realtime-server/responder.ts';
import {
  startRealtimeServer,
  type Behaviour,
  type RealtimeServer,
} from '../test/support/realtime-server/server.ts';

/** 200 ms of u-law at a time, faster than it is heard, as the vendor sends. */
const delta_bytes = 1600;

export interface SteadyTalkerOptions {
  /** From the socket to `session.created`, and from `response.create` to the first sound, in ms. */
  readonly sessionMs: number;
  readonly firstSoundMs: number;
}

export class SteadyTalker {
  readonly server: RealtimeServer;
  readonly #minds: ReadonlyMap<Connection, Responder>;

  private constructor(server: RealtimeServer, minds: ReadonlyMap<Connection, Responder>) {
    this.server = server;
    this.#minds = minds;
  }

  /** Answers what it is asked (the greeting) with 300 ms of sound. */
  static async start({ sessionMs, firstSoundMs }: SteadyTalkerOptions): Promise<SteadyTalker> {
    const minds = new Map<Connection, Responder>();
    const behave = (connection: Connection): Behaviour => {
      const mind = new Responder(connection);
      minds.set(connection, mind);
      return {
        opened: () =>
          later(sessionMs, () => connection.send({ type: 'session.created', session: connection.session })),
        event: (event) => {
          if (mind.take(event) === undefined) return;
          later(firstSoundMs, () => sayAll(mind, 300));
        },
      };
    };
    return new SteadyTalker(await startRealtimeServer({ behave }), minds);
  }

  /** The answer to a turn: a reply of so many ms, all of it sent at once. The id of its item. */
  talk(connection: Connection, ms: number): string {
    const mind = this.#minds.get(connection);
    if (mind === undefined) throw new Error('this connection is not known');
    const { itemId } = mind.begin();
    sayAll(mind, ms);
    return itemId;
  }

  /** An utterance of the caller's is over, and these are its words. */
  hear(connection: Connection, words: string): void {
    const id = newId('item');
    connection.send({ type: 'input_audio_buffer.committed', item_id: id, previous_item_id: null });
    connection.send({
      type: 'conversation.item.input_audio_transcription.completed',
      item_id: id,
      content_index: 0,
      transcript: words,
      usage: { type: 'duration', seconds: 1 },
    });
  }

  close(): Promise<void> {
    return this.server.close();
  }
}

function sayAll(mind: Responder, ms: number): void {
  const sound = cannedSound(ms);
  mind.active?.words('Steady.');
  for (let at = 0; at < sound.length; at += delta_bytes)
    mind.active?.audio(sound.subarray(at, at + delta_bytes));
  mind.finish();
}

function later(ms: number, task: () => void): void {
  if (ms === 0) task();
  else setTimeout(task, ms);
}
