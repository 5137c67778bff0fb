/**
 * The smallest voice: says back what it hears, one frame per tick.
 * Stands in for the agent in tests of the media threads.
 */
import { emit, FRAME_SAMPLES, SAMPLE_RATE_HZ } from '../../../src/media/frame.ts';
import type { Frame, Sink, Source } from '../../../src/media/frame.ts';
import { Mixer } from '../../../src/media/mixer.ts';
import type { VoiceHost, VoicePort } from '../../../src/media/voice-port.ts';

export class EchoVoice implements VoicePort {
  readonly id: string;
  readonly paced = true;
  sinks: readonly Sink[] = [];
  readonly #host: VoiceHost;
  readonly #mixer: Mixer;
  readonly #frame: Frame;

  constructor(host: VoiceHost) {
    this.id = host.voiceId;
    this.#host = host;
    this.#mixer = new Mixer(host.codec);
    this.#frame = {
      codec: host.codec,
      sampleRateHz: SAMPLE_RATE_HZ,
      payload: new Uint8Array(FRAME_SAMPLES),
      rtpTimestamp: 0,
      marker: false,
      gapMs: 0,
    };
    host.report({ type: 'opened' });
  }

  take(frame: Frame, from: Source): void {
    this.#mixer.take(frame, from);
  }

  sourceAdded(from: Source): void {
    this.#mixer.addInput(from);
  }

  sourceRemoved(from: Source): void {
    this.#mixer.removeInput(from);
  }

  tick(): void {
    const payload = this.#mixer.read();
    if (payload === null) return;
    this.#frame.payload = payload;
    this.#frame.rtpTimestamp = (this.#frame.rtpTimestamp + FRAME_SAMPLES) >>> 0;
    emit(this, this.#frame);
  }

  /** `throw`, `reject` and `storm` fail in the ways that code of an agent can; all else is reported back. */
  command(command: unknown): void {
    if (command === 'throw') throw new Error('a voice threw in its command');
    if (command === 'reject') void Promise.reject(new Error('a voice rejected'));
    if (command === 'storm') {
      for (let i = 0; i < 100; i++) void Promise.reject(new Error(`a voice rejected, ${i}`));
    }
    if (command === 'hang') {
      for (;;);
    }
    this.#host.report({ type: 'commanded', command });
  }

  close(): void {
    this.#host.report({ type: 'closed' });
  }
}
