/** What a tone voice is told and tells; apart from it, because its file runs a thread when imported. */
import { z } from 'zod';

export const toneVoiceSpecSchema = z.strictObject({ frequencyHz: z.number() });
/** Payload bytes by the id of the source that they came from. */
export const toneVoiceEventSchema = z.strictObject({
  heard: z.record(z.string(), z.instanceof(Uint8Array)),
});
