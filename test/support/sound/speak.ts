/** A caller's voice on the telephone's 8 kHz: espeak-ng in a process of its own, or one of flite's voices. */
import { spawn } from 'node:child_process';
import { buffer, text } from 'node:stream/consumers';
import { Synthesiser } from '../../../src/agent/models/offline/synthesiser.ts';
import { decode } from '../../../src/media/g711.ts';
import { resample } from './resample.ts';
import { decodeWav } from './wav.ts';

export const TELEPHONE_HZ = 8000;

/** Made of recordings of people; espeak-ng's voices are computed. */
const fliteVoices = ['rms', 'awb', 'slt', 'kal16'];

export interface SpeakOptions {
  /** One of flite's voices (rms, awb, slt, kal16), or one of espeak-ng's with a variant: en-us+f5. */
  readonly voice?: string;
  /** Words per minute, 80 to 450; espeak-ng only. */
  readonly wordsPerMinute?: number;
}

/** Speech as 8 kHz samples. Rejects with the synthesiser's own words when it cannot speak. */
export async function speak(words: string, options: SpeakOptions = {}): Promise<Int16Array> {
  const { voice = 'en-us+f5', wordsPerMinute = 150 } = options;
  return fliteVoices.includes(voice) ? speakFlite(words, voice) : speakEspeak(words, voice, wordsPerMinute);
}

async function speakFlite(words: string, voice: string): Promise<Int16Array> {
  const synthesiser = new Synthesiser();
  try {
    const bytes = await synthesiser.speak({ text: words, voice, codec: 'pcmu' });
    const samples = new Int16Array(bytes.length);
    decode('pcmu', bytes, samples);
    return samples;
  } finally {
    await synthesiser.close();
  }
}

async function speakEspeak(words: string, voice: string, wordsPerMinute: number): Promise<Int16Array> {
  // Words go through standard input: a sentence that starts with a dash is no option.
  const child = spawn('espeak-ng', ['--stdin', '--stdout', '-v', voice, '-s', String(wordsPerMinute)]);
  const failed = new Promise<never>((_, reject) => child.once('error', reject));
  const exited = new Promise<number | null>((resolve) => child.once('close', resolve));
  child.stdin.end(words);
  const done = Promise.all([buffer(child.stdout), text(child.stderr), exited]);
  const [wav, complaint, code] = await Promise.race([done, failed]);
  if (code !== 0) throw new Error(`espeak-ng cannot speak: ${complaint.trim() || `exit code ${code}`}`);
  const { channels, sampleRateHz } = decodeWav(wav);
  return resample(channels[0] ?? new Int16Array(0), sampleRateHz, TELEPHONE_HZ);
}
