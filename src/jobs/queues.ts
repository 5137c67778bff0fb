/**
 * The table of queues: what each carries, and how hard it tries. Whoever adds a queue adds a row here and a
 * handler in work/. A payload that changes shape gets a new version beside the old one: jobs of both may
 * wait in Redis.
 */
import { z } from 'zod';
import { transcriptsPayload, transcriptsV1 } from './payloads/transcripts.ts';

export interface QueuePolicy {
  /** Tries in all, the first one included. A database or Redis that is away costs none of them. */
  readonly attempts: number;
  /**
   * Pause after the first failure, in ms; it doubles up to the longest. Each is shortened by up to a half,
   * at random.
   */
  readonly backoffFirstMs: number;
  readonly backoffMaxMs: number;
  /** Longest run of one job, in ms; then it has failed, and its `signal` is aborted. */
  readonly timeoutMs: number;
  /** Jobs at a time in one job process. */
  readonly concurrency: number;
}

export interface QueueRow<Schema extends z.ZodType = z.ZodType> extends QueuePolicy {
  /** The version that is written, and its schema. */
  readonly version: number;
  readonly payload: Schema;
  /** Older versions that may still wait, with what makes the newest of them. */
  readonly older?: Readonly<Record<number, z.ZodType<z.infer<Schema>>>>;
}

function row<Schema extends z.ZodType>(one: QueueRow<Schema>): QueueRow<Schema> {
  return one;
}

const id = z.string().min(1).max(200);
const e164 = z.string().regex(/^\+[1-9]\d{4,14}$/, 'must be a number such as +15550100');
const minute_ms = 60_000;

export const QUEUES = {
  /** What happened on calls, from the gateways' spools into the store. */
  transcripts: row({
    ...{ version: 2, payload: transcriptsPayload, older: { 1: transcriptsV1 } },
    // Nobody else has these facts: it tries for about two days.
    ...{ attempts: 200, backoffFirstMs: 500, backoffMaxMs: 15 * minute_ms, timeoutMs: minute_ms },
    // They go into the store together, in order, unless a job process dies or the database is away: whoever
    // sums a call up counts its facts.
    concurrency: 16,
  }),
  /** The customer's record: a contact by its number, and one activity per call. */
  crm: row({
    version: 1,
    payload: z.discriminatedUnion('type', [
      z.strictObject({ type: z.literal('call-ended'), callId: id }),
      z.strictObject({
        type: z.literal('contact'),
        callId: id.nullable(),
        e164,
        name: z.string().min(1).max(200).optional(),
        email: z.email().max(254).optional(),
        company: z.string().max(200).optional(),
        notes: z.string().max(4000).optional(),
        attributes: z.record(z.string().max(64), z.unknown()).optional(),
      }),
    ]),
    ...{
      attempts: 16,
      backoffFirstMs: 1000,
      backoffMaxMs: 30 * minute_ms,
      timeoutMs: 30_000,
      // What waits goes into the store together.
      concurrency: 16,
    },
  }),
  /** Short messages to send. The row in `messages` is made by the first try. */
  sms: row({
    version: 1,
    payload: z.strictObject({
      callId: id.nullable(),
      to: e164,
      from: z.string().max(32).optional(),
      body: z.string().min(1).max(1600).optional(),
      template: z.string().min(1).max(64).optional(),
      values: z.record(z.string().max(64), z.string().max(400)).optional(),
      /** The answer to STOP or START: it goes out although, and when, no other would. */
      isOptReply: z.boolean().optional(),
    }),
    ...{
      attempts: 10,
      backoffFirstMs: 1000,
      backoffMaxMs: 15 * minute_ms,
      timeoutMs: 30_000,
      // As above.
      concurrency: 16,
    },
  }),
  /** Calendars outside: an appointment as it stands in the store is put there or taken away. */
  calendar: row({
    version: 1,
    payload: z.discriminatedUnion('type', [
      z.strictObject({ type: z.literal('sync'), appointmentId: id }),
      /** Whoever asked for this booking gave up waiting, and told the caller that it was not made. */
      z.strictObject({ type: z.literal('withdraw'), attemptId: id }),
    ]),
    ...{
      attempts: 16,
      backoffFirstMs: 1000,
      backoffMaxMs: 30 * minute_ms,
      timeoutMs: 30_000,
      concurrency: 4,
    },
  }),
  /** Events for the tenant's own servers. */
  webhooks: row({
    version: 1,
    payload: z.strictObject({
      /** The same for every try and every receiver: they tell repetitions by it. */
      eventId: id,
      type: z.string().regex(/^[a-z][a-z_.-]{1,63}$/),
      at: z.iso.datetime(),
      data: z.record(z.string(), z.unknown()),
      /** The one receiver of this job; absent: a job for each that wants the event is made. */
      endpoint: z.string().min(1).max(64).optional(),
    }),
    ...{
      attempts: 10,
      backoffFirstMs: 5000,
      backoffMaxMs: 240 * minute_ms,
      timeoutMs: 20_000,
      concurrency: 16,
    },
  }),
  /** Who did what, into the append-only log. */
  audit: row({
    version: 1,
    payload: z.strictObject({
      at: z.iso.datetime(),
      actor: z.string().min(1).max(200),
      action: z.string().min(1).max(100),
      target: z.string().max(200).default(''),
      detail: z.record(z.string(), z.unknown()).default({}),
    }),
    ...{
      attempts: 100,
      backoffFirstMs: 500,
      backoffMaxMs: 15 * minute_ms,
      timeoutMs: 10_000,
      // They go into the chain together, so many at a time.
      concurrency: 32,
    },
  }),
} as const;

export type QueueName = keyof typeof QUEUES;
export type PayloadOf<Q extends QueueName> = z.infer<(typeof QUEUES)[Q]['payload']>;
export type PayloadInput<Q extends QueueName> = z.input<(typeof QUEUES)[Q]['payload']>;

export const QUEUE_NAMES = Object.keys(QUEUES) as QueueName[];

export function isQueueName(name: string): name is QueueName {
  return Object.hasOwn(QUEUES, name);
}
