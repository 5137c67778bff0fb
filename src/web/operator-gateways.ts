/**
 * Gateways, as operators see them: a list, and the word that one of them will never come back. That word ends
 * calls and cannot be taken back, so it wants an operator's key that may write.
 */
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { z } from 'zod';
import { TrunklineError } from '../base/errors.ts';
import type { OperatorKey } from './board/sessions.ts';
import { bearerOf, findByKey } from './keys.ts';

export interface KnownGateway {
  /** As its spool is called. */
  readonly gateway: string;
  /** The life of its process that was heard of last. */
  readonly run: string;
  /** When: by a word of its own, or a fact of an open call. */
  readonly heardAt: string;
  /** When somebody told that this life is over: its next start, or an operator. Null: it may live. */
  readonly overAt: string | null;
  /** In the store, of all its lives. */
  readonly openCalls: number;
  /** The one that answers. */
  readonly isThis: boolean;
}

export interface GatewayDesk {
  /** Heard of last first. @throws TrunklineError STORE_UNAVAILABLE */
  list(): Promise<readonly KnownGateway[]>;
  /**
   * Its calls are ended as its next start would end them. Resolves, with what was known of it, when that
   * cannot be lost any more; asked again, nothing happens twice.
   * @throws TrunklineError GATEWAY_UNKNOWN, GATEWAY_IS_THIS, GATEWAY_HEARD unless `evenIfHeard`,
   *   STORE_UNAVAILABLE, JOBS_UNAVAILABLE
   */
  declareGone(gateway: string, options: { readonly evenIfHeard: boolean }): Promise<KnownGateway>;
}

export interface GatewayParts {
  readonly desk: GatewayDesk;
  readonly keys: readonly OperatorKey[];
}

const goneBody = z.strictObject({ evenIfHeard: z.boolean().default(false) });

/** Adds them to a server that does not listen yet. */
export function gatewayRoutes(server: FastifyInstance, { desk, keys }: GatewayParts): void {
  server.get('/v1/gateways', async () => ({ gateways: await desk.list() }));
  server.post<{ Params: { gateway: string } }>('/v1/gateways/:gateway/gone', async (request, reply) => {
    admit(request, keys);
    const told = await desk.declareGone(request.params.gateway, goneBody.parse(request.body ?? {}));
    return reply.status(202).send(told);
  });
}

/** @throws TrunklineError OPERATOR_KEY_INVALID, API_FORBIDDEN */
function admit({ headers }: FastifyRequest, keys: readonly OperatorKey[]): void {
  const presented = bearerOf(headers.authorization, 300);
  const known = presented === undefined ? undefined : findByKey(keys, presented);
  if (known === undefined)
    throw new TrunklineError('OPERATOR_KEY_INVALID', 'no `Authorization: Bearer` with an operator key');
  if (!known.may_write) throw new TrunklineError('API_FORBIDDEN', 'this operator key may only look');
}
