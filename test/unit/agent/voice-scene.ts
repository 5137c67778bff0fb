/** A voice with a scripted model, a caller who buzzes, and a clock that a test turns by hand. */
import { setImmediate as turnOfTheLoop } from 'node:timers/promises';
import type { Models } from '../../../src/agent/model-line.ts';
import { agentProfileSchema } from '../../../src/agent/profile.ts';
import { Phrases } from '../../../src/agent/phrases.ts';
import { Voice } from '../../../src/agent/voice.ts';
import type { VoiceEvent, VoiceSpec } from '../../../src/agent/voice-control.ts';
import type { Frame, Source } from '../../../src/media/frame.ts';
import { encode, G711 } from '../../../src/media/g711.ts';
import type { VoiceModel } from '../../../src/agent/voice-model.ts';
import { ScriptedModel } from './scripted-model.ts';

export const profile = agentProfileSchema.parse({
  name: 'test',
  greeting: 'Hello.',
  not_understood: ['Sorry?'],
  still_there: ['Are you there?', 'Hello?'],
  anything_else: 'Anything else?',
  goodbye: 'Bye.',
  tasks: [{ name: 'book', phrases: ['book'], done: 'Done.' }],
  turns: { end_of_speech_ms: 600, barge_in_ms: 240, idle_ms: 2000 },
});

/** Something that libfvad takes for speech: a buzz of 120 Hz with harmonics, its loudness waving. */
function buzz(frame: number): Uint8Array {
  const samples = new Int16Array(160);
  for (let index = 0; index < 160; index += 1) {
    const t = (frame * 160 + index) / 8000;
    let sum = 0;
    for (let harmonic = 1; harmonic <= 20; harmonic += 1)
      sum += Math.sin(2 * Math.PI * 120 * harmonic * t) / harmonic;
    samples[index] = 6000 * sum * (0.6 + 0.4 * Math.sin(2 * Math.PI * 4 * t));
  }
  const bytes = new Uint8Array(160);
  encode('pcmu', samples, bytes);
  return bytes;
}
const SILENCE = new Uint8Array(160).fill(G711.pcmu.silence);

/** A frame of the caller's line. */
export function lineFrame(over: Partial<Frame> = {}): Frame {
  const payload = SILENCE;
  return { codec: 'pcmu', sampleRateHz: 8000, payload, rtpTimestamp: 0, marker: false, gapMs: 0, ...over };
}

/** The first byte of every sentence that is said without a model. */
export const PHRASE_BYTE = 0x20;
export const PHRASE_MS = 600;

/** A speaker that has every sentence ready at once. */
export function cannedPhrases(): Phrases {
  const bytes = (): Uint8Array => new Uint8Array(PHRASE_MS * 8).fill(PHRASE_BYTE);
  return new Phrases({ speaker: () => ({ speak: () => Promise.resolve(bytes()) }) });
}

export interface SceneOptions {
  /** By adapter; all others get the scene's own. */
  readonly models?: Readonly<Record<string, VoiceModel>>;
  /** Gives sessions that were opened ahead. */
  readonly spare?: NonNullable<Models['spare']>;
  readonly spec?: Partial<VoiceSpec>;
  readonly folder?: string | null;
  readonly phrases?: Phrases;
}

export class VoiceScene {
  readonly model: ScriptedModel;
  readonly voice: Voice;
  readonly log: VoiceEvent[] = [];
  readonly toCaller: { payload: Uint8Array; marker: boolean; rtpTimestamp: number }[] = [];
  readonly line: Source = { id: 'line', paced: false, sinks: [] };
  #ticks = 0;

  /** The session opens asynchronously: it is there after `opened`. */
  constructor(model = new ScriptedModel(), options: SceneOptions = {}) {
    const { models = {}, spare, folder = '/nowhere', spec = {}, phrases = cannedPhrases() } = options;
    this.model = model;
    this.voice = new Voice({
      spec: { callId: 'call-1', profile, ...spec },
      host: { voiceId: 'voice-1', codec: 'pcmu', report: (event) => this.log.push(event as VoiceEvent) },
      models: { get: (adapter) => models[adapter] ?? model, ...(spare === undefined ? {} : { spare }) },
      phrases,
      voicemailFolder: folder,
      now: () => new Date(),
    });
    const take = ({ payload, marker, rtpTimestamp }: Frame): void => {
      this.toCaller.push({ payload: payload.slice(), marker, rtpTimestamp });
    };
    this.voice.sinks = [{ id: 'caller', take }];
    this.voice.sourceAdded(this.line);
  }

  /** The caller hears the agent, and the model was asked to greet, but has not done so. */
  static async open(model = new ScriptedModel(), options: SceneOptions = {}): Promise<VoiceScene> {
    const scene = new VoiceScene(model, options);
    await scene.opened();
    scene.voice.command({ type: 'greet' });
    model.told.length = 0;
    return scene;
  }

  async opened(): Promise<void> {
    await turnOfTheLoop();
  }

  get elapsedMs(): number {
    return this.#ticks * 20;
  }

  /** Ticks of 20 ms; the caller is silent, buzzes, or sends nothing at all. */
  run(ms: number, caller: 'silent' | 'speaking' | 'nothing' = 'silent'): void {
    for (let end = this.#ticks + ms / 20; this.#ticks < end; this.#ticks += 1) {
      const payload = caller === 'speaking' ? buzz(this.#ticks) : SILENCE;
      if (caller !== 'nothing')
        this.voice.take(lineFrame({ payload, rtpTimestamp: this.#ticks * 160 }), this.line);
      this.voice.tick(this.#ticks, 0);
    }
  }

  events<T extends VoiceEvent['type']>(type: T): Extract<VoiceEvent, { type: T }>[] {
    return this.log.filter((event): event is Extract<VoiceEvent, { type: T }> => event.type === type);
  }
}
