/** Section `desk`: human agents, the queue of callers who wait for them, and the page they sit at. */
import { z } from 'zod';

const origin = z
  .string()
  .regex(/^https?:\/\/[^/\s*]+$/, 'must be an origin such as https://example.org, without a path or *');

export const deskSection = z.strictObject({
  ring: z.enum(['all', 'longest_idle']).default('all'),
  ring_ms: z.int().min(1000).max(300_000).default(20_000),
  wait_ms: z.int().min(1000).max(3_600_000).default(60_000),
  join_ms: z.int().min(1000).max(60_000).default(10_000),
  away_ms: z.int().min(1000).max(30_000).default(8000),
  hold_music: z.string().default(''),
  voice: z.enum(['slt', 'rms', 'awb', 'kal16']).default('slt'),
  origins: z.array(origin).default([]),
  keys: z
    .array(
      z.strictObject({
        key: z.string().min(4).max(128),
        tenant: z
          .string()
          .regex(/^[a-z][a-z0-9-]*$/)
          .default('default'),
        roles: z
          .array(z.enum(['human', 'supervisor']))
          .min(1)
          .default(['human']),
      }),
    )
    .default([]),
});
export type DeskSettings = z.infer<typeof deskSection>;
