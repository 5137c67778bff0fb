/** A call and what follows from it in the job process are one trace. */
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { ending } from '../../../src/base/ending.ts';
import { createTracer, type Tracer } from '../../../src/base/tracing.ts';
import { keepCalls } from '../../../src/gateway/keep-calls.ts';
import { CallTraces } from '../../../src/gateway/trace-calls.ts';
import { parcels } from '../../../src/jobs/forwarder.ts';
import { JobQueues } from '../../../src/jobs/job-queues.ts';
import { startJobProcess, type JobProcess } from '../../../src/jobs/job-process.ts';
import { isQueueName } from '../../../src/jobs/queues.ts';
import type { SpoolContent } from '../../../src/jobs/spool/line.ts';
import { handlersOf } from '../../../src/jobs/work/handlers.ts';
import { JobLater, JobRefused, type Handlers } from '../../../src/jobs/work.ts';
import { Journal } from '../../../src/room/journal.ts';
import { startRedis, type TestRedis } from '../../support/jobs/redis.ts';
import { OtlpReceiver } from '../../support/otlp-receiver.ts';
import { silent, startDatabase, type TestDatabase } from '../../support/store/databases.ts';
import { until } from '../../support/until.ts';

const patience_ms = 20_000;
const CONSUMER = 5;
const FAILED = 2;
const ORIGIN = {
  ...{ sipCallId: 's', tenant: 'acme', trunk: 'local', profile: 'desk', from: '+15550123', to: '+15550100' },
};

let redis: TestRedis;
let database: TestDatabase;
let jobs: JobQueues;
beforeAll(async () => {
  [redis, database] = await Promise.all([startRedis(), startDatabase('PGlite')]);
  jobs = new JobQueues(redis.address, silent);
});
afterAll(async () => {
  await jobs.close();
  await database.close();
  await redis.close();
});

/** Plays two calls that overlap to a gateway's bridge, and returns what it tells of them. */
function twoCalls(tracer: Tracer): SpoolContent[] {
  const journal = new Journal();
  const traces = new CallTraces(journal, tracer);
  const told: SpoolContent[] = [];
  const sink = { append: (content: SpoolContent): boolean => told.push(content) > 0 };
  const traceparentOf = traces.traceparentOf.bind(traces);
  keepCalls({ journal, sink, run: () => 'run_1', log: silent, traceparentOf });
  for (const callId of ['call_1', 'call_2']) journal.open({ ...ORIGIN, callId });
  for (const callId of ['call_1', 'call_2']) journal.close(callId, ending('agent-hung-up'));
  return told;
}

async function process(handlers: Handlers, otlpUrl: string): Promise<JobProcess> {
  return startJobProcess({
    ...{ redis: redis.address, database: { url: database.url, connectionsMax: 4, timeoutMs: 10_000 } },
    ...{ tenants: ['acme'], handlers, lockMs: 1000, log: silent },
    tracer: createTracer({ service: 'trunkline-worker', version: '1', otlpUrl }),
  });
}

describe('the jobs of a call', () => {
  it('are spans below it, each below what asked for it, and say how they failed', async () => {
    const receiver = await OtlpReceiver.start();
    onTestFinished(() => receiver.close());
    const tracer = createTracer({ service: 'trunkline-gateway', version: '1', otlpUrl: receiver.url });
    const told = twoCalls(tracer);
    await tracer.close();
    const done: string[] = [];
    const handlers: Handlers = {
      ...handlersOf({ lockMs: 1000 }),
      crm: async ({ tenant, key, attempt, data }, { jobs: more }) => {
        const isFirst = !done.includes(`${key} asked`);
        done.push(`${key} asked`);
        if (isFirst) throw new JobLater(1, 'not yet');
        const act = { at: new Date().toISOString(), actor: 'crm', action: data.type };
        await more.enqueue('audit', { tenant, key: `${key}/audit/${attempt}`, data: act });
        done.push(`${key} done`);
      },
      webhooks: ({ key }) => {
        done.push(`${key} done`);
        return Promise.reject(new JobRefused('WEBHOOK_REFUSED', 'a name that traces need not know'));
      },
    };
    const running = await process(handlers, receiver.url);
    const entries = told.map((content, index) => ({ seq: index + 1, content }));
    for (const { queue, envelope } of parcels('gw', entries))
      if (isQueueName(queue)) await jobs.add(queue, [envelope]);
    // A batch of both calls, two jobs of the CRM, and four events for webhooks.
    await until('all jobs', () => done.filter((one) => one.endsWith(' done')).length === 6, patience_ms);
    let left = 1;
    const look = (): void =>
      void jobs.depths().then((depths) => (left = Object.values(depths).reduce((a, b) => a + b)));
    await until('the queues to be empty', () => (look(), left === 0), patience_ms);
    await running.close(1000);

    expect([...receiver.services].sort()).toEqual(['trunkline-gateway', 'trunkline-worker']);
    const calls = receiver.named('call');
    const traceIds = calls.map((one) => one.traceId);
    expect(new Set(traceIds).size).toBe(2);
    const [batch, ...others] = receiver.named('job transcripts');
    expect(others).toEqual([]);
    expect(batch).toMatchObject({ kind: CONSUMER, attributes: { tenant: 'acme', attempt: 1 } });
    expect(calls.map((one) => one.spanId)).toContain(batch?.parentSpanId);
    const crm = receiver.named('job crm');
    expect(crm.map((one) => one.traceId).sort()).toEqual([...traceIds, ...traceIds].sort());
    expect(crm.every((one) => one.status.code === 0)).toBe(true);
    for (const audit of receiver.named('job audit')) {
      const parent = crm.find((one) => one.spanId === audit.parentSpanId);
      expect(parent?.traceId).toBe(audit.traceId);
    }
    expect(receiver.named('job audit')).toHaveLength(2);
    const hooks = receiver.named('job webhooks');
    expect(new Set(hooks.map((one) => one.traceId))).toEqual(new Set(traceIds));
    for (const one of hooks) expect(one.status).toEqual({ code: FAILED, message: 'WEBHOOK_REFUSED' });
  });
});
