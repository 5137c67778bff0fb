/** Limits of tenants in a whole gateway, and the Redis and the figures that they are wired to. */
import { describe, expect, it, onTestFinished } from 'vitest';
import { Metrics } from '../../../src/base/metrics.ts';
import { configSchema } from '../../../src/config-schema.ts';
import { readEnvironment, type Settings } from '../../../src/config.ts';
import { ClosingOrder } from '../../../src/gateway/closing-order.ts';
import { startLimits } from '../../../src/gateway/start-limits.ts';
import { briefProfile, TestGateway } from '../../support/gateway.ts';
import { startRedis } from '../../support/jobs/redis.ts';
import { ask } from '../../support/limits/settings.ts';
import { TestPhone } from '../../support/phone/phone.ts';
import { silent } from '../../support/store/databases.ts';
import { eventually } from '../../support/until.ts';

const number = '+15550100';

function settingsOf(dataDir: string, tenants: object[], keep = true): Settings {
  const config = configSchema.parse({
    ...{ trunks: [{ name: 'local', allow: ['127.0.0.1'] }], numbers: [{ number, profile: 'brief' }] },
    ...{ limits: { tenants }, jobs: { keep } },
  });
  return { config, profiles: new Map(), dataDir, environment: readEnvironment({}) };
}

async function start(settings: Settings) {
  const [metrics, order] = [new Metrics({ ofProcess: false }), new ClosingOrder(silent)];
  onTestFinished(() => order.close());
  const limits = await startLimits({ settings, metrics, log: silent, order });
  return { limits, metrics };
}

describe('limits of tenants', () => {
  it('are asked for by nobody when no tenant has any', async () => {
    expect((await start(settingsOf('/nonexistent', []))).limits).toBeUndefined();
  });

  it('need no Redis where there is none', async () => {
    const tenants = [{ tenant: 'acme', calls_max: 1 }];
    const { limits, metrics } = await start(settingsOf('/nonexistent', tenants, false));
    if (limits === undefined) throw new Error('no limits');
    expect([await ask(limits), await ask(limits)]).toEqual(['in', 'TENANT_CALLS_FULL']);
    const page = await metrics.scrape();
    expect(page).toContain('trunkline_limits_reached_total{tenant="acme",limit="calls_max"} 1');
    expect(page).not.toMatch(/^trunkline_limits_alone_total\{/m);
  });

  it('are shared by the Redis of the configuration, and it is counted when they are not', async () => {
    const redis = await startRedis('no');
    onTestFinished(() => redis.close());
    const settings = settingsOf(redis.dataDir, [{ tenant: 'acme', calls_max: 2 }]);
    const [one, other] = [await start(settings), await start(settings)];
    const [first, second] = [one.limits, other.limits];
    if (first === undefined || second === undefined) throw new Error('no limits');
    await ask(first);
    await eventually(
      'the first is known',
      () => ask(second),
      (code) => code === 'TENANT_CALLS_FULL',
    );
    await redis.stop();
    await ask(first);
    expect(await one.metrics.scrape()).toMatch(/trunkline_limits_alone_total\{tenant="acme"\} [1-9]/);
  });

  it('refuse calls of a whole gateway, which tells its operator', async () => {
    const gateway = await TestGateway.start({
      trunks: [{ name: 'local', allow: ['127.0.0.1/32'] }],
      numbers: [{ number, profile: 'brief' }],
      profiles: [briefProfile('brief', 60_000)],
      calls: { drain_ms: 200 },
      limits: { tenants: [{ tenant: 'default', calls_max: 1 }] },
    });
    const phone = await TestPhone.start();
    onTestFinished(async () => {
      await phone.close();
      await gateway.close();
    });
    const dial = () => phone.dial({ to: number, target: gateway.target });
    const call = await dial();
    await expect(dial()).rejects.toMatchObject({ status: 503 });
    const refused = gateway.cdrs.find((cdr) => cdr.ending === 'no-capacity');
    expect(refused?.detail).toBe('TENANT_CALLS_FULL: calls_max (1) of tenant default is reached');
    const page = await (await fetch(`${gateway.operatorUrl}/metrics`)).text();
    expect(page).toContain('trunkline_limits_reached_total{tenant="default",limit="calls_max"} 1');
    await call.hangUp();
    await gateway.cdr(call.sipCallId);
    await (await dial()).hangUp();
  });
});
