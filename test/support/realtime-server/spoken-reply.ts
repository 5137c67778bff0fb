/** A response as the vendor tells it: every event from `response.created` to `response.done`, in order. */
import type {
  ConversationItem,
  RealtimeConversationItemAssistantMessage,
  RealtimeConversationItemFunctionCall,
  RealtimeResponse,
  RealtimeResponseStatus,
} from 'openai/resources/realtime/realtime';
import { newId } from '../../../src/base/ids.ts';
import type { Connection } from './connection.ts';

type Metadata = Record<string, string> | null;
type Status = 'completed' | 'cancelled' | 'failed' | 'incomplete';

export interface Done {
  readonly reason?: NonNullable<RealtimeResponseStatus['reason']>;
  readonly errorCode?: string;
  /** Tokens of what the model read. */
  readonly inputAudioTokens?: number;
  readonly inputTextTokens?: number;
}

/** Tokens as the vendor counts them, roughly: one per 50 ms of spoken sound, one per word. */
const ms_per_audio_token = 50;

interface Part {
  readonly response_id: string;
  readonly item_id: string;
  readonly output_index: number;
  readonly content_index: number;
}

export class SpokenReply {
  readonly id = newId('resp');
  readonly #connection: Connection;
  readonly #metadata: Metadata;
  readonly #output: ConversationItem[] = [];
  #itemId = newId('item');
  #transcript = '';
  #itemMs = 0;
  #spokenMs = 0;
  #words = 0;
  #speaking = false;

  constructor(connection: Connection, metadata: Metadata = null) {
    this.#connection = connection;
    this.#metadata = metadata;
    connection.send({ type: 'response.created', response: this.#response('in_progress') });
  }

  /** The item that is being spoken, or will be next. */
  get itemId(): string {
    return this.#itemId;
  }

  /** Sound in the session's output format. */
  audio(bytes: Uint8Array): void {
    this.#begin();
    const ms = bytes.length / bytesPerMs(this.#connection);
    this.#itemMs += ms;
    this.#spokenMs += ms;
    this.#connection.spokenMs.set(this.#itemId, Math.floor(this.#itemMs));
    const delta = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('base64');
    this.#connection.send({ type: 'response.output_audio.delta', ...this.#part, delta });
  }

  words(delta: string): void {
    this.#begin();
    this.#transcript += delta;
    this.#words += delta.split(/\s+/).filter(Boolean).length;
    this.#connection.send({ type: 'response.output_audio_transcript.delta', ...this.#part, delta });
  }

  /** What is spoken so far is one item; more of it would be another. */
  endItem(status: Status = 'completed'): void {
    if (!this.#speaking) return;
    this.#speaking = false;
    const part = this.#part;
    const transcript = this.#transcript;
    this.#connection.send({ type: 'response.output_audio.done', ...part });
    this.#connection.send({ type: 'response.output_audio_transcript.done', ...part, transcript });
    const content = { type: 'audio', transcript } as const;
    this.#connection.send({ type: 'response.content_part.done', ...part, part: content });
    const item = this.#item(status === 'completed' ? 'completed' : 'incomplete');
    this.#connection.finishItem(item);
    this.#outputDone(item);
    this.#itemId = newId('item');
    this.#transcript = '';
    this.#itemMs = 0;
  }

  /** Asks for a function; its id. */
  call(name: string, args: string): string {
    this.endItem();
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
    this.#connection.beginItem({ ...item });
    const call = { ...ids, item_id: item.id, call_id: callId };
    this.#connection.send({ type: 'response.function_call_arguments.delta', ...call, delta: args });
    this.#connection.send({ type: 'response.function_call_arguments.done', ...call, name, arguments: args });
    const done = { ...item, status: 'completed' as const, arguments: args };
    this.#connection.finishItem(done);
    this.#outputDone(done);
    this.#words += args.length / 4;
    return callId;
  }

  /** Ends the response. A cancelled or failed one leaves its item incomplete. */
  done(status: Status = 'completed', more: Done = {}): void {
    this.endItem(status);
    const reason = more.reason ?? (status === 'cancelled' ? 'client_cancelled' : undefined);
    this.#connection.send({
      type: 'response.done',
      response: {
        ...this.#response(status),
        status_details: {
          type: status,
          ...(reason === undefined ? {} : { reason }),
          ...(more.errorCode === undefined ? {} : { error: { type: 'server_error', code: more.errorCode } }),
        },
        usage: this.#usage(more),
      },
    });
  }

  #begin(): void {
    if (this.#speaking) return;
    this.#speaking = true;
    const item = this.#item('in_progress');
    const ids = { response_id: this.id, output_index: this.#output.length };
    this.#connection.send({ type: 'response.output_item.added', ...ids, item });
    this.#connection.beginItem(item);
    const part = { type: 'audio', transcript: '' } as const;
    this.#connection.send({ type: 'response.content_part.added', ...this.#part, part });
  }

  #outputDone(item: ConversationItem): void {
    const ids = { response_id: this.id, output_index: this.#output.length };
    this.#connection.send({ type: 'response.output_item.done', ...ids, item });
    this.#output.push(item);
  }

  get #part(): Part {
    return {
      response_id: this.id,
      item_id: this.#itemId,
      output_index: this.#output.length,
      content_index: 0,
    };
  }

  #item(
    status: 'completed' | 'incomplete' | 'in_progress',
  ): RealtimeConversationItemAssistantMessage & { id: string } {
    return {
      id: this.#itemId,
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

  #usage({ inputAudioTokens = 0, inputTextTokens = 0 }: Done): NonNullable<RealtimeResponse['usage']> {
    const audio = Math.ceil(this.#spokenMs / ms_per_audio_token);
    const text = Math.ceil(this.#words);
    const read = inputAudioTokens + inputTextTokens;
    const none = { text_tokens: 0, audio_tokens: 0, image_tokens: 0 };
    return {
      total_tokens: read + audio + text,
      input_tokens: read,
      output_tokens: audio + text,
      input_token_details: {
        text_tokens: inputTextTokens,
        audio_tokens: inputAudioTokens,
        image_tokens: 0,
        cached_tokens: 0,
        cached_tokens_details: none,
      },
      output_token_details: { text_tokens: text, audio_tokens: audio },
    };
  }
}

function bytesPerMs(connection: Connection): number {
  const format = connection.session.audio?.output?.format;
  return format?.type === 'audio/pcmu' || format?.type === 'audio/pcma' ? 8 : 48;
}
