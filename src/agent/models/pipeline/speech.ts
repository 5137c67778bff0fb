/** Text to G.711 by `POST /audio/speech`, as it is synthesised. */
import type { Clock } from '../../../base/clock.ts';
import { SAMPLE_RATE_HZ, type Codec } from '../../../media/frame.ts';
import { StageError } from './failure.ts';
import { sentence_ms_max } from './limits.ts';
import { Patience } from './patience.ts';
import type { Server, Servers } from './servers.ts';
import type { SpeechServer } from './settings.ts';
import { SoundReader } from './sound-reader.ts';

const BYTES_PER_MS = SAMPLE_RATE_HZ / 1000;

export interface Spoken {
  readonly ms: number;
  readonly characters: number;
  readonly model: string;
  readonly server: string;
}

export interface SpeechRequest {
  readonly text: string;
  /** Overrides the servers' own; empty: it does not. */
  readonly voice: string;
  readonly codec: Codec;
  readonly signal: AbortSignal;
  /** The bytes belong to the receiver. Never called after `signal` was aborted. */
  readonly onSound: (bytes: Uint8Array) => void;
}

export interface SpeechOptions {
  readonly servers: Servers<SpeechServer>;
  readonly clock: Clock;
  readonly firstAudioTimeoutMs: number;
  readonly stallTimeoutMs: number;
}

export class Speech {
  readonly #options: SpeechOptions;

  constructor(options: SpeechOptions) {
    this.#options = options;
  }

  /**
   * A server that fails in the middle is followed by the next, which goes on at about the same place.
   * @throws StageError, Cancelled
   */
  speak(request: SpeechRequest): Promise<Spoken> {
    const { servers, clock, firstAudioTimeoutMs } = this.#options;
    let given = 0;
    return servers.use(request.signal, async (server) => {
      const patience = new Patience(clock, request.signal);
      patience.expect('the first sound', firstAudioTimeoutMs);
      let skip = given;
      try {
        for await (const bytes of this.#sound(server, request, patience)) {
          const rest = bytes.subarray(Math.min(skip, bytes.length));
          skip -= bytes.length - rest.length;
          if (rest.length === 0) continue;
          given += rest.length;
          if (given > sentence_ms_max * BYTES_PER_MS) throw endless(server.name);
          request.onSound(rest);
        }
        if (given === 0) throw silent(server.name);
      } catch (thrown) {
        return patience.rethrow('speech', server.name, thrown);
      } finally {
        patience.done();
      }
      return {
        ms: given / BYTES_PER_MS,
        characters: request.text.length,
        model: server.settings.model,
        server: server.name,
      };
    });
  }

  async *#sound(
    server: Server<SpeechServer>,
    { text, voice, codec }: SpeechRequest,
    patience: Patience,
  ): AsyncGenerator<Uint8Array> {
    const { settings, client } = server;
    const reader = new SoundReader({ codec, rawRateHz: settings.sampleRateHz });
    const response = await client.audio.speech.create(
      {
        model: settings.model,
        input: text,
        voice: voice || settings.voice,
        response_format: settings.format,
        ...settings.extra,
      },
      { signal: patience.signal },
    );
    for await (const chunk of response.body ?? []) {
      patience.signal.throwIfAborted();
      patience.expect('the next sound', this.#options.stallTimeoutMs);
      yield reader.push(chunk as Uint8Array);
    }
    patience.signal.throwIfAborted();
    yield reader.end();
  }
}

function silent(name: string): StageError {
  return new StageError('speech', `${name} sent no sound`, { retryable: true, quick: true });
}

function endless(name: string): StageError {
  const detail = `${name} sent more than ${sentence_ms_max} ms of sound for one sentence`;
  return new StageError('speech', detail, { retryable: true });
}
