/**
 * What a gateway tells of its calls: one fact each, numbered in the order in which they happened; and that
 * it was started again, so that its calls of before are over.
 */
import { z } from 'zod';

const atMs = z.int().min(0);
/** Of src/jobs/gateway-runs.ts. */
export const runName = z.string().max(64);
const text = z.string().max(20_000);

/** Facts of a call's timeline, as src/room/journal.ts has them; new kinds pass as they are. */
const timelineFact = z.looseObject({ type: z.string().min(1).max(64), atMs });

const opened = z.strictObject({
  type: z.literal('opened'),
  startedAt: z.iso.datetime(),
  source: z.enum(['phone', 'web']),
  sipCallId: text,
  trunk: text,
  profile: text,
  from: text,
  to: text,
});

const fact = z.strictObject({
  type: z.literal('fact'),
  /** Place in the call's timeline, from 0. */
  index: z.int().min(0),
  fact: timelineFact,
});

/** What a model did that is billed; the timeline has it, too, as the fact of the same index. */
const usage = z.strictObject({
  type: z.literal('usage'),
  index: z.int().min(0),
  at: z.iso.datetime(),
  kind: z.string().max(64),
  /** The model's server, as host and port. */
  provider: z.string().max(260),
  model: z.string().max(128),
  units: z.record(z.string().max(64), z.number()),
  /** What all of it costs, by the price table of the gateway; null: it has no price there. */
  costUsd: z.number().min(0).nullable().default(null),
});

const closed = z.strictObject({
  type: z.literal('closed'),
  endedAt: z.iso.datetime(),
  durationMs: z.int().min(0),
  ending: z.string().max(64),
  endingClass: z.string().max(32),
  detail: text.nullable(),
  /** Statistics of the phone leg; null when there was none. */
  media: z.record(z.string(), z.unknown()).nullable(),
  /** How many facts were told of the call: they may come later than this. */
  facts: z.int().min(0).optional(),
});

export const callWord = z.discriminatedUnion('type', [opened, fact, usage, closed]);
export type CallWord = z.infer<typeof callWord>;

/** One entry of the spool: a word about one call. */
export const callEntry = z.strictObject({
  /** Counts the entries of one spool, from 1, without gaps. */
  seq: z.int().min(1),
  callId: z.string().min(1).max(200),
  /** The call's span: what follows from the word goes on from it. */
  traceparent: z.string().max(64).optional(),
  /** The life of the gateway's process that the call is of; empty: told before these had names. */
  run: runName.default(''),
  word: callWord,
});
export type CallEntry = z.infer<typeof callEntry>;

/** Names a gateway's spool for good. */
const gateway = z.string().min(1).max(200);
const entries = z.array(callEntry).min(1).max(500);

/** Entries of one tenant that follow one another in one gateway's spool. */
const words = z.strictObject({ type: z.literal('words'), gateway, entries });
export type WordBatch = z.infer<typeof words>;

/** The gateway's process is another one now, or gone for good: no call of this run goes on. */
const runOver = z.strictObject({ type: z.literal('run-over'), gateway, run: runName });
export type RunOver = z.infer<typeof runOver>;

export const transcriptsPayload = z.discriminatedUnion('type', [words, runOver]);

/** Version 1 knew of words alone. */
export const transcriptsV1 = z
  .strictObject({ gateway, entries })
  .transform((batch): WordBatch => ({ type: 'words', ...batch }));
