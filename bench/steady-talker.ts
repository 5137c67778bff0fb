/**
 * A model that talks when the bench wants it to, in a steady tone, so that whatever else the caller hears
 * is the gateway's doing. It takes for granted what the vendor's ears would find: the bench tells it.
 */
import { cannedSound } from '../test/support/realtime-server/canned-sound.ts';
import type { Connection } from '../test/support/realtime-server/connection.ts';
import { Responder } from '../test/support/realtime-server/responder.ts';
import {
  startRealtimeServer,
  type Behaviour,
  type RealtimeServer,
} from '../test/support/realtime-server/server.ts';
import { ToldEars } from '../test/support/realtime-server/told-ears.ts';

/** 200 ms of u-law at a time, faster than it is heard, as the vendor sends. */
const delta_bytes = 1600;

export interface SteadyTalkerOptions {
  /** From the socket to `session.created`, and from `response.create` to the first sound, in ms. */
  readonly sessionMs: number;
  readonly firstSoundMs: number;
}

interface Mind {
  readonly responder: Responder;
  readonly ears: ToldEars;
  /** Turns that were answered, by itself or because it was asked. */
  answers: number;
}

export class SteadyTalker {
  readonly server: RealtimeServer;
  readonly #minds: ReadonlyMap<Connection, Mind>;

  private constructor(server: RealtimeServer, minds: ReadonlyMap<Connection, Mind>) {
    this.server = server;
    this.#minds = minds;
  }

  /** Says 300 ms of sound when it is asked to (the greeting); turns are answered in silence, and counted. */
  static async start({ sessionMs, firstSoundMs }: SteadyTalkerOptions): Promise<SteadyTalker> {
    const minds = new Map<Connection, Mind>();
    const behave = (connection: Connection): Behaviour => {
      const responder = new Responder(connection);
      const answer = (): void => {
        mind.answers += 1;
        responder.finish();
      };
      const ears = new ToldEars({ connection, responder, answered: answer });
      const mind: Mind = { responder, ears, answers: 0 };
      minds.set(connection, mind);
      return {
        opened: () =>
          later(sessionMs, () => connection.send({ type: 'session.created', session: connection.session })),
        event: (event) => {
          if (responder.take(event) === undefined) return;
          if (event.type === 'response.create' && event.response?.metadata?.['purpose'] === 'turn') answer();
          else later(firstSoundMs, () => sayAll(responder, 300));
        },
      };
    };
    return new SteadyTalker(await startRealtimeServer({ behave }), minds);
  }

  /** The answer to a turn: a reply of so many ms, all of it sent at once. The id of its item. */
  talk(connection: Connection, ms: number): string {
    const { responder } = this.#mindOf(connection);
    const { itemId } = responder.begin();
    sayAll(responder, ms);
    return itemId;
  }

  earsOf(connection: Connection): ToldEars {
    return this.#mindOf(connection).ears;
  }

  /** Turns of the caller that it answered so far. */
  answersOn(connection: Connection): number {
    return this.#mindOf(connection).answers;
  }

  #mindOf(connection: Connection): Mind {
    const mind = this.#minds.get(connection);
    if (mind === undefined) throw new Error('this connection is not known');
    return mind;
  }

  close(): Promise<void> {
    return this.server.close();
  }
}

function sayAll(responder: Responder, ms: number): void {
  const sound = cannedSound(ms);
  responder.active?.words('Steady.');
  for (let at = 0; at < sound.length; at += delta_bytes)
    responder.active?.audio(sound.subarray(at, at + delta_bytes));
  responder.finish();
}

function later(ms: number, task: () => void): void {
  if (ms === 0) task();
  else setTimeout(task, ms);
}
