/** Section `jobs` of config/trunkline.yaml. */
import { z } from 'zod';

export const jobsSection = z
  .strictObject({
    keep: z.boolean().default(true),
    worker: z.enum(['child', 'none']).default('child'),
    lock_ms: z.int().min(1000).max(600_000).default(15_000),
    patience_ms: z.int().min(0).max(600_000).default(10_000),
    niceness: z.int().min(0).max(19).default(10),
    spool: z
      .strictObject({
        fsync: z.enum(['always', 'interval', 'never']).default('interval'),
        fsync_interval_ms: z.int().min(1).max(60_000).default(100),
        segment_bytes: z.int().min(65_536).max(1_073_741_824).default(8_388_608),
        bytes_max: z.int().min(1_048_576).max(1_099_511_627_776).default(1_073_741_824),
      })
      .prefault({}),
  })
  .prefault({});
