/** Section `realtime`: OpenAI's Realtime protocol, spoken by OpenAI or by a server of one's own. */
import { z } from 'zod';
import { realtimeSettingsSchema } from '../agent/models/realtime/settings.ts';

export const realtimeSection = z
  .strictObject({
    base_url: z.string().default(''),
    api_key: z.string().default(''),
    model: z.string().default('gpt-realtime-2.1'),
    voice: z.string().default('marin'),
    connect_timeout_ms: z.int().min(100).max(60_000).default(8000),
    append_ms: z.int().min(20).max(60).multipleOf(20).default(20),
    ...realtimeSettingsSchema.shape,
  })
  .prefault({});
