/** A response as the vendor tells it: every event from `response.created` to `response.done`, in order. */
import type {
  RealtimeConversationItemAssistantMessage,
  RealtimeConversationItemFunctionCall,
  RealtimeResponse,
} from 'openai/resources/realtime/realtime';
import { newId } from '../../../src/base/ids.ts';
import type { Connection } from './connection.ts';

type Metadata = Record<string, string> | null;

/** Tokens as the vendor counts them, roughly: one per 50 ms of spoken sound, one per word. */
const bytes_per_audio_token = 400;

export class SpokenReply {
  readonly id = newId('resp');
  readonly itemId = newId('item');
  readonly #connection: Connection;
  readonly #metadata: Metadata;
  readonly #output: NonNullable<RealtimeResponse['output']> = [];
  #transcript = '';
  #bytes = 0;
  #speaking = false;

  constructor(connection: Connection, metadata: Metadata = null) {
    this.#connection = connection;
    this.#metadata = metadata;
    connection.send({ type: 'response.created', response: this.#response('in_progress') });
  }

  /** Sound in the session's output format. */
  audio(bytes: Uint8Array): void {
    this.#begin();
    this.#bytes += bytes.length;
    const delta = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('base64');
    this.#connection.send({ type: 'response.output_audio.delta', ...this.#part, delta });
  }

  words(delta: string): void {
    this.#begin();
    this.#transcript += delta;
    this.#connection.send({ type: 'response.output_audio_transcript.delta', ...this.#part, delta });
  }

  /** Asks for a function; its id. */
  call(name: string, args: string): string {
    const callId = newId('call');
    const item: RealtimeConversationItemFunctionCall & { id: string } = {
      id: newId('item'),
      object: 'realtime.item',
      type: 'function_call',
      status: 'in_progress',
      name,
      call_id: callId,
      arguments: '',
    };
    const ids = { response_id: this.id, output_index: this.#output.length };
    this.#connection.send({ type: 'response.output_item.added', ...ids, item: { ...item } });
    const done = { ...item, status: 'completed' as const, arguments: args };
    this.#connection.send({
      type: 'response.function_call_arguments.done',
      ...ids,
      item_id: item.id,
      call_id: callId,
      name,
      arguments: args,
    });
    this.#connection.addItem(done);
    this.#connection.send({ type: 'response.output_item.done', ...ids, item: done });
    this.#output.push(done);
    return callId;
  }

  /** Ends the response. A cancelled or failed one leaves its item incomplete. */
  done(status: 'completed' | 'cancelled' | 'failed' = 'completed', errorCode?: string): void {
    if (this.#speaking) this.#finishItem(status);
    this.#connection.send({
      type: 'response.done',
      response: {
        ...this.#response(status),
        status_details: {
          type: status,
          ...(status === 'cancelled' ? { reason: 'client_cancelled' } : {}),
          ...(errorCode === undefined ? {} : { error: { type: 'server_error', code: errorCode } }),
        },
        usage: this.#usage(),
      },
    });
  }

  #begin(): void {
    if (this.#speaking) return;
    this.#speaking = true;
    const item = this.#item('in_progress');
    const ids = { response_id: this.id, output_index: this.#output.length };
    this.#connection.items.set(item.id, item);
    this.#connection.send({ type: 'response.output_item.added', ...ids, item });
    this.#connection.send({ type: 'conversation.item.added', item });
    const part = { type: 'audio', transcript: '' } as const;
    this.#connection.send({ type: 'response.content_part.added', ...this.#part, part });
  }

  #finishItem(status: 'completed' | 'cancelled' | 'failed'): void {
    const part = this.#part;
    const transcript = this.#transcript;
    this.#connection.send({ type: 'response.output_audio.done', ...part });
    this.#connection.send({ type: 'response.output_audio_transcript.done', ...part, transcript });
    const item = this.#item(status === 'completed' ? 'completed' : 'incomplete');
    this.#connection.items.set(item.id, item);
    this.#connection.send({ type: 'conversation.item.done', item });
    const ids = { response_id: this.id, output_index: this.#output.length };
    this.#connection.send({ type: 'response.output_item.done', ...ids, item });
    this.#output.push(item);
  }

  get #part(): { response_id: string; item_id: string; output_index: number; content_index: number } {
    return {
      response_id: this.id,
      item_id: this.itemId,
      output_index: this.#output.length,
      content_index: 0,
    };
  }

  #item(
    status: 'completed' | 'incomplete' | 'in_progress',
  ): RealtimeConversationItemAssistantMessage & { id: string } {
    return {
      id: this.itemId,
      object: 'realtime.item',
      type: 'message',
      status,
      role: 'assistant',
      content: status === 'in_progress' ? [] : [{ type: 'output_audio', transcript: this.#transcript }],
    };
  }

  #response(status: NonNullable<RealtimeResponse['status']>): RealtimeResponse {
    return {
      object: 'realtime.response',
      id: this.id,
      status,
      output: [...this.#output],
      output_modalities: ['audio'],
      metadata: this.#metadata,
    };
  }

  #usage(): NonNullable<RealtimeResponse['usage']> {
    const audio = Math.ceil(this.#bytes / bytes_per_audio_token);
    const text = this.#transcript.split(/\s+/).filter(Boolean).length;
    return {
      total_tokens: audio + text,
      input_tokens: 0,
      output_tokens: audio + text,
      input_token_details: { text_tokens: 0, audio_tokens: 0, cached_tokens: 0 },
      output_token_details: { text_tokens: text, audio_tokens: audio },
    };
  }
}
