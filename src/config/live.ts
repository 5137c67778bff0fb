/** Section `live`: OpenAI's Live API, spoken by OpenAI or by a server of one's own. */
import { z } from 'zod';
import { liveSettingsSchema } from '../agent/models/live/settings.ts';

export const liveSection = z
  .strictObject({
    base_url: z.string().default(''),
    api_key: z.string().default(''),
    model: z.string().default('gpt-live-1'),
    voice: z.string().default('marin'),
    connect_timeout_ms: z.int().min(100).max(60_000).default(8000),
    append_ms: z.int().min(20).max(60).multipleOf(20).default(20),
    ...liveSettingsSchema.shape,
  })
  .prefault({});
