/** Section `spares`: limits of the sessions that profiles keep open (`model.spares`) for calls to come. */
import { z } from 'zod';

export const sparesSection = z
  .strictObject({
    age_max_ms: z.int().min(10_000).max(3_300_000).default(600_000),
    opens_per_hour_max: z.int().min(0).max(100_000).default(600),
  })
  .prefault({});
