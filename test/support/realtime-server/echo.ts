/**
 * Every batch of sound comes straight back, as one long response. It measures a gateway, so it costs
 * little itself: sound is neither parsed nor decoded, the base64 is copied from one message into the other.
 */
import type { Connection } from './connection.ts';
import { Responder } from './responder.ts';
import type { Behaviour } from './server.ts';

const appendHead = Buffer.from('{"type":"input_audio_buffer.append","audio":"');
const tail = Buffer.from('"}');

/** 20 ms of u-law silence: what a reply needs to be one. */
const breath = Buffer.alloc(160, 0xff);

export interface EchoOptions {
  /**
   * Swallows every so many-th batch of silence. An echo is exactly as fast as it is played, so that
   * whatever a hiccup once put into a playout queue would stay there for good; this drains it.
   */
  readonly swallowEvery?: number;
}

export function echo(connection: Connection): Behaviour {
  return echoing({})(connection);
}

export function echoing(options: EchoOptions): (connection: Connection) => Behaviour {
  return (connection) => echoTo(connection, options);
}

function echoTo(connection: Connection, options: EchoOptions): Behaviour {
  let silentBatches = 0;
  const swallowed = (sound: Buffer): boolean => {
    if (options.swallowEvery === undefined || !isSilence(sound)) return false;
    silentBatches += 1;
    return silentBatches % options.swallowEvery === 0;
  };
  const responder = new Responder(connection);
  let deltaHead: Buffer | undefined;
  return {
    event(event) {
      deltaHead = undefined;
      if (event.type !== 'response.create') {
        responder.take(event);
        return;
      }
      // A greeting, or whatever else is asked for, is a breath of silence: only the caller's sound is spoken.
      responder.finish();
      responder.take(event)?.audio(breath);
      responder.finish();
    },
    message(message) {
      if (message.compare(appendHead, 0, appendHead.length, 0, appendHead.length) !== 0) return false;
      deltaHead ??= beginEcho(responder);
      const sound = message.subarray(appendHead.length, message.length - tail.length);
      if (!swallowed(sound))
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

/** Base64 of a batch of u-law silence, made when the length of batches is known. */
let silence = Buffer.alloc(0);

function isSilence(sound: Buffer): boolean {
  if (silence.length !== sound.length) {
    const bytes = Buffer.byteLength(sound.toString('latin1'), 'base64');
    silence = Buffer.from(Buffer.alloc(bytes, 0xff).toString('base64'));
  }
  return sound.equals(silence);
}
