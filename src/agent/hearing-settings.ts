/** How an agent listens on noisy lines: part of its profile. */
import { z } from 'zod';

export const hearingSettingsSchema = z
  .strictObject({
    /**
     * What takes noise out before the offline recogniser hears it; other models have their own. RNNoise costs
     * 25 to 40 ms of CPU per second of speech.
     */
    noise_suppression: z.enum(['none', 'rnnoise']).default('none'),
  })
  .prefault({});
export type HearingSettings = z.infer<typeof hearingSettingsSchema>;
