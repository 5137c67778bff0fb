/** Text to G.711: the media thread's side of synthesiser-process.ts, with phrases kept for the next call. */
import { z } from 'zod';
import type { Codec } from '../../../media/frame.ts';
import { SpeechProcess } from './speech-process.ts';

/** Longest wait for a phrase. */
const SPEAK_MS_MAX = 8000;
/** How long a phrase waits for a process that is being restarted. */
const RESTART_MS_MAX = 3000;
/** Kept phrases: 16 MiB are 35 minutes of speech. */
const CACHE_BYTES_MAX = 16 * 1024 * 1024;

export interface Phrase {
  readonly text: string;
  readonly voice: string;
  readonly codec: Codec;
}

export class Synthesiser {
  readonly process: SpeechProcess;
  readonly #cacheBytesMax: number;
  /** In order of last use, oldest first. */
  readonly #cache = new Map<string, Uint8Array>();
  readonly #underWay = new Map<string, Promise<Uint8Array>>();
  #cacheBytes = 0;

  constructor(options: { cacheBytesMax?: number } = {}) {
    this.#cacheBytesMax = options.cacheBytesMax ?? CACHE_BYTES_MAX;
    this.process = new SpeechProcess({ script: new URL('./synthesiser-process.ts', import.meta.url) });
  }

  get cachedBytes(): number {
    return this.#cacheBytes;
  }

  /**
   * The phrase as G.711 bytes (shared: do not write to them). A process that dies meanwhile is asked once
   * more after its restart. Rejects with SPEECH_UNAVAILABLE or PROFILE_UNSPEAKABLE.
   */
  speak(phrase: Phrase): Promise<Uint8Array> {
    const key = `${phrase.voice}\n${phrase.codec}\n${phrase.text}`;
    const cached = this.#cache.get(key);
    if (cached) {
      this.#cache.delete(key);
      this.#cache.set(key, cached);
      return Promise.resolve(cached);
    }
    const underWay = this.#underWay.get(key);
    if (underWay) return underWay;
    const speaking = this.#ask(phrase)
      .then((bytes) => this.#keep(key, bytes))
      .finally(() => this.#underWay.delete(key));
    this.#underWay.set(key, speaking);
    return speaking;
  }

  async #ask(phrase: Phrase): Promise<Uint8Array> {
    const request = { type: 'speak', ...phrase };
    const schema = z.instanceof(Uint8Array);
    try {
      return schema.parse(await this.process.ask(request, SPEAK_MS_MAX));
    } catch (failure) {
      if (!this.process.isUp && (await this.process.whenUp(RESTART_MS_MAX)))
        return schema.parse(await this.process.ask(request, SPEAK_MS_MAX));
      throw failure;
    }
  }

  #keep(key: string, bytes: Uint8Array): Uint8Array {
    if (bytes.length > this.#cacheBytesMax) return bytes;
    this.#cache.set(key, bytes);
    this.#cacheBytes += bytes.length;
    for (const [oldest, kept] of this.#cache) {
      if (this.#cacheBytes <= this.#cacheBytesMax) break;
      this.#cache.delete(oldest);
      this.#cacheBytes -= kept.length;
    }
    return bytes;
  }

  close(): Promise<void> {
    return this.process.close();
  }
}
