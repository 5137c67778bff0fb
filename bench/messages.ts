/** What the bench and its callers' process say to each other over the IPC channel. */
import { z } from 'zod';

/** Where to call, and how fast. */
export const callersOptionsSchema = z.strictObject({
  sipPort: z.int(),
  number: z.string(),
  /** New calls per second while ramping up. */
  callsPerSecond: z.number().positive(),
  /** Silence between the end of one probe and the next, per call. */
  probeEveryMs: z.int().min(200),
});
export type CallersOptions = z.infer<typeof callersOptionsSchema>;

export const orderSchema = z.discriminatedUnion('type', [
  /** Calls until `calls` are up. Answered by `up`. */
  z.strictObject({ type: z.literal('call'), calls: z.int().min(0) }),
  /** Forgets what was measured so far. */
  z.strictObject({ type: z.literal('reset') }),
  /** Answered by `measured`. */
  z.strictObject({ type: z.literal('report') }),
  /** Hangs all calls up. Answered by `down`. */
  z.strictObject({ type: z.literal('hang_up') }),
]);
export type Order = z.infer<typeof orderSchema>;

const times = z.array(z.number());
export const measurementsSchema = z.strictObject({
  /** INVITE sent to 200 received, in ms, one per call. */
  setupMs: times,
  /** Distance of each packet's arrival from 20 ms after the one before it, in ms. */
  jitterMs: times,
  /** Probe sent to its first sound back, in ms. */
  delayMs: times,
  probesLost: z.int(),
  packetsSent: z.int(),
  packetsReceived: z.int(),
  /** Sequence numbers that were missing. */
  packetsMissing: z.int(),
  /** Sequence numbers that came again, or too late. */
  packetsRepeated: z.int(),
  /** How late the callers' own clock ran, in ms: what the other figures carry of it. */
  ownLateMs: times,
});
export type Measurements = z.infer<typeof measurementsSchema>;

export const answerSchema = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal('up'), calls: z.int(), failed: z.array(z.string()) }),
  z.strictObject({ type: z.literal('measured'), measurements: measurementsSchema }),
  z.strictObject({ type: z.literal('down'), calls: z.int() }),
]);
export type Answer = z.infer<typeof answerSchema>;
