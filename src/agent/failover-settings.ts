/** What an agent does when its model fails, and what it says while the caller waits: part of its profile. */
import { z } from 'zod';

const sentence = z.string().min(1).max(500);

/** Another voice goes on with the conversation, in the call. */
const modelFallbackSchema = z.strictObject({
  type: z.literal('model'),
  adapter: z.string().min(1),
  /** Empty: the one that the configuration names for the adapter. */
  name: z.string().default(''),
  voice: z.string().default(''),
});
const offlineFallbackSchema = z.strictObject({ type: z.literal('offline') });
/** The next free human agent of the tenant. */
const humanFallbackSchema = z.strictObject({
  type: z.literal('human'),
  /** Said before the caller is put into the queue. */
  say: sentence.default('I am having technical trouble. I will connect you with a colleague.'),
});
/** The call is transferred, when its door can do that. */
const numberFallbackSchema = z.strictObject({
  type: z.literal('number'),
  number: z.string().regex(/^\+?[0-9*#]{2,20}$/, 'must be a number such as +15550100'),
  say: sentence.default('I am having technical trouble. I will connect you.'),
  /** How long the carrier may take to say how it went, in ms. */
  timeout_ms: z.int().min(1000).max(120_000).default(30_000),
});
/** The caller's message is recorded, then the call ends. */
const voicemailFallbackSchema = z.strictObject({
  type: z.literal('voicemail'),
  say: sentence.default('I am having technical trouble. Please leave a message after the tone.'),
  thanks: sentence.default('Thank you. We will call you back. Goodbye.'),
  /** Longest message, in ms. */
  message_ms_max: z.int().min(5000).max(600_000).default(120_000),
  /** Silence that ends the message, in ms. */
  silence_ms: z.int().min(1000).max(30_000).default(4000),
});

export const fallbackSchema = z.discriminatedUnion('type', [
  modelFallbackSchema,
  offlineFallbackSchema,
  humanFallbackSchema,
  numberFallbackSchema,
  voicemailFallbackSchema,
]);
export type Fallback = z.infer<typeof fallbackSchema>;
/** Fallbacks that are no voice: whoever takes the call over is not the agent. */
export const handOverSchema = z.discriminatedUnion('type', [
  humanFallbackSchema,
  numberFallbackSchema,
  voicemailFallbackSchema,
]);
export type HandOver = z.infer<typeof handOverSchema>;

export const failoverSettingsSchema = z
  .strictObject({
    /** How often a lost session is opened again before the first fallback, in a row. */
    reconnects_max: z.int().min(0).max(10).default(2),
    /** How long a session may take to open before it counts as failed, in ms. */
    connect_ms_max: z.int().min(200).max(30_000).default(4000),
    /** A reply is due, and the model has not been heard of for so long: its session is lost, in ms. */
    stall_ms: z.int().min(1000).max(60_000).default(5000),
    /** The voice of what is said without a model: one of the offline synthesiser. */
    voice: z.string().min(1).default('slt'),
  })
  .prefault({});

export const fillersSchema = z
  .strictObject({
    /** Said in turn when the answer to what the caller said takes long; empty: a soft tone. */
    reply: z.array(sentence).default(['One moment, please.', 'I am still here.', 'Just a little longer.']),
    /** Said in turn while a tool works. */
    tool: z.array(sentence).default(['Let me have a look.', 'This takes a moment.']),
    /** Said in turn while a lost model is replaced. */
    trouble: z
      .array(sentence)
      .default(['One moment, please.', 'I am still here.', 'I will be with you in a moment.']),
    /** Silence after the answer, while the greeting is not there, before a `trouble`, in ms; 0: never. */
    greeting_after_ms: z.int().min(0).max(10_000).default(1000),
    /** Silence after the caller's last word before the first `reply`, and between two, in ms; 0: never. */
    reply_after_ms: z.int().min(0).max(30_000).default(1700),
    /** Silence before the first `tool`, and before each further one, in ms; 0: never. */
    tool_after_ms: z.int().min(0).max(30_000).default(1500),
    tool_again_ms: z.int().min(500).max(60_000).default(4000),
    /** Silence before a `trouble`, counted from when the model was lost, in ms. */
    trouble_after_ms: z.int().min(0).max(10_000).default(400),
    trouble_again_ms: z.int().min(500).max(60_000).default(1500),
  })
  .prefault({});

/** What a profile without a word about it does: the voice that needs nobody takes over. */
export const fallbacksSchema = z
  .array(fallbackSchema)
  .max(8)
  .default([{ type: 'offline' }]);
