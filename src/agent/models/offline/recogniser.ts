/** Speech to text for many callers: the media thread's side of recogniser-process.ts. */
import { z } from 'zod';
import type { Codec } from '../../../media/frame.ts';
import type { HearingSettings } from '../../hearing-settings.ts';
import type { AgentProfile } from '../../profile.ts';
import { EXPECT_OPEN } from './phrasebook.ts';
import { hearingSchema, type Hearing } from './speech-messages.ts';
import { SpeechProcess } from './speech-process.ts';

/** A first language model takes 1 s, and many times that on a machine that is busy with others. */
const PREPARE_MS_MAX = 60_000;
/** A result comes 60 ms after the last frame; later than this the caller is told that we did not hear. */
const RESULT_MS_MAX = 6000;
/** Sound is sent in pieces of this length: a message for each 20 ms would cost more than the sound. */
const PIECE_BYTES = 800;

export interface EarOptions {
  /** What `prepare` gave. */
  readonly model: string;
  readonly codec: Codec;
  /** Absent: `none`. */
  readonly noiseSuppression?: HearingSettings['noise_suppression'];
}

export class Recogniser {
  readonly process: SpeechProcess;
  readonly #profiles = new Map<string, AgentProfile>();
  readonly #preparing = new Map<AgentProfile, Promise<string>>();
  #nextEar = 0;

  /** `cacheFolder` keeps language models between runs. */
  constructor(options: { cacheFolder: string }) {
    this.process = new SpeechProcess({
      script: new URL('./recogniser-process.ts', import.meta.url),
      args: [options.cacheFolder],
    });
    this.process.events.on('up', ({ restarts }) => {
      if (restarts > 0) this.#prepareAgain();
    });
  }

  /** A new process knows no language models; they are on disk, so this is quick. */
  #prepareAgain(): void {
    for (const profile of this.#profiles.values()) {
      this.process.ask({ type: 'prepare', profile }, PREPARE_MS_MAX).catch(() => {
        // It died again, or hears nothing: every utterance then fails by itself, and the caller is told.
      });
    }
  }

  /** Gets ready to hear callers of a profile; the name of its language model. */
  prepare(profile: AgentProfile): Promise<string> {
    const known = this.#preparing.get(profile);
    if (known) return known;
    const preparing = this.process
      .ask({ type: 'prepare', profile }, PREPARE_MS_MAX)
      .then((result) => {
        const model = z.string().parse(result);
        this.#profiles.set(model, profile);
        return model;
      })
      .finally(() => this.#preparing.delete(profile));
    this.#preparing.set(profile, preparing);
    return preparing;
  }

  ear(options: EarOptions): Ear {
    const earId = this.#nextEar;
    this.#nextEar += 1;
    return new Ear({ ...options, earId, process: this.process });
  }

  close(): Promise<void> {
    return this.process.close();
  }
}

/** One caller's ear: start, hear, end, and again. */
export class Ear {
  readonly #process: SpeechProcess;
  readonly #earId: number;
  readonly #line: Required<EarOptions>;
  readonly #piece = new Uint8Array(PIECE_BYTES);
  #pieceBytes = 0;
  /** The process that took the utterance's start; null when none did. */
  #startedIn: number | null = null;
  #expecting = EXPECT_OPEN;

  constructor(options: EarOptions & { earId: number; process: SpeechProcess }) {
    const { process, earId, model, codec, noiseSuppression = 'none' } = options;
    this.#process = process;
    this.#earId = earId;
    this.#line = { model, codec, noiseSuppression };
  }

  /** What the next utterance will probably be: one of the phrasebook's expectations. */
  expect(expecting: string): void {
    this.#expecting = expecting;
  }

  /** An utterance begins; an unfinished one before it is forgotten. */
  start(): void {
    this.#pieceBytes = 0;
    const message = { type: 'start', earId: this.#earId, ...this.#line, expecting: this.#expecting };
    const taken = this.#process.isUp && this.#process.tell(message);
    this.#startedIn = taken ? this.#process.generation : null;
  }

  /** Has one process heard the utterance from its start, and is it alive? */
  get #whole(): boolean {
    return this.#process.isUp && this.#startedIn === this.#process.generation;
  }

  hear(bytes: Uint8Array): void {
    for (let from = 0; from < bytes.length;) {
      const part = bytes.subarray(from, from + PIECE_BYTES - this.#pieceBytes);
      this.#piece.set(part, this.#pieceBytes);
      this.#pieceBytes += part.length;
      from += part.length;
      if (this.#pieceBytes === PIECE_BYTES) this.#flush();
    }
  }

  #flush(): void {
    if (this.#whole && this.#pieceBytes > 0) {
      const bytes = this.#piece.slice(0, this.#pieceBytes);
      this.#process.tell({ type: 'audio', earId: this.#earId, bytes });
    }
    this.#pieceBytes = 0;
  }

  /** What was said. Rejects with SPEECH_UNAVAILABLE when the process died meanwhile. */
  async end(): Promise<Hearing> {
    this.#flush();
    const request = this.#whole ? { type: 'end', earId: this.#earId } : null;
    if (!request) return Promise.reject(this.#process.lost());
    return hearingSchema.parse(await this.#process.ask(request, RESULT_MS_MAX));
  }

  close(): void {
    this.#process.tell({ type: 'close', earId: this.#earId });
  }
}
