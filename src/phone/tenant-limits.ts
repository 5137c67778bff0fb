/** Of the calls that all share one tenant may have so many at a time, and so many new ones per second. */
import type { Clock } from '../base/clock.ts';
import { TokenBucket } from '../base/token-bucket.ts';
import type { TenantCallLimits } from './settings.ts';

interface Kept {
  readonly limits: TenantCallLimits;
  /** Undefined: as fast as the gateway takes them. */
  readonly pace: TokenBucket | undefined;
}

export class TenantLimits {
  readonly #byTenant: ReadonlyMap<string, Kept>;

  constructor(limits: readonly TenantCallLimits[], clock: Clock) {
    this.#byTenant = new Map(
      limits.map((one) => {
        const perSecond = one.calls_per_second_max;
        const pace = perSecond === 0 ? undefined : new TokenBucket(perSecond, clock);
        return [one.tenant, { limits: one, pace }];
      }),
    );
  }

  /** Counts one more call of the tenant, unless a limit is reached: its name and value then. */
  refusalOf(tenant: string, openCalls: () => number): string | undefined {
    const kept = this.#byTenant.get(tenant);
    if (kept === undefined) return undefined;
    const { calls_max: atOnce, calls_per_second_max: perSecond } = kept.limits;
    // Before the pace: a call that finds no room must not use up the turn of one that will.
    if (atOnce > 0 && openCalls() >= atOnce) return `calls_max (${atOnce}) of tenant ${tenant} is reached`;
    if (kept.pace?.take() === false)
      return `calls_per_second_max (${perSecond}) of tenant ${tenant} is reached`;
    return undefined;
  }
}
