/** A whole gateway in this process: what it says of itself, and that nothing is left when it closes. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { briefProfile, TestGateway } from '../../support/gateway.ts';
import { TestPhone } from '../../support/phone/phone.ts';
import { until } from '../../support/until.ts';

const number = '+15550100';

let gateway: TestGateway;
let phone: TestPhone;
beforeAll(async () => {
  gateway = await TestGateway.start({
    trunks: [{ name: 'local', allow: ['127.0.0.1/32'] }],
    numbers: [{ number, profile: 'brief' }],
    profiles: [briefProfile('brief', 60_000)],
    calls: { drain_ms: 200 },
  });
  phone = await TestPhone.start();
});
afterAll(async () => {
  await phone.close();
  await gateway.close();
});

async function ask(path: string): Promise<{ status: number; body: unknown }> {
  const response = await fetch(`${gateway.operatorUrl}${path}`);
  return { status: response.status, body: await response.json() };
}

describe('a gateway', () => {
  it('is ready, and has nothing open before the first call', async () => {
    expect(await ask('/readyz')).toEqual({ status: 200, body: { ready: true, troubles: [], warnings: [] } });
    const census = await gateway.gateway.census();
    expect(census).toMatchObject({ calls: 0, rooms: 0 });
    expect(census.threads.map((thread) => thread.census.legs)).toEqual([0]);
    expect(census.sfu).toMatchObject({ workers: 1, routers: 0, transports: 0 });
  });

  it('counts a call in every part while it lasts, and in none when it is over', async () => {
    const call = await phone.dial({ to: number, target: gateway.target });
    const record = await gateway.record(call.sipCallId, 'answered', ({ timeline }) =>
      timeline.some((entry) => entry.type === 'answered'),
    );
    expect(record).toMatchObject({ trunk: 'local', to: number, profile: 'brief' });
    const during = await gateway.gateway.census();
    expect(during).toMatchObject({ calls: 1, rooms: 1 });
    expect(during.threads[0]?.census).toMatchObject({ legs: 1, voices: 1, links: 1 });
    await call.hangUp();
    expect((await gateway.cdr(call.sipCallId)).ending).toBe('caller-hung-up');
    const after = await gateway.gateway.census();
    expect(after).toMatchObject({ calls: 0, rooms: 0 });
    expect(after.threads[0]?.census).toMatchObject({ legs: 0, voices: 0, links: 0, patches: 0 });
  });

  it('lists the call afterwards, with how it ended', async () => {
    const [newest] = await gateway.calls();
    expect(newest).toMatchObject({ ending: { slug: 'caller-hung-up', q850: 16 } });
    expect((await ask(`/v1/calls/${newest?.callId ?? ''}`)).status).toBe(200);
    expect(await ask('/v1/appointments')).toEqual({ status: 200, body: { appointments: [] } });
  });

  it('ends the calls that outlast the drain, refuses new ones, and closes for good', async () => {
    const call = await phone.dial({ to: number, target: gateway.target });
    const drained = gateway.gateway.drain();
    expect(await ask('/readyz')).toMatchObject({ status: 503 });
    await expect(phone.dial({ to: number, target: gateway.target })).rejects.toMatchObject({ status: 503 });
    await drained;
    await call.ended;
    expect(gateway.cdrs.map((cdr) => cdr.ending)).toContain('shutting-down');
    let refused = false;
    fetch(`${gateway.operatorUrl}/healthz`).catch(() => (refused = true));
    await until('the operator API is gone', () => refused);
  });
});
