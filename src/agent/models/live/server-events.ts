/** What a Live server says, parsed: of each event only the fields that we use. */
import { z } from 'zod';
import { eventParser } from '../voice-socket/event-parser.ts';

const id = z.string().min(1).max(256);
const ms = z.number().min(0);
const usage = z.object({ seconds: z.number().min(0) });

const transcriptDelta = <T extends string>(type: T) =>
  z.object({ type: z.literal(type), delta: z.string(), start_ms: ms, end_ms: ms });

/** A Responses stream event inside `response.event`; of the many kinds two are of use. */
const responseEvent = z.object({
  type: z.string().max(128),
  item: z
    .object({
      type: z.string(),
      name: z.string().optional(),
      call_id: z.string().optional(),
      arguments: z.string().optional(),
    })
    .optional(),
  response: z
    .object({
      usage: z.looseObject({}).nullish(),
      error: z.object({ code: z.string().nullish(), message: z.string().nullish() }).nullish(),
    })
    .optional(),
});
export type ResponseEvent = z.infer<typeof responseEvent>;

/** Event type -> the fields that we use. Names and shapes are those of `openai/resources/live/live`. */
const schemas = {
  'session.started': z.object({
    type: z.literal('session.started'),
    /** Seconds since 1970. */
    session: z.object({ expires_at: z.number().min(0).nullish() }),
  }),
  'session.output_audio.delta': z.object({
    type: z.literal('session.output_audio.delta'),
    delta: z.string(),
  }),
  'session.input_transcript.delta': transcriptDelta('session.input_transcript.delta'),
  'session.output_transcript.delta': transcriptDelta('session.output_transcript.delta'),
  'session.delegation.created': z.object({
    type: z.literal('session.delegation.created'),
    delegation: z.object({ id, target: z.enum(['client', 'responses', 'decisions']) }),
  }),
  'response.event': z.object({
    type: z.literal('response.event'),
    event: responseEvent,
  }),
  'session.usage.updated': z.object({ type: z.literal('session.usage.updated'), usage }),
  'session.closed': z.object({ type: z.literal('session.closed'), reason: z.string(), usage }),
  error: z.object({
    type: z.literal('error'),
    error: z.object({
      type: z.string().default(''),
      code: z.string().default(''),
      message: z.string().default(''),
    }),
  }),
} as const;

type Schemas = typeof schemas;
export type ServerEvent = { [T in keyof Schemas]: z.infer<Schemas[T]> }[keyof Schemas];
export type ServerEventOf<T extends ServerEvent['type']> = Extract<ServerEvent, { type: T }>;

/** The types that are parsed; every one exists in the vendor's own list (a test holds that). */
export const KNOWN_TYPES = Object.keys(schemas) as readonly ServerEvent['type'][];

/** Never throws, whatever the text is. */
export const parseServerEvent = eventParser<ServerEvent>(schemas);
