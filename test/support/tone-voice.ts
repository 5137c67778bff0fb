/**
 * A voice that plays one tone for ever and remembers what it hears: an agent of whom only the sound matters.
 * This file is a media thread's entry, too. Spec: `{ frequencyHz }`. Command: anything, answered by one
 * event `{ heard }`: the payload bytes of each source since the last one, by the source's id.
 */
import {
  FRAME_SAMPLES,
  SAMPLE_RATE_HZ,
  emit,
  type Frame,
  type Sink,
  type Source,
} from '../../src/media/frame.ts';
import { runMediaThread } from '../../src/media/thread-entry.ts';
import { Tone } from '../../src/media/tone.ts';
import { toneVoiceSpecSchema } from './tone-voice-schema.ts';
import type { VoiceHost, VoicePort } from '../../src/media/voice-port.ts';

const heard_frames_max = 3000;

class ToneVoice implements VoicePort {
  readonly id: string;
  readonly paced = true;
  sinks: readonly Sink[] = [];
  readonly #host: VoiceHost;
  readonly #tone: Tone;
  readonly #frame: Frame;
  readonly #heard = new Map<string, Uint8Array[]>();

  constructor(spec: unknown, host: VoiceHost) {
    const { frequencyHz } = toneVoiceSpecSchema.parse(spec);
    this.id = host.voiceId;
    this.#host = host;
    this.#tone = new Tone([frequencyHz], -12);
    this.#frame = {
      codec: host.codec,
      sampleRateHz: SAMPLE_RATE_HZ,
      payload: new Uint8Array(FRAME_SAMPLES),
      rtpTimestamp: 0,
      marker: false,
      gapMs: 0,
    };
  }

  tick(): void {
    this.#tone.fill(this.#frame.codec, this.#frame.payload);
    this.#frame.rtpTimestamp = (this.#frame.rtpTimestamp + FRAME_SAMPLES) >>> 0;
    emit(this, this.#frame);
  }

  take(frame: Frame, from: Source): void {
    const heard = this.#heard.get(from.id) ?? [];
    this.#heard.set(from.id, heard);
    if (heard.length < heard_frames_max) heard.push(Uint8Array.from(frame.payload));
  }

  command(): void {
    const heard = [...this.#heard].map(([id, payloads]) => [id, new Uint8Array(Buffer.concat(payloads))]);
    this.#host.report({ heard: Object.fromEntries(heard) as unknown });
    this.#heard.clear();
  }

  close(): void {
    this.sinks = [];
  }
}

await runMediaThread(() => ({
  openVoice: (spec, host) => new ToneVoice(spec, host),
  close: () => Promise.resolve(),
}));
