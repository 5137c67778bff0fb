/** `Idempotency-Key`: a request that is sent again, because its answer was lost, acts once. */
import { createHash } from 'node:crypto';
import type { FastifyRequest } from 'fastify';
import { z } from 'zod';
import type { TenantRows } from '../../store/store.ts';
import { once } from '../../store/tables/idempotency-keys.ts';

const kept_ms = 24 * 3_600_000;

/** For routes that make something. Without the header they act each time. */
export const idempotencyHeaders = z.looseObject({
  'idempotency-key': z
    .string()
    .min(8)
    .max(200)
    .optional()
    .describe('Any string; the same one within a day gets the first answer'),
});

function keyOf(request: FastifyRequest): string | undefined {
  const given = request.headers['idempotency-key'];
  return typeof given === 'string' ? given : undefined;
}

/**
 * As `once`, with the request's own key; the body is its fingerprint.
 * @throws TrunklineError STORE_KEY_REUSED
 */
export async function onceForRequest<Answer>(
  unit: TenantRows,
  request: FastifyRequest,
  view: z.ZodType<Answer>,
  work: () => Promise<Answer>,
): Promise<Answer> {
  const key = keyOf(request);
  if (key === undefined) return work();
  const asked = JSON.stringify([request.method, request.url, request.body]);
  const fingerprint = createHash('sha256').update(asked).digest('hex');
  const keyed = { scope: 'api', key, fingerprint, expiresAt: new Date(Date.now() + kept_ms) };
  return once(unit, keyed, work, (stored) => view.parse(stored));
}
