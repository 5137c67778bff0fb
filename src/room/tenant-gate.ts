/** How the doors ask whether a tenant may have one more call or visit; the gateway fills it (src/limits). */
import type { ErrorCode } from '../base/errors.ts';

export interface TenantGate {
  /**
   * A place for one more, or the limit that speaks against it. Never rejects, and takes at most 25 ms
   * whatever becomes of Redis.
   */
  enter(entry: Entry): Promise<Place | LimitReached>;
}

export interface Entry {
  readonly tenant: string;
  /** By phone, or from the web: they are counted apart, and share the minutes. */
  readonly kind: 'call' | 'visit';
}

/** What a call or visit holds from the moment it is let in until it is over. */
export interface Place {
  /** From now on minutes pass. */
  answered(): void;
  /** It is over, whether it was answered or not. Idempotent. */
  leave(): void;
  /** Told once, if minutes run out meanwhile and the tenant's calls are to end with them. */
  onSpent(listener: (reached: LimitReached) => void): void;
}

export interface LimitReached {
  readonly code: Extract<ErrorCode, `TENANT_${string}`>;
  /** The key of the configuration: `calls_max`. */
  readonly limit: string;
  /** For the operator: `calls_max (20) of tenant acme is reached`. */
  readonly detail: string;
  /** When there may be room again, in seconds; at least 1. */
  readonly retryAfterS: number;
}

export function isReached(outcome: Place | LimitReached): outcome is LimitReached {
  return 'limit' in outcome;
}

/** The place of whoever has no limits. */
export const FREE_PLACE: Place = {
  answered: () => undefined,
  leave: () => undefined,
  onSpent: () => undefined,
};
