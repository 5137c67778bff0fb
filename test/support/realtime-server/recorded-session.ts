/** A session of the Realtime adapter under test, with everything that it told written down. */
import type { Clock } from '../../../src/base/clock.ts';
import { agentProfileSchema, type AgentProfile } from '../../../src/agent/profile.ts';
import { createLiveModel, type LiveModel, type LiveOptions } from '../../../src/agent/models/live/index.ts';
import {
  createRealtimeModel,
  type RealtimeModel,
  type RealtimeOptions,
} from '../../../src/agent/models/realtime/index.ts';
import type { HistoryTurn, SessionEvents, VoiceModel, VoiceSession } from '../../../src/agent/voice-model.ts';
import type { Codec } from '../../../src/media/frame.ts';

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

/** What an adapter of either protocol lets a test see. */
export interface ObservedModel extends VoiceModel {
  readonly openSessions: number;
}

export class RecordedSession<M extends ObservedModel = RealtimeModel> {
  readonly model: M;
  readonly told: Told[] = [];
  session!: VoiceSession;
  /** Called from within a final `heard`, as a voice would decide about it. */
  onHeard: (heard: SessionEvents['heard']) => void = () => undefined;
  #wake: (() => void)[] = [];

  constructor(model: M) {
    this.model = model;
  }

  record(told: Told): void {
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

  /** All sound of an item so far. */
  soundOf(itemId: string): Buffer {
    return Buffer.concat(
      this.all('audio')
        .filter((one) => one.itemId === itemId)
        .map((one) => one.bytes),
    );
  }
}

export interface OpenRecordedOptions {
  readonly baseUrl: string;
  readonly profile?: AgentProfile;
  readonly codec?: Codec;
  readonly clock?: Clock;
  readonly history?: readonly HistoryTurn[];
  readonly options?: Partial<RealtimeOptions>;
}

/** @throws what `connect` rejects with */
export async function openRecorded(options: OpenRecordedOptions): Promise<RecordedSession> {
  const model = createRealtimeModel({
    baseUrl: options.baseUrl,
    apiKey: 'test-key',
    model: 'gpt-realtime-2.1',
    voice: 'marin',
    connectTimeoutMs: 5000,
    appendMs: 20,
    ...(options.clock === undefined ? {} : { clock: options.clock }),
    ...options.options,
  });
  return record(model, options, receptionist);
}

export interface OpenRecordedLiveOptions extends Omit<OpenRecordedOptions, 'options'> {
  readonly options?: Partial<LiveOptions>;
}

/** @throws what `connect` rejects with */
export async function openRecordedLive(
  options: OpenRecordedLiveOptions,
): Promise<RecordedSession<LiveModel>> {
  const model = createLiveModel({
    baseUrl: options.baseUrl,
    apiKey: 'test-key',
    model: 'gpt-live-1',
    voice: 'marin',
    connectTimeoutMs: 5000,
    appendMs: 20,
    ...(options.clock === undefined ? {} : { clock: options.clock }),
    ...options.options,
  });
  return record(model, options, { ...receptionist, model: { ...receptionist.model, adapter: 'live' } });
}

async function record<M extends ObservedModel>(
  model: M,
  options: Omit<OpenRecordedOptions, 'options'>,
  profile: AgentProfile,
): Promise<RecordedSession<M>> {
  const recorded = new RecordedSession(model);
  recorded.session = await model.connect({
    profile: options.profile ?? profile,
    codec: options.codec ?? 'pcmu',
    callId: 'call_test',
    now: () => new Date('2026-11-23T09:00:00Z'),
    ...(options.history === undefined ? {} : { history: options.history }),
    on: (name, payload) => recorded.record({ name, payload } as Told),
  });
  return recorded;
}
