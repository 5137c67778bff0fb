/** A database and queues by hand; each test has a tenant of its own in it. */
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll } from 'vitest';
import type { Store, TenantRows } from '../../../src/store/store.ts';
import { listMessages, type Message } from '../../../src/store/tables/messages.ts';
import { openStore, startDatabase, type TestDatabase } from '../store/databases.ts';
import { HandQueue } from './hand-queue.ts';

export interface WorkStage {
  readonly tenant: string;
  readonly queue: HandQueue;
  unit<T>(work: (unit: TenantRows) => Promise<T>): Promise<T>;
  /** Newest first. */
  messages(): Promise<Message[]>;
}

/** Registers the database with the test file; the function makes a stage. */
export function workStages(): () => Promise<WorkStage> {
  let database: TestDatabase;
  let store: Store;
  beforeAll(async () => {
    database = await startDatabase('PGlite');
    store = openStore(database.url);
    await store.migrate();
  });
  afterAll(async () => {
    await store.close();
    await database.close();
  });
  return async () => {
    const tenant = `t-${randomUUID().slice(0, 8)}`;
    await store.ensureTenants([tenant]);
    return {
      tenant,
      queue: new HandQueue(store),
      unit: (work) => store.tenant(tenant, work),
      messages: async () => (await store.tenant(tenant, (unit) => listMessages(unit, { limit: 100 }))).rows,
    };
  };
}
