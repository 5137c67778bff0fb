/** What the browser door serves over HTTP: the widget and its page, and tokens for the servers of tenants. */
import { existsSync } from 'node:fs';
import fastifyStatic from '@fastify/static';
import fastify, { type FastifyInstance, type FastifyReply } from 'fastify';
import { z } from 'zod';
import { ERROR_CATALOGUE, TrunklineError, type ErrorCode } from '../base/errors.ts';
import type { Log } from '../base/log.ts';
import { permissionsOf } from '../room/permissions.ts';
import { registerApi } from './api/api.ts';
import type { ApiParts } from './api/ports.ts';
import { registerProviderHooks } from './api/provider-hooks.ts';
import { registerBoard, type BoardParts } from './board/board.ts';
import { deskRole } from './desk-wire.ts';
import { bearerOf, findByKey } from './keys.ts';
import { servePages } from './pages.ts';
import type { DeskAccess, WebSettings } from './settings.ts';
import type { Tokens } from './tokens.ts';
import { permission, role } from './wire.ts';

const body_bytes_max = 16 * 1024;
const token_ttl_default_s = 300;

const tokenQuestion = z
  .strictObject({
    profile: z.string().min(1).max(128).optional(),
    room: z.string().min(1).max(128).optional(),
    /** Opens the page of a human agent or supervisor. */
    desk: z.literal(true).optional(),
    name: z.string().min(1).max(64).optional(),
    role: role.default('visitor'),
    permissions: z.array(permission).max(permission.options.length).optional(),
    ttl_s: z.int().min(1).default(token_ttl_default_s),
  })
  .refine(
    ({ profile, room, desk }) => [profile, room, desk].filter((one) => one !== undefined).length === 1,
    'give one of profile, room and desk',
  )
  .refine(
    ({ desk, role: asRole }) => desk === undefined || asRole === 'human' || asRole === 'supervisor',
    'a desk is for the roles human and supervisor',
  );

/** The desk's own way in, without a tenant's server: a key of the configuration. */
const deskQuestion = z.strictObject({
  key: z.string().min(1).max(128),
  name: z.string().trim().min(1).max(64),
  role: deskRole.default('human'),
});

export interface SiteParts {
  readonly settings: WebSettings;
  readonly deskAccess: DeskAccess;
  readonly tokens: Tokens;
  readonly profiles: ReadonlySet<string>;
  /** Tenant of an open room; undefined when there is none. */
  readonly tenantOf: (roomId: string) => string | undefined;
  readonly refused: (code: ErrorCode) => void;
  /** The built widget with its page. */
  readonly folder: string;
  /** The built pages of human agents (console/dist). */
  readonly consoleFolder: string;
  /** The HTTP API; without a store there is none. */
  readonly api?: ApiParts | undefined;
  /** The board of queues; without queues there is none. */
  readonly board?: BoardParts | undefined;
  readonly log: Log;
}

/** A server that does not listen yet. */
export async function createSite(parts: SiteParts): Promise<FastifyInstance> {
  const { folder, consoleFolder, log } = parts;
  const server = fastify({ bodyLimit: body_bytes_max, forceCloseConnections: true });
  // Not async: a reply is a promise of its own end, which an awaiting hook would wait for in vain.
  server.addHook('onSend', (_request, reply, _payload, done) => {
    void reply.header('x-content-type-options', 'nosniff');
    done();
  });
  server.setNotFoundHandler((request, reply) =>
    problem(reply, { title: 'Not found', status: 404, detail: `There is nothing at ${request.url}.` }),
  );
  server.setErrorHandler((error, _request, reply) => {
    if (error instanceof TrunklineError) return refuse(parts, reply, error);
    if (error instanceof z.ZodError)
      return problem(reply, { title: 'Bad request', status: 400, detail: z.prettifyError(error) });
    const status = statusOf(error);
    if (status === 500) log.error({ err: error }, 'web request failed');
    const detail = status === 500 ? 'The log holds the cause.' : 'The request cannot be read.';
    return problem(reply, { title: status === 500 ? 'Internal error' : 'Bad request', status, detail });
  });
  server.post('/v1/tokens', async (request, reply) => {
    const minted = await mint(parts, request.headers.authorization, request.body);
    return reply.header('cache-control', 'no-store').send(minted);
  });
  if (parts.api !== undefined) {
    await registerApi(server, parts.api);
    await registerProviderHooks(server, parts.api.takeHook);
  }
  if (parts.board !== undefined) await registerBoard(server, parts.board);
  server.post('/v1/desk/sessions', async (request, reply) => {
    const minted = await openDesk(parts, request.headers.origin, request.body);
    return reply.header('cache-control', 'no-store').send(minted);
  });
  if (existsSync(folder))
    await server.register(fastifyStatic, {
      root: folder,
      maxAge: 300_000,
      // Browsers give module scripts to other sites' pages only with this.
      setHeaders: (reply) => void reply.header('access-control-allow-origin', '*'),
    });
  else log.warn({ folder }, 'the widget is not built: nothing but signalling is served');
  const missing = await servePages(server, { folder: consoleFolder, pages: ['desk', 'console'] });
  if (missing.length > 0) log.warn({ consoleFolder, missing }, 'pages are not built and not served');
  return server;
}

async function mint(
  { settings, tokens, profiles, tenantOf }: SiteParts,
  authorization: string | undefined,
  body: unknown,
): Promise<{ token: string; expires_in_s: number }> {
  const key = bearerOf(authorization, 200) ?? '';
  const known = findByKey(settings.tenant_keys, key);
  if (known === undefined) throw new TrunklineError('WEB_KEY_INVALID', 'no such tenant key');
  const { profile, room, desk, name, role: asRole, permissions, ttl_s } = tokenQuestion.parse(body);
  if (profile !== undefined && !profiles.has(profile))
    throw new TrunklineError('WEB_NOT_FOUND', `profile ${profile}`);
  if (room !== undefined && tenantOf(room) !== known.tenant)
    throw new TrunklineError('WEB_NOT_FOUND', `room ${room}`);
  const ttlS = Math.min(ttl_s, settings.token_ttl_max_s);
  const grant = {
    tenant: known.tenant,
    role: asRole,
    permissions: permissionsOf(asRole, permissions),
    ...(profile === undefined ? {} : { profile }),
    ...(room === undefined ? {} : { roomId: room }),
    ...(desk === undefined ? {} : { desk }),
    ...(name === undefined ? {} : { name }),
  };
  return { token: await tokens.mint(grant, ttlS), expires_in_s: ttlS };
}

async function openDesk(
  { settings, deskAccess, tokens }: SiteParts,
  origin: string | undefined,
  body: unknown,
): Promise<{ token: string; expires_in_s: number }> {
  const { key, name, role: asRole } = deskQuestion.parse(body);
  if (origin === undefined || !deskAccess.origins.includes(origin))
    throw new TrunklineError('WEB_ORIGIN_REFUSED', `no desk is opened from ${origin ?? 'no origin'}`);
  const known = findByKey(deskAccess.keys, key);
  if (known === undefined) throw new TrunklineError('WEB_KEY_INVALID', 'no such desk key');
  if (!known.roles.includes(asRole)) throw new TrunklineError('WEB_KEY_INVALID', `not for a ${asRole}`);
  const ttlS = Math.min(token_ttl_default_s, settings.token_ttl_max_s);
  const grant = {
    tenant: known.tenant,
    role: asRole,
    permissions: permissionsOf(asRole),
    desk: true,
    name,
  } as const;
  return { token: await tokens.mint(grant, ttlS), expires_in_s: ttlS };
}

const STATUS_OF: Partial<Record<ErrorCode, number>> = { WEB_KEY_INVALID: 401, WEB_ORIGIN_REFUSED: 403 };

function refuse(parts: SiteParts, reply: FastifyReply, { code, detail }: TrunklineError): Promise<void> {
  parts.refused(code);
  const status = STATUS_OF[code] ?? 404;
  return problem(reply, { title: ERROR_CATALOGUE[code], status, detail, code });
}

/** RFC 9457. */
async function problem(
  reply: FastifyReply,
  details: { title: string; status: number; detail: string; code?: string },
): Promise<void> {
  await reply.status(details.status).type('application/problem+json').send(details);
}

/** What Fastify itself found wrong with a request (too long, not JSON) carries its status. */
function statusOf(error: unknown): number {
  const status = z.looseObject({ statusCode: z.int().min(400).max(499) }).safeParse(error);
  return status.success ? status.data.statusCode : 500;
}
