/** What all routes of the API share: their type, the scope they want, and the answers they may give. */
import type { FastifyBaseLogger, FastifyInstance, RawServerDefault } from 'fastify';
import type { ZodTypeProvider } from 'fastify-type-provider-zod';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { z } from 'zod';
import { TrunklineError } from '../../base/errors.ts';
import { page_rows_max } from '../../store/page.ts';
import { problemView } from './problems.ts';
import type { Scope } from './scopes.ts';

declare module 'fastify' {
  interface FastifyContextConfig {
    /** What the key must hold; `open`: the route wants none. Every route of the API has one. */
    scope?: Scope | 'open';
  }
}

export type Api = FastifyInstance<
  RawServerDefault,
  IncomingMessage,
  ServerResponse,
  FastifyBaseLogger,
  ZodTypeProvider
>;

export const pageQuery = z.object({
  limit: z.coerce.number().int().min(1).max(page_rows_max).default(50),
  cursor: z.string().min(1).max(400).optional(),
});

export const e164 = z.string().regex(/^\+[1-9]\d{4,14}$/, 'must be a number such as +15550100');

export const id = z.string().min(1).max(128);

/** The answer `view`, or a problem. */
export function answers<View extends z.ZodType>(view: View): { 200: View; '4xx': typeof problemView } {
  return { 200: view, '4xx': problemView };
}

/** @throws TrunklineError API_NOT_FOUND: rows of other tenants are no more there than lost ones. */
export function found<T>(row: T | undefined, what: string): T {
  if (row === undefined) throw new TrunklineError('API_NOT_FOUND', what);
  return row;
}
