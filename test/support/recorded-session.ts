/** A session of an adapter under test, with everything that it told written down, and a caller who speaks. */
import { agentProfileSchema, type AgentProfile } from '../../src/agent/profile.ts';
import type { ConnectOptions, SessionEvents, VoiceModel, VoiceSession } from '../../src/agent/voice-model.ts';
import { FRAME_SAMPLES, SAMPLE_RATE_HZ } from '../../src/media/frame.ts';
import { encode } from '../../src/media/g711.ts';
import { tone } from './sound/level.ts';

export type Told = {
  [K in keyof SessionEvents]: { readonly name: K; readonly payload: SessionEvents[K] };
}[keyof SessionEvents];
type ToldOf<K extends keyof SessionEvents> = Extract<Told, { name: K }>;

export const receptionist: AgentProfile = agentProfileSchema.parse({
  name: 'receptionist',
  model: { adapter: 'realtime' },
  prompt: 'You are the receptionist of a clinic.',
  greeting: 'Good morning, how can I help you?',
  not_understood: ['Sorry?'],
  still_there: ['Are you still there?'],
  anything_else: 'Anything else?',
  goodbye: 'Goodbye.',
  tasks: [{ name: 'book_appointment', phrases: ['I need an appointment'], tool: 'book', done: 'Done.' }],
  tools: ['book'],
});

const bytes_per_ms = SAMPLE_RATE_HZ / 1000;

/** What every adapter lets a test see. */
export interface ObservedModel extends VoiceModel {
  readonly openSessions: number;
}

export class RecordedSession<M extends ObservedModel = ObservedModel> {
  readonly model: M;
  readonly told: Told[] = [];
  session!: VoiceSession;
  /** Called from within a final `heard`, as a voice would decide about it. */
  onHeard: (heard: SessionEvents['heard']) => void = () => undefined;
  #wake: (() => void)[] = [];

  private constructor(model: M) {
    this.model = model;
  }

  /** Connects; a model that refuses is closed. @throws what `connect` rejects with */
  static async open<M extends ObservedModel>(
    model: M,
    { profile = receptionist, codec = 'pcmu', history }: Partial<ConnectOptions>,
  ): Promise<RecordedSession<M>> {
    const recorded = new RecordedSession(model);
    try {
      recorded.session = await model.connect({
        ...{ profile, codec, callId: 'call_test', now: () => new Date('2026-11-23T09:00:00Z') },
        ...(history === undefined ? {} : { history }),
        on: (name, payload) => recorded.#record({ name, payload } as Told),
      });
    } catch (error) {
      await model.close();
      throw error;
    }
    return recorded;
  }

  #record(told: Told): void {
    this.told.push(told);
    if (told.name === 'heard' && told.payload.final) this.onHeard(told.payload);
    for (const wake of this.#wake.splice(0)) wake();
  }

  all<K extends keyof SessionEvents>(name: K): SessionEvents[K][] {
    return this.told
      .filter((one): one is ToldOf<K> => one.name === name)
      .map((one) => one.payload as SessionEvents[K]);
  }

  /** The `count`-th event of a name (from 1), told or still to be told. */
  async nth<K extends keyof SessionEvents>(name: K, count = 1): Promise<SessionEvents[K]> {
    for (;;) {
      const found = this.all(name)[count - 1];
      if (found !== undefined) return found;
      await this.#more();
    }
  }

  /** The reply that ends with or holds these words, once its sound is complete. */
  async replied(words: string): Promise<{ itemId: string; text: string; ms: number }> {
    for (;;) {
      const said = this.all('said').findLast((one) => one.final && one.text.includes(words));
      if (said !== undefined && this.all('replyDone').some((one) => one.itemId === said.itemId))
        return { ...said, ms: this.msOf(said.itemId) };
      await this.#more();
    }
  }

  #more(): Promise<void> {
    return new Promise((resolve) => this.#wake.push(resolve));
  }

  /** All sound of an item so far. */
  soundOf(itemId: string): Buffer {
    return Buffer.concat(
      this.all('audio')
        .filter((one) => one.itemId === itemId)
        .map((one) => one.bytes),
    );
  }

  /** Sound of an item so far, in ms. */
  msOf(itemId: string): number {
    return this.soundOf(itemId).length / bytes_per_ms;
  }

  /** The caller speaks for so long, and the voice notices beginning and end. */
  speak(ms = 1000): void {
    this.startSpeaking(ms);
    this.stopSpeaking();
  }

  startSpeaking(ms = 1000): void {
    this.#hear(200, 0);
    this.session.callerSpeaking(true);
    this.#hear(ms, 300);
  }

  stopSpeaking(): void {
    // The voice needs so much silence to be sure.
    this.#hear(receptionist.turns.end_of_speech_ms, 0);
    this.session.callerSpeaking(false);
  }

  #hear(ms: number, hz: number): void {
    const samples = hz === 0 ? new Int16Array(ms * bytes_per_ms) : tone(hz, ms);
    const bytes = new Uint8Array(samples.length);
    encode('pcmu', samples, bytes);
    for (let at = 0; at + FRAME_SAMPLES <= bytes.length; at += FRAME_SAMPLES)
      this.session.hear(bytes.subarray(at, at + FRAME_SAMPLES), 0);
  }
}
