/**
 * /v1/live: calls as they happen, as server-sent events (WHATWG HTML, section 9.2). First `snapshot` with the
 * tenant's open calls, then `opened`, `added`, `caption` and `closed`. A comment every 15 s keeps it open.
 */
import type { FastifyReply } from 'fastify';
import { TrunklineError } from '../../base/errors.ts';
import type { CallRecord, Journal } from '../../room/journal.ts';
import type { Access } from './access.ts';
import type { ApiParts } from './ports.ts';
import type { Api } from './route.ts';

const keep_alive_ms = 15_000;
/** Streams of one tenant at a time. */
const streams_max = 50;
/** What a reader may be behind, in bytes, before it is cut off: it comes back and gets a new snapshot. */
const behind_bytes_max = 1_048_576;

const shown = (record: CallRecord): object => ({
  call_id: record.callId,
  source: record.source ?? 'phone',
  from_number: record.from,
  to_number: record.to,
  profile: record.profile,
  started_at: record.startedAt,
});

class Streams {
  readonly #counts = new Map<string, number>();

  take(tenant: string): boolean {
    const open = this.#counts.get(tenant) ?? 0;
    if (open >= streams_max) return false;
    this.#counts.set(tenant, open + 1);
    return true;
  }

  give(tenant: string): void {
    const open = (this.#counts.get(tenant) ?? 1) - 1;
    if (open > 0) this.#counts.set(tenant, open);
    else this.#counts.delete(tenant);
  }
}

export function liveRoutes(api: Api, access: Access, parts: Pick<ApiParts, 'journal' | 'clock'>): void {
  const streams = new Streams();
  api.get(
    '/live',
    {
      config: { scope: 'calls:read' },
      schema: { summary: 'Calls as they happen (text/event-stream)', tags: ['calls'] },
    },
    (request, reply) => {
      const { tenant } = access.keyOf(request);
      if (!streams.take(tenant)) throw new TrunklineError('API_TOO_FAST', `${streams_max} streams are open`);
      void reply.hijack();
      const stop = follow(parts, tenant, reply);
      request.raw.once('close', () => {
        streams.give(tenant);
        stop();
      });
      return reply;
    },
  );
}

function follow(
  { journal, clock }: Pick<ApiParts, 'journal' | 'clock'>,
  tenant: string,
  reply: FastifyReply,
): () => void {
  const out = reply.raw;
  out.writeHead(200, {
    'content-type': 'text/event-stream; charset=utf-8',
    'cache-control': 'no-store',
    'x-accel-buffering': 'no',
  });
  const write = (text: string): void => {
    if (out.writableLength > behind_bytes_max) out.destroy();
    else out.write(text);
  };
  const tell = (event: string, data: object): void => {
    write(`event: ${event}\ndata: ${JSON.stringify(data)}\n\n`);
  };
  const open = journal.list().filter((record) => record.tenant === tenant && record.ending === undefined);
  const calls = open.map((record) => ({ ...shown(record), timeline: record.timeline }));
  tell('snapshot', { calls });
  const stops = listen(journal, tenant, tell);
  let cancel = (): void => undefined;
  const keepAlive = (): void => {
    write(': here\n\n');
    cancel = clock.after(keep_alive_ms, keepAlive);
  };
  cancel = clock.after(keep_alive_ms, keepAlive);
  return () => {
    cancel();
    for (const stop of stops) stop();
    out.end();
  };
}

function listen(
  journal: Journal,
  tenant: string,
  tell: (event: string, data: object) => void,
): (() => void)[] {
  const isOurs = (callId: string): boolean => journal.get(callId)?.tenant === tenant;
  return [
    journal.events.on('opened', (record) => {
      if (record.tenant === tenant) tell('opened', shown(record));
    }),
    journal.events.on('added', ({ callId, entry }) => {
      if (isOurs(callId)) tell('added', { call_id: callId, entry });
    }),
    journal.events.on('caption', ({ callId, ...caption }) => {
      if (isOurs(callId)) tell('caption', { call_id: callId, ...caption });
    }),
    journal.events.on('closed', (record) => {
      if (record.tenant !== tenant) return;
      const { callId, ending, durationMs } = record;
      tell('closed', { call_id: callId, ending: ending?.slug ?? null, duration_ms: durationMs ?? null });
    }),
  ];
}
