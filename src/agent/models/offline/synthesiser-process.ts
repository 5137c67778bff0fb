/** The synthesiser's own process: flite runs here. Started by synthesiser.ts; ends when its parent goes. */
import { TrunklineError } from '../../../base/errors.ts';
import { SAMPLE_RATE_HZ } from '../../../media/frame.ts';
import { encode } from '../../../media/g711.ts';
import { FLITE_VOICES, speak } from './flite.ts';
import { synthesiserRequestSchema, type SynthesiserRequest } from './speech-messages.ts';
import { serveSpeech } from './speech-service.ts';
import { toEightKilohertz, trimSilence } from './telephone-band.ts';

/** Silence before and after a phrase: early first sound, and the pause of a full stop. */
const LEAD_MS = 20;
const TAIL_MS = 160;

function encoded(request: SynthesiserRequest): Uint8Array {
  const voice = FLITE_VOICES.find((name) => name === request.voice);
  if (voice === undefined) {
    const known = FLITE_VOICES.join(', ');
    throw new TrunklineError('PROFILE_UNSPEAKABLE', `model.voice "${request.voice}" is none of ${known}`);
  }
  const samples = trimSilence(toEightKilohertz(speak(request.text, voice)), {
    rateHz: SAMPLE_RATE_HZ,
    leadMs: LEAD_MS,
    tailMs: TAIL_MS,
  });
  const bytes = new Uint8Array(samples.length);
  encode(request.codec, samples, bytes);
  return bytes;
}

serveSpeech(synthesiserRequestSchema, encoded);
