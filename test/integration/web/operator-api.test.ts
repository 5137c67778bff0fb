import { afterEach, describe, expect, it } from 'vitest';
import { ending } from '../../../src/base/ending.ts';
import { createLog } from '../../../src/base/log.ts';
import { Metrics } from '../../../src/base/metrics.ts';
import { Journal } from '../../../src/room/journal.ts';
import { OperatorApi } from '../../../src/web/operator-api.ts';

const open: OperatorApi[] = [];
afterEach(async () => {
  await Promise.all(open.splice(0).map((api) => api.close()));
});

async function start(
  troubles: string[] = [],
  warnings: string[] = [],
): Promise<{ api: OperatorApi; journal: Journal }> {
  const journal = new Journal();
  const api = await OperatorApi.start(
    {
      journal,
      metrics: new Metrics({ ofProcess: false }),
      troubles: () => troubles,
      warnings: () => warnings,
      census: () => Promise.resolve({ legs: 0 }),
      records: {
        appointments: () => [{ name: 'Anna Miller', day: '2030-01-02', time: '10:00' }],
        messages: () => [],
      },
    },
    { host: '127.0.0.1', port: 0, log: createLog({ level: 'silent' }) },
  );
  open.push(api);
  return { api, journal };
}

const origin = {
  callId: 'call_1',
  sipCallId: 'abc@127.0.0.1',
  tenant: 'default',
  trunk: 'local',
  from: '+15550199',
  to: '+15550100',
  profile: 'clinic-receptionist',
};

async function get(
  api: OperatorApi,
  path: string,
): Promise<{ status: number; body: Record<string, unknown> }> {
  const response = await fetch(`${api.url}${path}`);
  return { status: response.status, body: (await response.json()) as Record<string, unknown> };
}

describe('the operator API', () => {
  it('says that it lives, and whether it takes calls', async () => {
    const { api } = await start();
    expect((await get(api, '/healthz')).body).toEqual({ status: 'alive' });
    expect(await get(api, '/readyz')).toEqual({
      status: 200,
      body: { ready: true, troubles: [], warnings: [] },
    });
    const ill = await start(['the SIP server is lost']);
    expect(await get(ill.api, '/readyz')).toEqual({
      status: 503,
      body: { ready: false, troubles: ['the SIP server is lost'], warnings: [] },
    });
  });

  it('goes on taking calls when there is something to see to, and says what', async () => {
    const warnings = ['Redis takes no jobs: 3 wait in the spool'];
    const { api } = await start([], warnings);
    expect(await get(api, '/readyz')).toEqual({ status: 200, body: { ready: true, troubles: [], warnings } });
  });

  it('serves what Prometheus reads, in its own format', async () => {
    const { api } = await start();
    const response = await fetch(`${api.url}/metrics`);
    expect(response.headers.get('content-type')).toMatch(/^text\/plain; version=0\.0\.4/);
    expect(await response.text()).toMatch(/^# TYPE trunkline_calls_active gauge$/m);
  });

  it('tells a call with its timeline, found by either id', async () => {
    const { api, journal } = await start();
    journal.open(origin);
    journal.add('call_1', { type: 'heard', text: 'tomorrow at ten' });
    journal.close('call_1', ending('agent-hung-up'));
    const byId = await get(api, '/v1/calls/call_1');
    expect(byId.body).toMatchObject({ callId: 'call_1', ending: { slug: 'agent-hung-up', q850: 16 } });
    const bySip = await get(api, `/v1/calls?sip_call_id=${encodeURIComponent(origin.sipCallId)}`);
    expect(bySip.body['calls']).toMatchObject([
      { timeline: [{ type: 'heard', text: 'tomorrow at ten', atMs: expect.any(Number) as number }] },
    ]);
    const other = await get(api, '/v1/calls?sip_call_id=unknown');
    expect(other.body).toEqual({ calls: [] });
  });

  it('lists the newest call first and no more than asked for', async () => {
    const { api, journal } = await start();
    for (const callId of ['a', 'b', 'c']) journal.open({ ...origin, callId });
    const { body } = await get(api, '/v1/calls?limit=2');
    expect((body['calls'] as { callId: string }[]).map((call) => call.callId)).toEqual(['c', 'b']);
  });

  it.each(['/v1/calls?limit=0', '/v1/calls?limit=x', '/v1/calls?unknown=1'])('refuses %s', async (path) => {
    const { api } = await start();
    const { status, body } = await get(api, path);
    expect(status).toBe(400);
    expect(body).toMatchObject({ title: 'Bad request', status: 400 });
  });

  it('answers 404 as a problem', async () => {
    const { api } = await start();
    expect(await get(api, '/v1/calls/none')).toMatchObject({ status: 404, body: { title: 'No such call' } });
    expect(await get(api, '/nothing')).toMatchObject({ status: 404, body: { title: 'Not found' } });
  });

  it.each([
    ['a path that cannot be decoded', '/v1/calls/%zz', {}, 400],
    ['a path that is too long', `/v1/calls/${'a'.repeat(5000)}`, {}, 414],
    ['a body that is no JSON', '/v1/calls', { body: '{bad' }, 400],
    ['a body that is too long', '/v1/calls', { body: `"${'x'.repeat(70_000)}"` }, 413],
    ['a limit that is none', '/v1/calls?limit=many', {}, 400],
  ])("tells %s as the asker's problem", async (_what, path, request, status) => {
    const { api } = await start();
    const post = { method: 'POST', headers: { 'Content-Type': 'application/json' } };
    const response = await fetch(`${api.url}${path}`, 'body' in request ? { ...post, ...request } : {});
    expect(response.status).toBe(status);
    expect(response.headers.get('Content-Type')).toContain('application/problem+json');
    expect(await response.json()).toMatchObject({ status, title: 'Bad request' });
  });

  it('answers 500 and tells the log alone when a part fails', async () => {
    const sources = { journal: new Journal(), troubles: () => [], warnings: () => [], records: {} };
    const api = await OperatorApi.start(
      {
        metrics: new Metrics({ ofProcess: false }),
        ...sources,
        census: () => Promise.reject(new Error('secret')),
      },
      { host: '127.0.0.1', port: 0, log: createLog({ level: 'silent' }) },
    );
    open.push(api);
    const { status, body } = await get(api, '/v1/census');
    expect(status).toBe(500);
    expect(JSON.stringify(body)).not.toContain('secret');
  });

  it('lists appointments and the census', async () => {
    const { api } = await start();
    expect((await get(api, '/v1/appointments')).body).toMatchObject({
      appointments: [{ name: 'Anna Miller' }],
    });
    expect((await get(api, '/v1/census')).body).toEqual({ legs: 0 });
  });
});
