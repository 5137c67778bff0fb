/** Section `operator` of config/trunkline.yaml. */
import { isIP } from 'node:net';
import { z } from 'zod';

export const operatorSection = z
  .strictObject({
    host: z
      .string()
      .refine((text) => isIP(text) !== 0, 'must be an IP address')
      .default('127.0.0.1'),
    port: z.int().min(0).max(65535).default(8080),
    keys: z
      .array(z.strictObject({ key: z.string().min(24).max(128), may_write: z.boolean().default(false) }))
      .default([]),
  })
  .prefault({});
