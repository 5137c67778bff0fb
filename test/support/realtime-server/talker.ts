/**
 * Answers every `response.create`, and every commit, with the same sound, faster than real time as the
 * vendor does.
 */
import type { Connection } from './connection.ts';
import { Responder } from './responder.ts';
import type { Behaviour } from './server.ts';

export interface TalkerOptions {
  /** In the session's output format. */
  readonly sound: Uint8Array;
  readonly words: string;
  /** Sound per delta, in bytes; the vendor sends some hundred ms at a time. */
  readonly deltaBytes?: number;
}

export function talker(options: TalkerOptions): (connection: Connection) => Behaviour {
  const deltaBytes = options.deltaBytes ?? 3200;
  return (connection) => {
    const responder = new Responder(connection);
    return {
      event(event) {
        const reply = responder.take(event);
        if (reply === undefined) return;
        reply.words(options.words);
        for (let at = 0; at < options.sound.length; at += deltaBytes)
          reply.audio(options.sound.subarray(at, at + deltaBytes));
        responder.finish();
      },
    };
  };
}
