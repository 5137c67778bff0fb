/** What the section `offline-calls` and its callers' process say to each other. */
import { z } from 'zod';

export const offlineCallersSchema = z.strictObject({
  sipPort: z.int(),
  number: z.string(),
  operatorUrl: z.string(),
  /** Callers at a time; each has `rounds` dialogues, one after the other. */
  calls: z.int().min(1),
  rounds: z.int().min(1),
  /** The callers' first calls are spread over this time. */
  rampMs: z.int().min(0),
  /** `SpeechBook` as v8 serialises it. */
  speechFile: z.string(),
});
export type OfflineCallers = z.infer<typeof offlineCallersSchema>;

export const dialogueSchema = z.strictObject({
  /** Number of its wish. */
  wish: z.int(),
  /** What the caller said, one utterance each, and what the gateway understood. */
  said: z.array(z.string()),
  heard: z.array(z.string()),
  corrections: z.int(),
  /** From the caller's last sound to the first of the answer, in ms, one for each that came. */
  responseMs: z.array(z.number()),
  /** What was booked, by the gateway's word; null: nothing. */
  booked: z.strictObject({ name: z.string(), day: z.string(), time: z.string() }).nullable(),
  /** Why there is no more of it; null: it ended as it should. */
  trouble: z.string().nullable(),
  lastedMs: z.number(),
});
export type Dialogue = z.infer<typeof dialogueSchema>;

const spread = z.strictObject({
  count: z.number(),
  p50: z.number().nullable(),
  p95: z.number().nullable(),
  p99: z.number().nullable(),
  max: z.number().nullable(),
});

export const talkedSchema = z.strictObject({
  dialogues: z.array(dialogueSchema),
  /** Distance of each packet's arrival from 20 ms after the one before it, in ms. */
  jitterMs: spread,
  /** How late the callers' own packets were sent, in ms. */
  ownLateMs: spread,
  packets: z.int(),
  missing: z.int(),
});
export type Talked = z.infer<typeof talkedSchema>;
