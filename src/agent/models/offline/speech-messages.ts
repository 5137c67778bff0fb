/** What a media thread and its speech processes say to each other; parsed on both sides. */
import { z } from 'zod';
import { codecSchema } from '../../../media/control.ts';
import { agentProfileSchema } from '../../profile.ts';

const requestId = z.int().min(0);
const bytes = z.instanceof(Uint8Array);
const earId = z.int().min(0);

/** Media thread -> recogniser. An ear is one caller's line. */
export const recogniserRequestSchema = z.discriminatedUnion('type', [
  /** Make the language model of a profile (or find it on disk) and a first decoder. */
  z.strictObject({ type: z.literal('prepare'), requestId, profile: agentProfileSchema }),
  /** An utterance begins; the first one of an ear opens it. */
  z.strictObject({
    type: z.literal('start'),
    earId,
    model: z.string(),
    codec: codecSchema,
    noiseSuppression: z.enum(['none', 'rnnoise']),
    /** What the caller was asked: chooses the language model. */
    expecting: z.string(),
  }),
  /** G.711 bytes of the utterance, in order. */
  z.strictObject({ type: z.literal('audio'), earId, bytes }),
  z.strictObject({ type: z.literal('end'), requestId, earId }),
  z.strictObject({ type: z.literal('close'), earId }),
]);
export type RecogniserRequest = z.infer<typeof recogniserRequestSchema>;

export const hearingSchema = z.strictObject({
  text: z.string(),
  /** How well the words fit, per 10 ms: 0 is as well as sound can; far below it they are refused. */
  fit: z.number(),
  /** The words did not fit well enough to be believed; `text` is then empty. */
  rejected: z.boolean(),
});
export type Hearing = z.infer<typeof hearingSchema>;

/** Media thread -> synthesiser. */
export const synthesiserRequestSchema = z.strictObject({
  type: z.literal('speak'),
  requestId,
  text: z.string().min(1).max(4000),
  voice: z.string(),
  codec: codecSchema,
});
export type SynthesiserRequest = z.infer<typeof synthesiserRequestSchema>;

/** Speech process -> media thread. */
export const speechAnswerSchema = z.discriminatedUnion('type', [
  /** The process can take requests. */
  z.strictObject({ type: z.literal('up') }),
  z.strictObject({ type: z.literal('done'), requestId, result: z.unknown() }),
  z.strictObject({ type: z.literal('refused'), requestId, code: z.string(), detail: z.string() }),
]);
export type SpeechAnswer = z.infer<typeof speechAnswerSchema>;
