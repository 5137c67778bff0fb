/** Section `database` of config/trunkline.yaml. */
import { z } from 'zod';

export const databaseSection = z
  .strictObject({
    url: z
      .union([z.literal(''), z.string().regex(/^(postgres(ql)?|socket):\/\//, 'must begin with postgres://')])
      .default(''),
    connections_max: z.int().min(1).max(500).default(10),
    timeout_ms: z.int().min(100).max(120_000).default(10_000),
  })
  .prefault({});
