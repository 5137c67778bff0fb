/** The HTTP API on a real database (PGlite) and a real socket; queues are a list that the test reads. */
import fastify, { type FastifyInstance } from 'fastify';
import type { ErrorCode } from '../../../src/base/errors.ts';
import { Journal } from '../../../src/room/journal.ts';
import type { Store } from '../../../src/store/store.ts';
import { createApiKey } from '../../../src/store/tables/api-keys.ts';
import type { DeadLetter } from '../../../src/store/tables/dead-letters.ts';
import { registerApi } from '../../../src/web/api/api.ts';
import type { ApiParts, CallJob, HookRequest, QueueCounts, SmsJob } from '../../../src/web/api/ports.ts';
import type { Scope } from '../../../src/web/api/scopes.ts';
import { ManualClock } from '../manual-clock.ts';
import { insertOne, TABLES } from '../store/one-of-each.ts';
import { openStore, silent, startDatabase, type TestDatabase } from '../store/databases.ts';

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  readonly body: Record<string, unknown>;
}

export class ApiStage {
  readonly store: Store;
  readonly journal = new Journal();
  readonly clock = new ManualClock();
  readonly refusals: ErrorCode[] = [];
  readonly replayed: DeadLetter[] = [];
  readonly sms: SmsJob[] = [];
  readonly hooks: HookRequest[] = [];
  counts: QueueCounts[] = [];
  /** By tenant and call, as `acme/call_1`. */
  readonly callJobs = new Map<string, CallJob[]>();
  url = '';
  /** Thrown by whatever would reach the queues; undefined: they are there. */
  queuesFail: Error | undefined;
  readonly #database: TestDatabase;
  readonly #server: FastifyInstance;

  private constructor(database: TestDatabase, store: Store) {
    this.#database = database;
    this.store = store;
    this.#server = fastify({ forceCloseConnections: true });
  }

  static async start(options: { requestsPerSecondMax?: number } = {}): Promise<ApiStage> {
    const database = await startDatabase('PGlite');
    const store = openStore(database.url);
    await store.migrate();
    await store.ensureTenants(['acme', 'other']);
    const stage = new ApiStage(database, store);
    await registerApi(stage.#server, stage.parts(options.requestsPerSecondMax));
    stage.url = await stage.#server.listen({ host: '127.0.0.1', port: 0 });
    return stage;
  }

  /** What the API stands on; also for a site of the test's own. */
  parts(requestsPerSecondMax = 1000): ApiParts {
    const work = <T>(result: T): Promise<T> =>
      this.queuesFail === undefined ? Promise.resolve(result) : Promise.reject(this.queuesFail);
    return {
      store: this.store,
      queues: {
        counts: () => work(this.counts),
        ofCall: ({ tenant, callId }) => work(this.callJobs.get(`${tenant}/${callId}`) ?? []),
        replay: async (letter) => {
          await work(undefined);
          this.replayed.push(letter);
        },
      },
      sendSms: async (job) => {
        await work(undefined);
        this.sms.push(job);
      },
      takeHook: async (request) => {
        await work(undefined);
        this.hooks.push(request);
      },
      numbers: [
        { number: '+15550100', tenant: 'acme', profile: 'clinic' },
        { number: '+15550200', tenant: 'other', profile: 'garage' },
      ],
      profiles: [
        { name: 'clinic', adapter: 'offline', language: 'en', tools: ['book_appointment'] },
        { name: 'garage', adapter: 'realtime', language: 'en', tools: [] },
      ],
      journal: this.journal,
      requestsPerSecondMax,
      version: '1.2.3',
      clock: this.clock,
      log: silent,
      refused: (code) => this.refusals.push(code),
    };
  }

  async key(tenant = 'acme', scopes: readonly Scope[] = ['admin']): Promise<string> {
    return (await this.newKey(tenant, scopes)).key;
  }

  /** One row of everything for the tenant; its audit chain stays as it is. */
  async fill(tenant: string): Promise<void> {
    const tables = TABLES.filter((table) => table !== 'tenants' && table !== 'audit');
    for (const table of tables) await this.store.tenant(tenant, (unit) => insertOne(unit, table, tenant));
  }

  newKey(
    tenant: string,
    scopes: readonly Scope[],
    expiresAt?: Date,
  ): Promise<{ key: string; apiKey: { key_id: string } }> {
    const expiry = expiresAt === undefined ? {} : { expiresAt };
    return this.store.tenant(tenant, (unit) => createApiKey(unit, { name: 'a test', scopes, ...expiry }));
  }

  async ask(
    method: 'GET' | 'POST' | 'DELETE',
    path: string,
    options: { key?: string; body?: unknown; headers?: Record<string, string> } = {},
  ): Promise<Answer> {
    const { key, body, headers = {} } = options;
    const response = await fetch(`${this.url}${path}`, {
      method,
      headers: {
        ...(key === undefined ? {} : { authorization: `Bearer ${key}` }),
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...headers,
      },
      ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    });
    const text = await response.text();
    const isJson = (response.headers.get('content-type') ?? '').includes('json');
    const parsed = isJson ? (JSON.parse(text) as Record<string, unknown>) : {};
    return { status: response.status, headers: response.headers, text, body: parsed };
  }

  async close(): Promise<void> {
    await this.#server.close();
    await this.store.close();
    await this.#database.close();
  }
}
