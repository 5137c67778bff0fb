/** A session of the pipeline under test, with everything that it told written down. */
import type { AgentProfile } from '../../../src/agent/profile.ts';
import {
  createPipelineModel,
  type PipelineModel,
  type PipelineOptions,
} from '../../../src/agent/models/pipeline/index.ts';
import { piecesOf } from '../../../src/agent/models/pipeline/phrases.ts';
import type { ConnectOptions, SessionEvents, VoiceSession } from '../../../src/agent/voice-model.ts';
import type { Clock } from '../../../src/base/clock.ts';
import { FRAME_SAMPLES, type Codec } from '../../../src/media/frame.ts';
import { encode } from '../../../src/media/g711.ts';
import { receptionist, type Told } from '../realtime-server/recorded-session.ts';
import { tone } from '../sound/level.ts';

type ToldOf<K extends keyof SessionEvents> = Extract<Told, { name: K }>;

export const clerk: AgentProfile = { ...receptionist, model: { ...receptionist.model, adapter: 'pipeline' } };

/** Sentences that a session of the clerk gets ready at its start; each is told as usage. */
export const fixed_pieces = new Set(
  [
    clerk.greeting,
    clerk.trouble,
    ...clerk.not_understood,
    ...clerk.still_there,
    clerk.give_up,
    clerk.goodbye,
  ].flatMap(piecesOf),
).size;

/** Settings for one server of each stage, or for several. */
export function settingsFor(baseUrls: readonly string[], apiKey = 'test-key'): PipelineOptions {
  const each = baseUrls.map((baseUrl) => ({ baseUrl, apiKey, extra: {} }));
  return {
    transcription: {
      servers: each.map((one) => ({ ...one, model: 'ear' })),
      stream: false,
      timeoutMs: 5000,
    },
    chat: {
      servers: each.map((one) => ({ ...one, model: 'mind' })),
      firstTokenTimeoutMs: 5000,
      stallTimeoutMs: 4000,
      historyCharsMax: 40_000,
      toolRoundsMax: 4,
    },
    speech: {
      servers: each.map((one) => ({
        ...one,
        model: 'mouth',
        voice: 'anna',
        format: 'pcm' as const,
        sampleRateHz: 24_000,
      })),
      firstAudioTimeoutMs: 5000,
      stallTimeoutMs: 4000,
    },
    breaker: { failuresMax: 2, avoidMs: 10_000 },
  };
}

export class RecordedPipeline {
  readonly model: PipelineModel;
  readonly told: Told[] = [];
  session!: VoiceSession;
  /** Called from within a final `heard`, as a voice would decide about it. */
  onHeard: (heard: SessionEvents['heard']) => void = () => undefined;
  #wake: (() => void)[] = [];

  private constructor(model: PipelineModel) {
    this.model = model;
  }

  /** @throws what `connect` rejects with */
  static async open(options: {
    settings: PipelineOptions;
    profile?: AgentProfile;
    codec?: Codec;
    clock?: Clock;
    history?: NonNullable<ConnectOptions['history']>;
    model?: PipelineModel;
  }): Promise<RecordedPipeline> {
    const model =
      options.model ??
      createPipelineModel({
        ...options.settings,
        ...(options.clock === undefined ? {} : { clock: options.clock }),
      });
    const recorded = new RecordedPipeline(model);
    try {
      recorded.session = await model.connect({
        profile: options.profile ?? clerk,
        codec: options.codec ?? 'pcmu',
        callId: 'call_test',
        now: () => new Date('2026-11-23T09:00:00Z'),
        ...(options.history === undefined ? {} : { history: options.history }),
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
      await new Promise<void>((resolve) => this.#wake.push(resolve));
    }
  }

  /** The reply that ends with or holds these words, once its sound is complete. */
  async replied(words: string): Promise<{ itemId: string; text: string; ms: number }> {
    for (;;) {
      const said = this.all('said').findLast((one) => one.final && one.text.includes(words));
      if (said !== undefined && this.all('replyDone').some((one) => one.itemId === said.itemId))
        return { ...said, ms: this.msOf(said.itemId) };
      await new Promise<void>((resolve) => this.#wake.push(resolve));
    }
  }

  /** Sound of an item so far, in ms. */
  msOf(itemId: string): number {
    return this.all('audio').reduce(
      (sum, one) => sum + (one.itemId === itemId ? one.bytes.length / 8 : 0),
      0,
    );
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
    this.#hear(clerk.turns.end_of_speech_ms, 0);
    this.session.callerSpeaking(false);
  }

  #hear(ms: number, hz: number): void {
    const samples = hz === 0 ? new Int16Array(ms * 8) : tone(hz, ms);
    const bytes = new Uint8Array(samples.length);
    encode('pcmu', samples, bytes);
    for (let at = 0; at + FRAME_SAMPLES <= bytes.length; at += FRAME_SAMPLES)
      this.session.hear(bytes.subarray(at, at + FRAME_SAMPLES), 0);
  }
}
