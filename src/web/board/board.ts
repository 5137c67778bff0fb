/**
 * /board: bull-board, for operators. It shows payloads of all tenants, so no tenant's key opens it. Whoever
 * may only look gets a board without buttons, and is refused whatever else he sends.
 *
 *   /board           the form, or on to one's board
 *   /board/session   POST: sign in; the session is a cookie that no script and no other site can use
 *   /board/read, /board/write
 */
import { createBullBoard } from '@bull-board/api';
import { BullMQAdapter } from '@bull-board/api/bullMQAdapter';
import { FastifyAdapter } from '@bull-board/fastify';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Clock } from '../../base/clock.ts';
import { ERROR_CATALOGUE, isErrorCode, TrunklineError, type ErrorCode } from '../../base/errors.ts';
import type { Log } from '../../base/log.ts';
import { session_ms_max, Sessions, type OperatorKey, type Session } from './sessions.ts';
import { SIGN_IN_POLICY, signInPage } from './sign-in.ts';

/** A queue of BullMQ, which this folder must not import. */
export type BoardQueue = ConstructorParameters<typeof BullMQAdapter>[0];

export interface BoardParts {
  /** @throws TrunklineError JOBS_UNAVAILABLE while Redis was never there */
  readonly queues: () => readonly BoardQueue[];
  readonly keys: readonly OperatorKey[];
  /** Keeps who did what. @throws TrunklineError JOBS_UNAVAILABLE: then it is not done */
  readonly record: (action: string, target: string) => Promise<void>;
  readonly refused: (code: ErrorCode) => void;
  readonly clock: Clock;
  readonly log: Log;
}

const COOKIE = 'trunkline_board';
const body_bytes_max = 1024;

/** bull-board sets styles by script, and nothing of it comes from elsewhere. */
const BOARD_POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self' 'unsafe-inline'",
  "img-src 'self' data:",
  "font-src 'self' data:",
  "connect-src 'self'",
  "base-uri 'self'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

const KINDS = [
  { path: '/board/read', write: false },
  { path: '/board/write', write: true },
] as const;

/** Adds the board to a server that does not listen yet. */
export async function registerBoard(server: FastifyInstance, parts: BoardParts): Promise<void> {
  const sessions = new Sessions(parts.keys, parts.clock);
  await server.register(async (scoped) => {
    scoped.setErrorHandler((error, request, reply) => refuse(parts, error, request, reply));
    scoped.addContentTypeParser(
      'application/x-www-form-urlencoded',
      { parseAs: 'string', bodyLimit: body_bytes_max },
      (_request, body, done) => done(null, new URLSearchParams(String(body))),
    );
    signInRoutes(scoped, sessions);
    for (const kind of KINDS) await scoped.register((board) => addBoard(board, kind, sessions, parts));
  });
}

function signInRoutes(scoped: FastifyInstance, sessions: Sessions): void {
  scoped.get('/board', (request, reply) => {
    const session = sessions.find(tokenOf(request));
    return session === undefined ? sendSignIn(reply) : reply.redirect(pathOf(session), 303);
  });
  scoped.post('/board/session', (request, reply) => {
    const key = request.body instanceof URLSearchParams ? (request.body.get('key') ?? '') : '';
    const { token, session } = sessions.open(key.trim());
    return reply.header('set-cookie', cookie(request, token)).redirect(pathOf(session), 303);
  });
  scoped.get('/board/sign-out', (request, reply) => {
    sessions.close(tokenOf(request));
    return reply.header('set-cookie', cookie(request, '', 0)).redirect('/board', 303);
  });
}

async function addBoard(
  board: FastifyInstance,
  { path, write }: (typeof KINDS)[number],
  sessions: Sessions,
  parts: BoardParts,
): Promise<void> {
  const serverAdapter = new FastifyAdapter();
  serverAdapter.setBasePath(path);
  const { setQueues } = createBullBoard({
    ...{ queues: [], serverAdapter },
    options: {
      uiConfig: {
        boardTitle: 'Trunkline',
        miscLinks: [
          { text: 'Console', url: '/console' },
          { text: 'Sign out', url: '/board/sign-out' },
        ],
      },
    },
  });
  let shown: readonly BoardQueue[] = [];
  const admit = async (request: FastifyRequest): Promise<void> => {
    const session = sessions.find(tokenOf(request));
    if (session === undefined)
      throw new TrunklineError('OPERATOR_KEY_INVALID', 'not signed in, or no longer');
    if (session.mayWrite !== write)
      throw new TrunklineError('API_FORBIDDEN', `this session has ${pathOf(session)}`);
    if (request.method !== 'GET') {
      if (!write) throw new TrunklineError('API_FORBIDDEN', 'this operator key may only look');
      await parts.record(`board.${request.method.toLowerCase()}`, request.url);
    }
    if (shown.length > 0) return;
    shown = parts.queues();
    setQueues(shown.map((queue) => new BullMQAdapter(queue, { readOnlyMode: !write })));
  };
  board.addHook('onRequest', async (request, reply) => {
    try {
      await admit(request);
      void reply.header('content-security-policy', BOARD_POLICY).header('cache-control', 'no-store');
      void reply.header('referrer-policy', 'no-referrer');
    } catch (error) {
      // Told here: within bull-board its own handler of errors would tell more than it should.
      return refuse(parts, error, request, reply);
    }
  });
  await board.register(serverAdapter.registerPlugin(), { prefix: path });
}

const pathOf = ({ mayWrite }: Session): string => (mayWrite ? '/board/write' : '/board/read');

/** The session's token; empty when the request has none. */
function tokenOf(request: FastifyRequest): string {
  const found = (request.headers.cookie ?? '').split(/; ?/).find((one) => one.startsWith(`${COOKIE}=`));
  return found?.slice(COOKIE.length + 1) ?? '';
}

/** `Secure` when a proxy says that the browser came by TLS: without one there is none. */
function cookie(request: FastifyRequest, token: string, ageMs = session_ms_max): string {
  const secure = request.headers['x-forwarded-proto'] === 'https' ? '; Secure' : '';
  const age = Math.round(ageMs / 1000);
  return `${COOKIE}=${token}; Path=/board; Max-Age=${age}; HttpOnly; SameSite=Strict${secure}`;
}

function sendSignIn(reply: FastifyReply, status = 200, trouble = ''): FastifyReply {
  return reply
    .status(status)
    .type('text/html; charset=utf-8')
    .header('content-security-policy', SIGN_IN_POLICY)
    .header('cache-control', 'no-store')
    .header('referrer-policy', 'no-referrer')
    .send(signInPage(trouble));
}

const STATUS: Partial<Record<ErrorCode, number>> = {
  OPERATOR_KEY_INVALID: 401,
  API_FORBIDDEN: 403,
  API_TOO_FAST: 429,
  JOBS_UNAVAILABLE: 503,
};

/** People get the form again, programs problem details (RFC 9457). Not async: a reply is a promise itself. */
function refuse(
  parts: BoardParts,
  error: unknown,
  request: FastifyRequest,
  reply: FastifyReply,
): FastifyReply {
  const own = error instanceof TrunklineError ? error : undefined;
  const code = own?.code ?? 'API_FAILED';
  const status = STATUS[code] ?? 500;
  if (status === 500) parts.log.error({ err: error, url: request.url }, 'the board of queues failed');
  if (isErrorCode(code)) parts.refused(code);
  const isForm = request.url === '/board/session' || request.headers.accept?.includes('text/html') === true;
  if (isForm) return sendSignIn(reply, status, `${code}: ${ERROR_CATALOGUE[code]}`);
  const detail = status === 500 ? 'The log holds the cause.' : (own?.detail ?? '');
  return reply
    .status(status)
    .type('application/problem+json')
    .send({ title: ERROR_CATALOGUE[code], status, detail, code });
}
