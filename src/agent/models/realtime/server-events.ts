/**
 * What a Realtime server says, parsed. A message is one of three things: an event that we use (and then only
 * with the fields that we use), an event that we do not use (counted, ignored), or not an event at all.
 */
import { z } from 'zod';
import { eventParser, type ParsedEvent } from '../voice-socket/event-parser.ts';

const id = z.string().min(1).max(256);
const index = z.int().min(0);
const text = z.string();

const responseStatus = z.enum(['completed', 'cancelled', 'failed', 'incomplete', 'in_progress']);

const responseError = z.object({ code: z.string().nullish(), type: z.string().nullish() });

const rateLimit = z.object({
  name: z.string().default(''),
  limit: z.number().default(0),
  remaining: z.number().default(0),
  reset_seconds: z.number().default(0),
});

const item = z.object({
  id: id.optional(),
  type: z.string(),
  role: z.string().optional(),
  name: z.string().optional(),
  call_id: z.string().optional(),
  arguments: z.string().optional(),
});

/**
 * Event type -> the fields that we use. Names and shapes are those of
 * `openai/resources/realtime/realtime`.
 */
const schemas = {
  'session.created': z.object({
    type: z.literal('session.created'),
    /** Seconds since 1970. */
    session: z.object({ expires_at: z.number().min(0).nullish() }),
  }),
  'session.updated': z.object({ type: z.literal('session.updated') }),
  error: z.object({
    type: z.literal('error'),
    error: z.object({
      type: z.string().default(''),
      code: z.string().nullish(),
      message: z.string().default(''),
      event_id: z.string().nullish(),
    }),
  }),
  'input_audio_buffer.speech_started': z.object({
    type: z.literal('input_audio_buffer.speech_started'),
    item_id: id,
  }),
  'input_audio_buffer.committed': z.object({ type: z.literal('input_audio_buffer.committed'), item_id: id }),
  'conversation.item.input_audio_transcription.delta': z.object({
    type: z.literal('conversation.item.input_audio_transcription.delta'),
    item_id: id,
    delta: text.default(''),
  }),
  'conversation.item.input_audio_transcription.completed': z.object({
    type: z.literal('conversation.item.input_audio_transcription.completed'),
    item_id: id,
    transcript: text,
    usage: z.looseObject({ type: z.string() }).optional(),
  }),
  'conversation.item.input_audio_transcription.failed': z.object({
    type: z.literal('conversation.item.input_audio_transcription.failed'),
    item_id: id,
    error: responseError,
  }),
  'response.created': z.object({
    type: z.literal('response.created'),
    response: z.object({ id, metadata: z.record(z.string(), z.string()).nullish() }),
  }),
  'response.output_item.added': z.object({
    type: z.literal('response.output_item.added'),
    response_id: id,
    item,
  }),
  'response.output_item.done': z.object({
    type: z.literal('response.output_item.done'),
    response_id: id,
    item,
  }),
  'response.output_audio.delta': z.object({
    type: z.literal('response.output_audio.delta'),
    response_id: id,
    item_id: id,
    content_index: index,
    delta: z.string(),
  }),
  'response.output_audio_transcript.delta': z.object({
    type: z.literal('response.output_audio_transcript.delta'),
    response_id: id,
    item_id: id,
    delta: text,
  }),
  'response.output_audio_transcript.done': z.object({
    type: z.literal('response.output_audio_transcript.done'),
    response_id: id,
    item_id: id,
    transcript: text,
  }),
  'response.done': z.object({
    type: z.literal('response.done'),
    response: z.object({
      id,
      status: responseStatus,
      status_details: z.object({ error: responseError.nullish() }).nullish(),
      usage: z.looseObject({}).nullish(),
    }),
  }),
  'rate_limits.updated': z.object({
    type: z.literal('rate_limits.updated'),
    rate_limits: z.array(rateLimit).max(16),
  }),
} as const;

type Schemas = typeof schemas;
export type ServerEvent = { [T in keyof Schemas]: z.infer<Schemas[T]> }[keyof Schemas];
export type ServerEventOf<T extends ServerEvent['type']> = Extract<ServerEvent, { type: T }>;

export type Parsed = ParsedEvent<ServerEvent>;

/** The types that are parsed; every one exists in the vendor's own list (a test holds that). */
export const KNOWN_TYPES = Object.keys(schemas) as readonly ServerEvent['type'][];

/** Never throws, whatever the text is. */
export const parseServerEvent = eventParser<ServerEvent>(schemas);

/** `error` codes after which the session is of no use; the value says whether a new one may be. */
export const FATAL_ERRORS: Readonly<Record<string, boolean>> = {
  session_expired: true,
  rate_limit_exceeded: true,
  insufficient_quota: false,
  invalid_api_key: false,
  model_not_found: false,
};

/** An `error` in a sentence; `fatal` as in FATAL_ERRORS. */
export function refusalOf(error: ServerEventOf<'error'>['error']): {
  code: string;
  detail: string;
  fatal: boolean | undefined;
} {
  const code = error.code ?? error.type;
  const detail = `the server refused: ${code} ${error.message}`.slice(0, 500);
  return { code, detail, fatal: FATAL_ERRORS[code] };
}

/** Why a response failed, as a code. */
export function causeOf(response: ServerEventOf<'response.done'>['response']): string {
  const { code, type } = response.status_details?.error ?? {};
  return code ?? type ?? 'no cause';
}
