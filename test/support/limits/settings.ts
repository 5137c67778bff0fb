/** Limits of one tenant, none but those that a test names; and what became of those who asked. */
import type { TenantLimitSettings } from '../../../src/limits/settings.ts';
import type { TenantLimits } from '../../../src/limits/tenant-limits.ts';
import { isReached, type Entry, type Place } from '../../../src/room/tenant-gate.ts';

export function limitsOf(more: Partial<TenantLimitSettings> = {}): TenantLimitSettings {
  return {
    tenant: 'acme',
    ...{ calls_max: 0, calls_per_second_max: 0, visits_max: 0, visits_per_minute_max: 0 },
    ...{ minutes_per_day_max: 0, minutes_end_calls: false, time_zone: 'UTC' },
    ...more,
  };
}

/** The code of the limit that was reached, or `in`. */
export async function ask(
  gate: Pick<TenantLimits, 'enter'>,
  kind: Entry['kind'] = 'call',
  tenant = 'acme',
): Promise<string> {
  const outcome = await gate.enter({ tenant, kind });
  return isReached(outcome) ? outcome.code : 'in';
}

/** @throws Error when there is none */
export async function placeOf(
  gate: Pick<TenantLimits, 'enter'>,
  kind: Entry['kind'] = 'call',
): Promise<Place> {
  const outcome = await gate.enter({ tenant: 'acme', kind });
  if (isReached(outcome)) throw new Error(outcome.detail);
  return outcome;
}
