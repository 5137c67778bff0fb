/** What stands around every payload: its version, whose it is, and the key by which it happens once. */
import { createHash } from 'node:crypto';
import { z } from 'zod';
import { TrunklineError } from '../base/errors.ts';
import { QUEUES, type PayloadInput, type PayloadOf, type QueueName, type QueueRow } from './queues.ts';

export const tenantName = z.string().regex(/^(_system|[a-z][a-z0-9-]{0,63})$/);

export const envelopeSchema = z.strictObject({
  v: z.int().min(1),
  tenant: tenantName,
  /** The same key in the same queue is the same job, however often it is given. */
  key: z.string().min(1).max(400),
  /** When it was asked for. */
  at: z.iso.datetime(),
  /** The span that asked for it (W3C Trace Context), when somebody traces. */
  traceparent: z.string().max(64).optional(),
  /** The call that it follows from, if it follows from one. */
  callId: z.string().min(1).max(200).optional(),
  data: z.unknown(),
});
export type Envelope = z.infer<typeof envelopeSchema>;

export interface NewJob<Q extends QueueName> {
  readonly tenant: string;
  /** What this job is about, such as `call_x/sms/1`: all its side effects are done once per key. */
  readonly key: string;
  readonly data: PayloadInput<Q>;
  /** Not before so many ms from now. */
  readonly delayMs?: number;
  /** The span that it goes on from; empty or none: a trace of its own. */
  readonly traceparent?: string | undefined;
  /** The call that it follows from; none: the one that its data names, if they name one. */
  readonly callId?: string | undefined;
}

/** @throws TrunklineError JOB_PAYLOAD_INVALID: whoever asks for the job is wrong, and is told at once */
export function wrap<Q extends QueueName>(queue: Q, job: NewJob<Q>): Envelope {
  const parsed = QUEUES[queue].payload.safeParse(job.data);
  if (!parsed.success) throw invalid(queue, z.prettifyError(parsed.error));
  return wrapChecked(queue, job, parsed.data as PayloadOf<Q>);
}

/** As `wrap`, around a payload whose parts were checked when they came. @throws for what is around it */
export function wrapChecked<Q extends QueueName>(
  queue: Q,
  job: Omit<NewJob<Q>, 'data'>,
  data: PayloadOf<Q>,
): Envelope {
  const { tenant, key, traceparent = '', callId = callIn(data) } = job;
  const envelope = {
    ...{ v: QUEUES[queue].version, tenant, key, at: new Date().toISOString() },
    ...(traceparent === '' ? {} : { traceparent }),
    ...(callId === undefined ? {} : { callId }),
    data,
  };
  const whole = envelopeSchema.safeParse(envelope);
  if (!whole.success) throw invalid(queue, z.prettifyError(whole.error));
  return whole.data;
}

function callIn(data: object): string | undefined {
  return 'callId' in data && typeof data.callId === 'string' ? data.callId : undefined;
}

export interface Opened<Q extends QueueName> extends Omit<Envelope, 'data'> {
  readonly data: PayloadOf<Q>;
}

/**
 * @throws TrunklineError JOB_PAYLOAD_INVALID: not an envelope, a version nobody knows here, or a wrong shape
 */
export function unwrap<Q extends QueueName>(queue: Q, given: unknown): Opened<Q> {
  return unwrapBy(QUEUES[queue], queue, given) as Opened<Q>;
}

/** As `unwrap`, by any row: the newest version, or an older one that is brought up to it. */
export function unwrapBy(row: QueueRow, queue: string, given: unknown): Envelope {
  const envelope = envelopeSchema.safeParse(given);
  if (!envelope.success) throw invalid(queue, z.prettifyError(envelope.error));
  const { v } = envelope.data;
  const schema = v === row.version ? row.payload : row.older?.[v];
  if (schema === undefined) throw invalid(queue, `version ${v} is not known here`);
  const data = schema.safeParse(envelope.data.data);
  if (!data.success) throw invalid(queue, `version ${v}: ${z.prettifyError(data.error)}`);
  return { ...envelope.data, data: data.data };
}

function invalid(queue: string, detail: string): TrunklineError {
  return new TrunklineError('JOB_PAYLOAD_INVALID', `${queue}: ${detail}`);
}

/**
 * The id of a job in Redis: the same for the same tenant and key, and free of the `:` that BullMQ keeps for
 * itself.
 */
export function jobIdOf(tenant: string, key: string): string {
  return createHash('sha256')
    .update(JSON.stringify([tenant, key]))
    .digest('base64url');
}
