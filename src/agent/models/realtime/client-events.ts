/**
 * What we say to a Realtime server: builders typed by the vendor's own package, one per event that we
 * send.
 */
import type {
  ConversationItemCreateEvent,
  ConversationItemTruncateEvent,
  RealtimeAudioFormats,
  RealtimeFunctionTool,
  ResponseCancelEvent,
  ResponseCreateEvent,
  SessionUpdateEvent,
} from 'openai/resources/realtime/realtime';
import type { Codec } from '../../../media/frame.ts';
import { text_chars_max, tool_result_chars_max } from './limits.ts';

export type ClientEvent =
  | ConversationItemCreateEvent
  | ConversationItemTruncateEvent
  | ResponseCancelEvent
  | ResponseCreateEvent
  | SessionUpdateEvent;

/** G.711 goes through untouched: the server speaks and hears what the phone does. */
export function audioFormat(codec: Codec): RealtimeAudioFormats {
  return { type: codec === 'pcmu' ? 'audio/pcmu' : 'audio/pcma' };
}

export interface SessionSettings {
  readonly instructions: string;
  readonly codec: Codec;
  readonly voice: string;
  /** Empty: what the caller says is not written down. */
  readonly transcriptionModel: string;
  /** Silence that ends the caller's turn, in ms. */
  readonly endOfSpeechMs: number;
  readonly language: string;
  readonly tools: RealtimeFunctionTool[];
}

/**
 * Turn detection is shared. The server finds the end of a turn and answers it (`create_response`),
 * because that saves a round trip before every reply. It never interrupts (`interrupt_response:
 * false`): only the voice knows what the caller has heard, and its local VAD tells a word from a
 * cough, so barge-in is ours alone.
 */
export function sessionUpdate(settings: SessionSettings): SessionUpdateEvent {
  const format = audioFormat(settings.codec);
  const { transcriptionModel: model, language } = settings;
  return {
    type: 'session.update',
    session: {
      type: 'realtime',
      instructions: settings.instructions,
      output_modalities: ['audio'],
      audio: {
        input: {
          format,
          ...(model === '' ? {} : { transcription: { model, language } }),
          turn_detection: {
            type: 'server_vad',
            silence_duration_ms: settings.endOfSpeechMs,
            create_response: true,
            interrupt_response: false,
          },
        },
        output: { format, voice: settings.voice },
      },
      tools: settings.tools,
      tool_choice: 'auto',
    },
  };
}

/**
 * Why we asked for a response. It travels as metadata, so that `response.created` tells ours from the
 * server's.
 */
export type Purpose = 'greeting' | 'say' | 'turn' | 'tool' | 'digits';

export interface ResponseRequest {
  readonly purpose: Purpose;
  /** For this response only; without it the session's instructions hold. */
  readonly instructions?: string;
  /** false: words only, no tool may be called. */
  readonly tools: boolean;
}

/** `eventId` comes back in the `error` event when the request is refused. */
export function responseCreate(request: ResponseRequest, eventId: string): ResponseCreateEvent {
  return {
    type: 'response.create',
    event_id: eventId,
    response: {
      metadata: { purpose: request.purpose },
      ...(request.instructions === undefined ? {} : { instructions: request.instructions }),
      ...(request.tools ? {} : { tool_choice: 'none' }),
    },
  };
}

export function responseCancel(responseId: string): ResponseCancelEvent {
  return { type: 'response.cancel', response_id: responseId };
}

/** The conversation keeps only the first `heardMs` of a spoken item. */
export function itemTruncate(
  itemId: string,
  contentIndex: number,
  heardMs: number,
): ConversationItemTruncateEvent {
  return {
    type: 'conversation.item.truncate',
    item_id: itemId,
    content_index: contentIndex,
    audio_end_ms: Math.max(0, Math.floor(heardMs)),
  };
}

export function toolOutput(callId: string, result: unknown): ConversationItemCreateEvent {
  const output = JSON.stringify(result ?? null).slice(0, tool_result_chars_max);
  return {
    type: 'conversation.item.create',
    item: { type: 'function_call_output', call_id: callId, output },
  };
}

/** Something the model has to know and that nobody said. */
export function note(text: string): ConversationItemCreateEvent {
  return {
    type: 'conversation.item.create',
    item: {
      type: 'message',
      role: 'user',
      content: [{ type: 'input_text', text: text.slice(0, text_chars_max) }],
    },
  };
}
