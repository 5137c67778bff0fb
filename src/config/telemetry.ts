/** Section `telemetry`: what the gateway tells of itself to the tools of operators. */
import { z } from 'zod';

export const telemetrySection = z.strictObject({
  otlp_url: z.union([z.literal(''), z.url({ protocol: /^https?$/ })]).default(''),
});
