/**
 * The server's ears, told what they hear: what the vendor does about an utterance, without any sound. It
 * answers a turn by itself where the session wants that, and where nothing else is being said.
 */
import { newId } from '../../../src/base/ids.ts';
import type { Connection } from './connection.ts';
import type { Responder } from './responder.ts';
import type { SpokenReply } from './spoken-reply.ts';

const transcription = 'conversation.item.input_audio_transcription';

export class ToldEars {
  readonly #connection: Connection;
  readonly #responder: Responder;
  readonly #answered: (reply: SpokenReply) => void;

  constructor(options: {
    connection: Connection;
    responder: Responder;
    /** A response that the server began by itself. */
    answered?: (reply: SpokenReply) => void;
  }) {
    this.#connection = options.connection;
    this.#responder = options.responder;
    this.#answered = options.answered ?? (() => undefined);
  }

  /** Something like speech begins: the id of its item. */
  begins(): string {
    const item_id = newId('item');
    this.#connection.send({ type: 'input_audio_buffer.speech_started', item_id, audio_start_ms: 0 });
    return item_id;
  }

  ends(item_id: string): void {
    this.#connection.send({ type: 'input_audio_buffer.speech_stopped', item_id, audio_end_ms: 0 });
    this.#connection.send({ type: 'input_audio_buffer.committed', item_id, previous_item_id: null });
    this.#connection.addItem({
      ...{ id: item_id, object: 'realtime.item', type: 'message', status: 'completed', role: 'user' },
      content: [{ type: 'input_audio', transcript: '' }],
    });
    const detection = this.#connection.session.audio?.input?.turn_detection;
    if (detection?.create_response !== false && this.#responder.active === undefined)
      this.#answered(this.#responder.begin());
  }

  /** Words as they come, the newest only. */
  begunToWrite(item_id: string, delta: string): void {
    this.#connection.send({ type: `${transcription}.delta`, item_id, content_index: 0, delta });
  }

  writes(item_id: string, transcript: string): void {
    const usage = { type: 'duration', seconds: 1 } as const;
    this.#connection.send({
      ...{ type: `${transcription}.completed`, item_id, content_index: 0 },
      ...{ transcript, usage },
    });
  }

  /** No words are made of it; `audio_unintelligible`: because there are none. */
  failsToWrite(item_id: string, code = 'audio_unintelligible'): void {
    this.#connection.send({
      ...{ type: `${transcription}.failed`, item_id, content_index: 0 },
      error: { type: 'transcription_error', code, message: 'Nothing was understood.' },
    });
  }

  /** What the caller said, as the conversation keeps it. */
  get kept(): string[] {
    const items = [...this.#connection.items.values()];
    return items.flatMap((item) => (item.type === 'message' && item.role === 'user' ? [item.id ?? ''] : []));
  }
}
