/** Section `redis` of config/trunkline.yaml. */
import { z } from 'zod';

export const redisSection = z
  .strictObject({
    url: z.union([z.literal(''), z.string().regex(/^rediss?:\/\//, 'must begin with redis://')]).default(''),
    prefix: z
      .string()
      .regex(/^[a-z][a-z0-9-]{0,31}$/, 'must be lower case letters, digits and dashes')
      .default('trunkline'),
    program: z.string().min(1).default('redis-server'),
    fsync: z.enum(['always', 'everysec', 'no']).default('always'),
  })
  .prefault({});
