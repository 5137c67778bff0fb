/** Section `prices` of config/trunkline.yaml: what models cost, as their vendors publish it. */
import { z } from 'zod';

const usd = z.number().min(0).max(100_000).default(0);

/** USD. Tokens and characters: per million; sound: per minute. What is not given is free. */
const modelPriceSchema = z.strictObject({
  text_in: usd,
  text_cached: usd,
  text_out: usd,
  audio_in: usd,
  audio_cached: usd,
  audio_out: usd,
  per_minute: usd,
  per_million_characters: usd,
});

export const pricesSection = z
  .strictObject({
    /** The day on which the table was compared with the vendors' pages. */
    as_of: z
      .string()
      .regex(/^\d{4}-\d{2}-\d{2}$/, 'must be a day such as 2026-11-26')
      .or(z.literal(''))
      .default(''),
    /** By the model's name, as the vendor calls it. */
    models: z.record(z.string().min(1), modelPriceSchema).default({}),
  })
  .prefault({});
export type Prices = z.infer<typeof pricesSection>;
