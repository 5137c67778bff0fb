/** What the main thread and a voice (it lives in a media thread) say to each other; parsed on both sides. */
import { z } from 'zod';
import { TrunklineError } from '../base/errors.ts';
import { handOverSchema } from './failover-settings.ts';
import { agentProfileSchema } from './profile.ts';
import { modelUsageSchema } from './usage.ts';

export const toolDeclarationsSchema = z.record(
  z.string(),
  z.object({ description: z.string(), parameters: z.looseObject({}) }),
);

export const voiceSpecSchema = z.strictObject({
  callId: z.string().min(1),
  profile: agentProfileSchema,
  /** The tools that the profile permits as they are now, by name: those of MCP servers come and go. */
  tools: toolDeclarationsSchema.optional(),
  /** The caller is told that the call will end soon after so many ms of it; absent: never. */
  warnAfterMs: z.int().min(0).optional(),
});
export type VoiceSpec = z.infer<typeof voiceSpecSchema>;

const voiceCommandSchema = z.discriminatedUnion('type', [
  /** The caller can hear us now: speak first. */
  z.strictObject({ type: z.literal('greet') }),
  z.strictObject({
    type: z.literal('say'),
    text: z.string().min(1).max(2000),
    /** The caller cannot cut it short. */
    uninterruptible: z.boolean().optional(),
  }),
  /**
   * The agent goes out, while a human talks or the caller is on hold: it is silent at once, hears and says
   * nothing, and keeps its session. Twice is once.
   */
  z.strictObject({ type: z.literal('hold') }),
  /** It comes back in; `notice` tells the model what happened meanwhile (it is not said aloud). */
  z.strictObject({ type: z.literal('resume'), notice: z.string().max(2000).default('') }),
  z.strictObject({ type: z.literal('digit'), digit: z.string().length(1) }),
  /** Whoever a `hand_over` asked for has taken the call and given it back, or did not take it. */
  z.strictObject({ type: z.literal('handed_over'), taken: z.boolean(), detail: z.string() }),
  z.strictObject({ type: z.literal('tool.result'), callId: z.string(), result: z.unknown() }),
]);
/** As it is sent: defaults may be left out. */
export type VoiceCommand = z.input<typeof voiceCommandSchema>;
export type ParsedCommand = z.output<typeof voiceCommandSchema>;

/** @throws TrunklineError VOICE_COMMAND_INVALID on a shape that it does not know */
export function parseVoiceCommand(command: unknown): ParsedCommand {
  const parsed = voiceCommandSchema.safeParse(command);
  if (!parsed.success) throw new TrunklineError('VOICE_COMMAND_INVALID', parsed.error.message);
  return parsed.data;
}

export const voiceEventSchema = z.discriminatedUnion('type', [
  /** The model session is up and, for a profile with a fixed greeting, its first sound is in hand. */
  z.strictObject({ type: z.literal('ready') }),
  /** What the caller said; `final` once per utterance. Times are ms since the voice was opened. */
  z.strictObject({
    type: z.literal('heard'),
    utteranceId: z.string(),
    text: z.string(),
    final: z.boolean(),
    startedMs: z.int(),
    endedMs: z.int(),
  }),
  /** Captions: the words that have been said so far of the reply that sounds; `said` follows. */
  z.strictObject({ type: z.literal('saying'), itemId: z.string(), text: z.string() }),
  /** A reply, told when it has been played out or was cut: its text, and how much left for the caller. */
  z.strictObject({
    type: z.literal('said'),
    itemId: z.string(),
    text: z.string(),
    heardMs: z.int(),
    totalMs: z.int(),
    interrupted: z.boolean(),
    startedMs: z.int(),
    /** End of the caller's speech to the first sound of this reply; null for replies nobody asked for. */
    responseMs: z.int().nullable(),
    /** … to the first word of it, and to its first sound in hand. */
    textMs: z.int().nullable(),
    audioMs: z.int().nullable(),
    /** Of an interrupted one: first voiced frame to the first softer frame, and to silence. */
    duckMs: z.int().nullable().optional(),
    silenceMs: z.int().nullable().optional(),
  }),
  /** A step on the way from a lost model to whatever holds the call up. */
  z.strictObject({
    type: z.literal('line'),
    step: z.enum(['lost', 'reconnecting', 'falling_back', 'handing_over', 'restored']),
    /** Which model or fallback. */
    to: z.string().optional(),
    code: z.string().optional(),
    detail: z.string().optional(),
  }),
  /** The models are gone: the main thread is to find somebody, and answers with `handed_over`. */
  z.strictObject({ type: z.literal('hand_over'), to: handOverSchema }),
  /** The caller left a message. */
  z.strictObject({ type: z.literal('voicemail'), path: z.string(), recordedMs: z.int() }),
  z.strictObject({
    type: z.literal('tool.call'),
    callId: z.string(),
    name: z.string(),
    arguments: z.unknown(),
  }),
  z.strictObject({ type: z.literal('usage'), usage: modelUsageSchema }),
  /** The goodbye has been played out: end the call. */
  z.strictObject({ type: z.literal('hang_up'), reason: z.string() }),
  z.strictObject({
    type: z.literal('failed'),
    code: z.string(),
    detail: z.string(),
    retryable: z.boolean(),
  }),
]);
export type VoiceEvent = z.infer<typeof voiceEventSchema>;
