/** What a Live session can be told beyond words and voice: in configuration, and differently in a profile. */
import { z } from 'zod';

const fields = {
  /** `client`: the profile's tasks are followed here. `responses`: a text model at the vendor thinks. */
  delegation: z.enum(['client', 'responses']),
  /** Of `responses`. */
  backend_model: z.string(),
  reasoning_effort: z.enum(['default', 'minimal', 'low', 'medium', 'high', 'xhigh']),
};

/** In configuration: every setting has a default. */
export const liveSettingsSchema = z.strictObject({
  delegation: fields.delegation.default('client'),
  backend_model: fields.backend_model.default(''),
  reasoning_effort: fields.reasoning_effort.default('default'),
});
export type LiveSettings = z.infer<typeof liveSettingsSchema>;

/** In a profile (`model.live`): only what it wants differently. */
export const liveOverridesSchema = z.strictObject(fields).partial();
