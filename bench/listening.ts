/** Hears whether the far end speaks, packet by packet: "spoke, and then fell silent". */
import { setTimeout as pause } from 'node:timers/promises';
import { FRAME_MS } from '../src/media/frame.ts';
import { silence_dbfs, type Heard } from './heard.ts';

/** Shorter sounds are clicks. */
const speech_ms_min = 100;

export class Listening {
  #speechMs = 0;
  #firstMs: number | null = null;
  #lastMs = 0;

  /** When the first sound since `anew` arrived; null: none has. */
  get firstMs(): number | null {
    return this.#firstMs;
  }

  /** What was heard before does not count any more. */
  anew(): void {
    this.#speechMs = 0;
    this.#firstMs = null;
  }

  take({ atMs, levelDbfs }: Heard): void {
    if (levelDbfs <= silence_dbfs) return;
    this.#firstMs ??= atMs;
    this.#lastMs = atMs;
    this.#speechMs += FRAME_MS;
  }

  /**
   * True once the far end has spoken since `anew` and then been silent for `ms`, or gone; false: not in good
   * time.
   */
  async spoken(ms: number, patienceMs: number): Promise<boolean> {
    const endMs = performance.now() + patienceMs;
    for (;;) {
      const nowMs = performance.now();
      if (this.#speechMs >= speech_ms_min && nowMs - this.#lastMs >= ms) return true;
      if (nowMs > endMs) return false;
      await pause(FRAME_MS);
    }
  }
}
