/** Section `limits` of config/trunkline.yaml: what one tenant may have of what all share. */
import { z } from 'zod';

const slug = z.string().regex(/^[a-z][a-z0-9-]*$/, 'must be lower case letters, digits and dashes');

export const limitsSection = z
  .strictObject({
    tenants: z
      .array(
        z.strictObject({
          tenant: slug,
          calls_max: z.int().min(0).max(100_000).default(0),
          calls_per_second_max: z.int().min(0).max(10_000).default(0),
          messages_per_day_max: z.int().min(0).max(10_000_000).default(0),
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
