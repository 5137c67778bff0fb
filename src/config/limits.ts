/** Section `limits` of config/trunkline.yaml: what one tenant may have of what all share. */
import { z } from 'zod';
import { timeZone } from './time-zone.ts';

const slug = z.string().regex(/^[a-z][a-z0-9-]*$/, 'must be lower case letters, digits and dashes');

/** Requests in so many ms; 0: no limit. */
function pace(perTenantMax: number, windowMs: number) {
  return z
    .strictObject({
      per_tenant_max: z.int().min(0).max(100_000).default(perTenantMax),
      in_all_max: z.int().min(0).max(100_000).default(0),
      window_ms: z.int().min(100).max(3_600_000).default(windowMs),
    })
    .prefault({});
}

export const limitsSection = z
  .strictObject({
    providers: z
      .strictObject({
        twilio: pace(1, 1000),
        telnyx: pace(1, 1000),
        smpp: pace(10, 1000),
        hubspot: pace(100, 10_000),
        caldav: pace(10, 1000),
        webhook: pace(0, 1000),
      })
      .prefault({}),
    tenants: z
      .array(
        z.strictObject({
          tenant: slug,
          calls_max: z.int().min(0).max(100_000).default(0),
          calls_per_second_max: z.int().min(0).max(10_000).default(0),
          visits_max: z.int().min(0).max(100_000).default(0),
          visits_per_minute_max: z.int().min(0).max(100_000).default(0),
          minutes_per_day_max: z.int().min(0).max(10_000_000).default(0),
          minutes_end_calls: z.boolean().default(false),
          messages_per_day_max: z.int().min(0).max(10_000_000).default(0),
          time_zone: z.union([z.literal(''), timeZone]).default(''),
        }),
      )
      .superRefine((entries, context) => {
        entries.forEach(({ tenant }, index) => {
          if (entries.findIndex((one) => one.tenant === tenant) !== index)
            context.addIssue({
              code: 'custom',
              path: [index, 'tenant'],
              message: `"${tenant}" is there twice`,
            });
        });
      })
      .default([]),
  })
  .prefault({});

/** Whose midnight begins a tenant's day: of its limits, else of its text messages, else UTC. */
export function dayZoneOf(
  tenant: string,
  config: {
    readonly limits: { readonly tenants: readonly Zoned[] };
    readonly sms: { readonly tenants: readonly Zoned[] };
  },
): string {
  const zoneIn = (entries: readonly Zoned[]): string =>
    entries.find((one) => one.tenant === tenant)?.time_zone ?? '';
  return zoneIn(config.limits.tenants) || zoneIn(config.sms.tenants) || 'UTC';
}

interface Zoned {
  readonly tenant: string;
  readonly time_zone: string;
}
