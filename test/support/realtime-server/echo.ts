/**
 * Every batch of sound comes straight back, as one long response. It measures a gateway, so it costs
 * little itself: sound is neither parsed nor decoded, the base64 is copied from one message into the other.
 */
import type { Connection } from './connection.ts';
import { Responder } from './responder.ts';
import type { Behaviour } from './server.ts';

const appendHead = Buffer.from('{"type":"input_audio_buffer.append","audio":"');
const tail = Buffer.from('"}');

export function echo(connection: Connection): Behaviour {
  const responder = new Responder(connection);
  let deltaHead: Buffer | undefined;
  return {
    event(event) {
      // A greeting, or whatever else is asked for, is an empty reply: only the caller's own sound is spoken.
      if (responder.active !== undefined && event.type === 'response.create') responder.finish();
      responder.take(event);
      deltaHead = undefined;
    },
    message(message) {
      if (message.compare(appendHead, 0, appendHead.length, 0, appendHead.length) !== 0) return false;
      deltaHead ??= beginEcho(responder);
      const sound = message.subarray(appendHead.length, message.length - tail.length);
      connection.socket.send(Buffer.concat([deltaHead, sound, tail]), { binary: false });
      return true;
    },
  };
}

/** The part of every delta that stays the same. */
function beginEcho(responder: Responder): Buffer {
  const reply = responder.active ?? responder.begin();
  reply.words('echo');
  const ids = { response_id: reply.id, item_id: reply.itemId, output_index: 0, content_index: 0 };
  const fixed = JSON.stringify({ event_id: 'event_echo', type: 'response.output_audio.delta', ...ids });
  return Buffer.from(`${fixed.slice(0, -1)},"delta":"`);
}
