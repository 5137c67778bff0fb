/**
 * What we say to a Realtime server: builders typed by the vendor's own package, one per event that we
 * send.
 */
import type {
  AudioTranscription,
  ConversationItemCreateEvent,
  ConversationItemDeleteEvent,
  ConversationItemTruncateEvent,
  RealtimeAudioFormats,
  RealtimeAudioInputTurnDetection,
  RealtimeFunctionTool,
  RealtimeTruncation,
  ResponseCancelEvent,
  ResponseCreateEvent,
  SessionUpdateEvent,
} from 'openai/resources/realtime/realtime';
import type { Codec } from '../../../media/frame.ts';
import type { HistoryTurn } from '../../voice-model.ts';
import { text_chars_max, tool_result_chars_max } from '../limits.ts';
import { recentTurns } from '../voice-socket/recent-turns.ts';
import { history_chars_max, history_turns_max } from './limits.ts';
import type { RealtimeSettings } from './settings.ts';

export type ClientEvent =
  | ConversationItemCreateEvent
  | ConversationItemDeleteEvent
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
  readonly settings: RealtimeSettings;
  /** Silence that ends the caller's turn, in ms; the server's detection only. */
  readonly endOfSpeechMs: number;
  readonly language: string;
  readonly tools: RealtimeFunctionTool[];
}

/**
 * Turn detection is shared. The server finds the end of a turn and answers it (`create_response`),
 * because that saves a round trip before every reply; while the agent is heard it only finds it (see
 * `answersTurns`). It never interrupts (`interrupt_response: false`): only the voice knows what the caller
 * has heard, and its local VAD tells a word from a cough, so barge-in is ours alone.
 */
export function sessionUpdate(settings: SessionSettings): SessionUpdateEvent {
  const format = audioFormat(settings.codec);
  const { noise_reduction, max_output_tokens, reasoning_effort, speed } = settings.settings;
  // What is as the vendor has it anyway is not sent: servers of the protocol know fewer fields than OpenAI's.
  return {
    type: 'session.update',
    session: {
      type: 'realtime',
      instructions: settings.instructions,
      output_modalities: ['audio'],
      audio: {
        input: {
          format,
          ...transcription(settings),
          ...(noise_reduction === 'off' ? {} : { noise_reduction: { type: noise_reduction } }),
          turn_detection: turnDetection(settings),
        },
        output: { format, voice: settings.voice, ...(speed === 1 ? {} : { speed }) },
      },
      tools: settings.tools,
      tool_choice: 'auto',
      ...(max_output_tokens === 'inf' ? {} : { max_output_tokens }),
      ...(reasoning_effort === 'default' ? {} : { reasoning: { effort: reasoning_effort } }),
      ...truncation(settings.settings),
    },
  };
}

function transcription({ settings, language }: SessionSettings): { transcription?: AudioTranscription } {
  const { transcription_model: model, transcription_keywords: keywords } = settings;
  if (model === '') return {};
  return { transcription: { model, language, ...(keywords.length === 0 ? {} : { keywords }) } };
}

function turnDetection({ settings, endOfSpeechMs }: SessionSettings): RealtimeAudioInputTurnDetection {
  const ours = { create_response: true, interrupt_response: false };
  if (settings.turn_detection === 'semantic')
    return { type: 'semantic_vad', eagerness: settings.eagerness, ...ours };
  return {
    type: 'server_vad',
    threshold: settings.vad_threshold,
    prefix_padding_ms: settings.vad_prefix_padding_ms,
    silence_duration_ms: endOfSpeechMs,
    ...ours,
  };
}

/** Whether the server answers turns by itself. All of turn detection is told: a part would replace it. */
export function answersTurns(options: {
  detection: RealtimeAudioInputTurnDetection;
  serverAnswers: boolean;
  eventId: string;
}): SessionUpdateEvent {
  const { detection, serverAnswers, eventId } = options;
  const turn_detection = { ...detection, create_response: serverAnswers };
  return {
    type: 'session.update',
    event_id: eventId,
    session: { type: 'realtime', audio: { input: { turn_detection } } },
  };
}

function truncation(settings: RealtimeSettings): { truncation?: RealtimeTruncation } {
  const { truncation: kind, retention_ratio, conversation_tokens_max: tokens } = settings;
  if (kind === 'auto') return {};
  if (kind === 'disabled') return { truncation: 'disabled' };
  const limits = tokens === 0 ? {} : { token_limits: { post_instructions: tokens } };
  return { truncation: { type: 'retention_ratio', retention_ratio, ...limits } };
}

/** A conversation that another session had: one item per turn, in words. */
export function replayOf(history: readonly HistoryTurn[]): ConversationItemCreateEvent[] {
  return recentTurns(history, { turns: history_turns_max, chars: history_chars_max }).map(
    ({ from, text }) => ({
      type: 'conversation.item.create',
      item: replayed(from, text),
    }),
  );
}

function replayed(from: HistoryTurn['from'], text: string): ConversationItemCreateEvent['item'] {
  const type = 'message';
  switch (from) {
    case 'caller':
      return { type, role: 'user', content: [{ type: 'input_text', text }] };
    case 'agent':
      return { type, role: 'assistant', content: [{ type: 'output_text', text }] };
    case 'note':
      return { type, role: 'system', content: [{ type: 'input_text', text }] };
  }
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

/** The conversation forgets an item. */
export function itemDelete(itemId: string, eventId: string): ConversationItemDeleteEvent {
  return { type: 'conversation.item.delete', event_id: eventId, item_id: itemId };
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
