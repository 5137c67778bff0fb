/**
 * What single tenants may have of what all share: calls and visits at a time, how fast they come, and minutes
 * of a day. Counted over all gateways that share a Redis; while that is away, each goes by what it knows.
 */
import { systemClock, type Clock } from '../base/clock.ts';
import { Events } from '../base/events.ts';
import {
  FREE_PLACE,
  isReached,
  type Entry,
  type LimitReached,
  type Place,
  type TenantGate,
} from '../room/tenant-gate.ts';
import type { TenantLimitSettings } from './settings.ts';
import type { SharedRedis } from './shared-answer.ts';
import { TenantCount } from './tenant-count.ts';

/** How often the minutes of calls in progress are booked, in ms. */
export const book_every_ms = 15_000;

export interface LimitEvents {
  refused: { readonly tenant: string; readonly reached: LimitReached };
  /** Decided without Redis, though there is one. */
  alone: { readonly tenant: string };
}

export interface TenantLimitsOptions extends SharedRedis {
  readonly tenants: readonly TenantLimitSettings[];
  readonly clock?: Clock;
  readonly now?: () => Date;
  /** How long a place is held that nobody renews, in ms. */
  readonly placeMs?: number;
  /** Longest wait of a call for Redis, in ms. */
  readonly waitMs?: number;
}

export class TenantLimits implements TenantGate {
  readonly events = new Events<LimitEvents>();
  readonly #redis: SharedRedis['redis'];
  readonly #clock: Clock;
  readonly #counts: ReadonlyMap<string, TenantCount>;
  #cancelBooking: (() => void) | undefined;

  constructor(options: TenantLimitsOptions) {
    const { tenants, redis, clock = systemClock, now = () => new Date() } = options;
    this.#redis = redis;
    this.#clock = clock;
    const shared = { ...options, clock, now };
    this.#counts = new Map(tenants.map((limits) => [limits.tenant, new TenantCount(limits, shared)]));
    // Who was let in while Redis was away is counted there as soon as it is back.
    redis?.on('ready', this.#renew);
  }

  async enter({ tenant, kind }: Entry): Promise<Place | LimitReached> {
    const count = this.#counts.get(tenant);
    if (count === undefined) return FREE_PLACE;
    const { outcome, alone } = await count.enter(kind);
    if (alone && this.#redis !== undefined) this.events.emit('alone', { tenant });
    if (isReached(outcome)) this.events.emit('refused', { tenant, reached: outcome });
    else this.#keepBooking();
    return outcome;
  }

  /** Everybody is out. Resolves when Redis knows, if it can be told; the connection is its owner's. */
  async close(): Promise<void> {
    this.#cancelBooking?.();
    this.#redis?.off('ready', this.#renew);
    await Promise.all([...this.#counts.values()].map((count) => count.close()));
    this.events.removeAll();
  }

  readonly #renew = (): void => this.#counts.forEach((count) => count.renew());

  #keepBooking(): void {
    this.#cancelBooking ??= this.#clock.after(book_every_ms, () => {
      this.#cancelBooking = undefined;
      const counts = [...this.#counts.values()];
      for (const count of counts) void count.book();
      if (counts.some((count) => count.isBusy)) this.#keepBooking();
    });
  }
}
