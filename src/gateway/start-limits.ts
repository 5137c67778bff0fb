/** What tenants may have, counted in the Redis that all gateways share; alone where there is none. */
import type { Log } from '../base/log.ts';
import type { Metrics } from '../base/metrics.ts';
import type { Settings } from '../config.ts';
import { dayZoneOf } from '../config/limits.ts';
import { addressesOf } from '../jobs/addresses.ts';
import { connectRedis } from '../jobs/redis.ts';
import { TenantLimits } from '../limits/tenant-limits.ts';
import type { ClosingOrder } from './closing-order.ts';

/** Undefined when no tenant has limits. */
export async function startLimits(parts: {
  readonly settings: Settings;
  readonly metrics: Metrics;
  readonly log: Log;
  readonly order: ClosingOrder;
}): Promise<TenantLimits | undefined> {
  const { settings, metrics, log, order } = parts;
  const { config } = settings;
  if (config.limits.tenants.length === 0) return undefined;
  const tenants = config.limits.tenants.map((one) => ({ ...one, time_zone: dayZoneOf(one.tenant, config) }));
  const { redis: address } = await addressesOf(settings);
  const redis = config.jobs.keep ? connectRedis(address, { patient: false, log }) : undefined;
  const limits = new TenantLimits({ tenants, redis, prefix: address.prefix });
  order.add('limits of tenants', {
    close: async () => {
      await limits.close();
      redis?.disconnect();
    },
  });
  limits.events.on('refused', ({ tenant, reached: { limit } }) =>
    metrics.count('trunkline_limits_reached_total', { tenant, limit }),
  );
  limits.events.on('alone', ({ tenant }) => metrics.count('trunkline_limits_alone_total', { tenant }));
  return limits;
}
