/** What a Live server sends while its model speaks, for servers whose every event a test writes down. */
import { cannedSound } from '../canned-sound.ts';
import type { LiveOutgoing } from './connection.ts';

const bytes_per_ms = 8;
/** u-law's zero. */
const SILENCE = 0xff;

function line(bytes: Uint8Array): LiveOutgoing {
  return { type: 'session.output_audio.delta', delta: Buffer.from(bytes).toString('base64') };
}

export const sound = (ms: number): LiveOutgoing => line(cannedSound(ms));

export const silence = (ms: number): LiveOutgoing => line(new Uint8Array(ms * bytes_per_ms).fill(SILENCE));

export const words = (delta: string, start_ms = 0): LiveOutgoing => ({
  ...{ type: 'session.output_transcript.delta', delta, start_ms, end_ms: start_ms },
});

export const usage = (seconds: number): LiveOutgoing => ({
  ...{ type: 'session.usage.updated', usage: { seconds } },
});
