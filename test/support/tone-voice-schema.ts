/** What a tone voice (tone-voice.ts) is told and tells; apart, because that file runs a thread when imported. */
import { z } from 'zod';

export const toneVoiceSpecSchema = z.strictObject({ frequencyHz: z.number() });
/** Payload bytes by the id of the source that they came from. */
export const toneVoiceEventSchema = z.strictObject({
  heard: z.record(z.string(), z.instanceof(Uint8Array)),
});
