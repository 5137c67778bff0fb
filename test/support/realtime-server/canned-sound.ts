/** A tone in u-law, for a server that has to say something. */
import { SAMPLE_RATE_HZ } from '../../../src/media/frame.ts';
import { Tone } from '../../../src/media/tone.ts';

export function cannedSound(durationMs: number, frequencyHz = 440): Uint8Array {
  const sound = new Uint8Array((durationMs * SAMPLE_RATE_HZ) / 1000);
  new Tone([frequencyHz], -12).fill('pcmu', sound);
  return sound;
}
