/**
 * An agent of whom only the sound matters, behind a real voice: a Realtime server that answers everything
 * with one long tone, and remembers what the gateway lets it hear.
 */
import type { z } from 'zod';
import { agentProfileSchema } from '../../src/agent/profile.ts';
import { decode } from '../../src/media/g711.ts';
import { cannedSound } from './realtime-server/canned-sound.ts';
import { Responder } from './realtime-server/responder.ts';
import { startRealtimeServer, type RealtimeServer } from './realtime-server/server.ts';
import { until } from './until.ts';

/** Longer than any test listens. */
const tone_ms = 120_000;
const delta_bytes = 8000;
const second_samples = 8000;

/** Slow to be interrupted: tones sound like speech to a voice activity detector. */
export const TONE_PROFILE = agentProfileSchema.parse({
  name: 'tone',
  model: { adapter: 'realtime' },
  greeting: 'Hello.',
  not_understood: ['Sorry?'],
  still_there: ['Are you there?'],
  anything_else: 'Anything else?',
  goodbye: 'Goodbye.',
  tasks: [{ name: 'talk', phrases: ['hello'], done: 'Done.' }],
  turns: { barge_in_ms: 2000, idle_ms: 120_000 },
} satisfies z.input<typeof agentProfileSchema>);

export class ToneAgents {
  readonly #server: RealtimeServer;

  private constructor(server: RealtimeServer) {
    this.#server = server;
  }

  static async start(frequencyHz: number): Promise<ToneAgents> {
    const sound = cannedSound(tone_ms, frequencyHz);
    const server = await startRealtimeServer({
      behave: (connection) => {
        const responder = new Responder(connection);
        const speak = (): void => {
          responder.active?.words('Tone.');
          for (let at = 0; at < sound.length; at += delta_bytes)
            responder.active?.audio(sound.subarray(at, at + delta_bytes));
          responder.finish();
        };
        return {
          event(event) {
            if (responder.take(event) !== undefined) speak();
            // It was interrupted by the others' tones: it begins again.
            if (event.type !== 'conversation.item.truncate') return;
            responder.begin();
            speak();
          },
        };
      },
    });
    return new ToneAgents(server);
  }

  get baseUrl(): string {
    return this.#server.baseUrl;
  }

  /** Agents that were ever connected. */
  get count(): number {
    return this.#server.connections.length;
  }

  /** The next second that comes to the agent that was connected last, 8 kHz. */
  async listen(): Promise<Int16Array> {
    const before = this.#heard.length;
    await until(
      'a second has come to the agent',
      () => this.#heard.length - before >= second_samples,
      10_000,
    );
    return this.#heard.subarray(before);
  }

  close(): Promise<void> {
    return this.#server.close();
  }

  get #heard(): Int16Array {
    const appends = this.#server.connections.at(-1)?.all('input_audio_buffer.append') ?? [];
    const bytes = Buffer.concat(appends.map(({ audio }) => Buffer.from(audio, 'base64')));
    const samples = new Int16Array(bytes.length);
    decode('pcmu', bytes, samples);
    return samples;
  }
}
