/** A caller's voice: espeak-ng in a process of its own, on the telephone's 8 kHz. */
import { spawn } from 'node:child_process';
import { buffer, text } from 'node:stream/consumers';
import { resample } from './resample.ts';
import { decodeWav } from './wav.ts';

export const TELEPHONE_HZ = 8000;

export interface SpeakOptions {
  /** A voice of `espeak-ng --voices`. */
  readonly voice?: string;
  /** Words per minute, 80 to 450. */
  readonly wordsPerMinute?: number;
}

/** Speech as 8 kHz samples. Rejects with espeak-ng's own words when it cannot speak. */
export async function speak(words: string, options: SpeakOptions = {}): Promise<Int16Array> {
  const { voice = 'en-us', wordsPerMinute = 150 } = options;
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
