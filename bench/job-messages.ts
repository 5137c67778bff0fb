/** What the bench and the gateway with a load of jobs say to each other over the IPC channel. */
import { z } from 'zod';

export const jobOrderSchema = z.discriminatedUnion('type', [
  /** So many calls end each second from now on. Answered by `loaded`. */
  z.strictObject({ type: z.literal('load'), callsPerSecond: z.number().min(0) }),
  /** Answered by `loaded`. */
  z.strictObject({ type: z.literal('report') }),
]);
export type JobOrder = z.infer<typeof jobOrderSchema>;

export const jobAnswerSchema = z.strictObject({
  type: z.literal('loaded'),
  /** Calls that were told so far. */
  calls: z.int(),
  /** Jobs that could not be put into the spool. */
  failed: z.array(z.string()),
  /** How late the pacers of the media threads ran since the last answer, of the latest thread, in ms. */
  pacingLate: z.strictObject({ p50Ms: z.number(), p99Ms: z.number() }),
});
export type JobAnswer = z.infer<typeof jobAnswerSchema>;
