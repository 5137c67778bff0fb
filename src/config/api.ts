/** Section `api`: the HTTP API for the servers of tenants and for the console. */
import { z } from 'zod';

export const apiSection = z.strictObject({
  requests_per_second: z.int().min(1).max(10_000).default(50),
});
