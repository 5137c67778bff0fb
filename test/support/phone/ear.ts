/** Hears whether the far end speaks: packets in, "spoke and then fell silent" out. */
import { levelDbfs } from '../sound/level.ts';

/** Quieter than this is silence, in dB below full scale: above comfort noise, below any voice. */
const voice_dbfs_min = -45;
/** Shorter sounds are clicks. */
const speech_ms_min = 120;
const packet_ms = 20;

export class Ear {
  /** Speech heard since `listenAnew`, in ms. */
  #speechMs = 0;
  #silentMs = 0;
  #waiting: { readonly ms: number; readonly heard: () => void } | undefined;
  /** One entry per stretch of speech, for those who want to recognise it. */
  onVoiced: ((voiced: boolean, samples: Int16Array) => void) | undefined;

  /** true while the far end speaks. */
  get speaking(): boolean {
    return this.#speechMs >= speech_ms_min && this.#silentMs < 10 * packet_ms;
  }

  /** What was heard before does not count any more. */
  listenAnew(): void {
    this.#speechMs = 0;
    this.#silentMs = 0;
  }

  take(samples: Int16Array): void {
    const voiced = samples.length > 0 && levelDbfs(samples) > voice_dbfs_min;
    if (voiced) {
      this.#speechMs += packet_ms;
      this.#silentMs = 0;
    } else {
      this.#silentMs += packet_ms;
      if (this.#speechMs < speech_ms_min && this.#silentMs >= 10 * packet_ms) this.#speechMs = 0;
    }
    this.onVoiced?.(voiced, samples);
    const waiting = this.#waiting;
    if (waiting === undefined || !this.#fellSilent(waiting.ms)) return;
    this.#waiting = undefined;
    waiting.heard();
  }

  /** Resolves once the far end has spoken since `listenAnew` and then been silent for `ms`. */
  silenceAfterSpeech(ms: number): Promise<void> {
    if (this.#fellSilent(ms)) return Promise.resolve();
    return new Promise((resolve) => {
      this.#waiting = { ms, heard: resolve };
    });
  }

  #fellSilent(ms: number): boolean {
    return this.#speechMs >= speech_ms_min && this.#silentMs >= ms;
  }
}
