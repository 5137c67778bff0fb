/**
 * Answers every `response.create`, and every commit, with the same sound, faster than real time as the
 * vendor does.
 */
import type { Connection } from './connection.ts';
import { Responder } from './responder.ts';
import type { SpokenReply } from './spoken-reply.ts';
import type { Behaviour } from './server.ts';

export interface TalkerOptions {
  /** In the session's output format. */
  readonly sound: Uint8Array;
  readonly words: string;
  /** Sound per delta, in bytes; the vendor sends some hundred ms at a time. */
  readonly deltaBytes?: number;
  /** From the socket to `session.created`, and from `response.create` to the words, in ms. */
  readonly sessionMs?: number;
  readonly firstSoundMs?: number;
}

export function talker(options: TalkerOptions): (connection: Connection) => Behaviour {
  const { words, sound, deltaBytes = 3200, sessionMs = 0, firstSoundMs = 0 } = options;
  return (connection) => {
    const responder = new Responder(connection);
    const timers = new Set<NodeJS.Timeout>();
    const later = (ms: number, task: () => void): void => {
      if (ms === 0) task();
      else timers.add(setTimeout(task, ms));
    };
    const say = (reply: SpokenReply): void => {
      reply.words(words);
      for (let at = 0; at < sound.length; at += deltaBytes) reply.audio(sound.subarray(at, at + deltaBytes));
      responder.finish();
    };
    return {
      opened: () =>
        later(sessionMs, () => connection.send({ type: 'session.created', session: connection.session })),
      event(event) {
        const reply = responder.take(event);
        if (reply !== undefined) later(firstSoundMs, () => say(reply));
      },
      closed: () => timers.forEach((timer) => clearTimeout(timer)),
    };
  };
}
