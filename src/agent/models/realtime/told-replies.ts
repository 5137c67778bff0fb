/** What the server says, told to the voice reply by reply. */
import type { SessionEvents } from '../../voice-model.ts';
import { text_chars_max } from '../limits.ts';
import { decodedSound } from '../voice-socket/decoded-sound.ts';
import { reply_ms_max } from './limits.ts';
import { receivedMs, Replies, type Reply } from './replies.ts';
import type { ServerEventOf } from './server-events.ts';

export interface ToldRepliesOptions {
  readonly tell: <K extends keyof SessionEvents>(name: K, payload: SessionEvents[K]) => void;
  /** A delta came for a reply that is over. */
  readonly late: () => void;
  /** A reply has no end. */
  readonly tooLong: (reply: Reply) => void;
}

export class ToldReplies {
  readonly #options: ToldRepliesOptions;
  readonly #replies = new Replies();

  constructor(options: ToldRepliesOptions) {
    this.#options = options;
  }

  get(itemId: string): Reply | undefined {
    return this.#replies.get(itemId);
  }

  /** The reply of this item, which begins now when nobody knew of it. */
  begin(itemId: string, responseId: string): Reply {
    const known = this.#replies.get(itemId);
    if (known !== undefined) return known;
    const reply = this.#replies.open(itemId, responseId);
    this.#options.tell('replyStarted', { itemId });
    return reply;
  }

  audio(event: ServerEventOf<'response.output_audio.delta'>): void {
    const { tell, late, tooLong } = this.#options;
    const reply = this.begin(event.item_id, event.response_id);
    if (reply.ended) {
      late();
      return;
    }
    const bytes = decodedSound(event.delta);
    if (bytes.length === 0) return;
    reply.contentIndex = event.content_index;
    reply.bytes += bytes.length;
    tell('audio', { itemId: reply.itemId, bytes });
    if (receivedMs(reply) > reply_ms_max) tooLong(reply);
  }

  said(
    event: ServerEventOf<'response.output_audio_transcript.delta' | 'response.output_audio_transcript.done'>,
  ): void {
    const reply = this.begin(event.item_id, event.response_id);
    const final = event.type === 'response.output_audio_transcript.done';
    reply.text = (final ? event.transcript : reply.text + event.delta).slice(0, text_chars_max);
    this.#options.tell('said', { itemId: reply.itemId, text: reply.text, final });
  }

  end(reply: Reply, interrupted: boolean): void {
    if (reply.ended) return;
    reply.ended = true;
    this.#options.tell('replyDone', { itemId: reply.itemId, interrupted });
  }

  /** Whatever of a response still expects sound gets no more. */
  endAllOf(responseId: string, interrupted: boolean): void {
    for (const open of this.#replies.openOf(responseId)) this.end(open, interrupted);
  }
}
