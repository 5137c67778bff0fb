/** Plays what is heard: one audio element for each track, and the browser's autoplay rules. */
import { LevelMeter } from './level-meter.ts';

interface Voice {
  readonly element: HTMLAudioElement;
  readonly meter: LevelMeter;
}

export class Speakers {
  readonly #voices = new Map<string, Voice>();
  readonly #onBlocked: () => void;

  /** `onBlocked`: the browser plays nothing until the visitor touches the page; `unblock` then. */
  constructor(onBlocked: () => void) {
    this.#onBlocked = onBlocked;
  }

  play(id: string, track: MediaStreamTrack): void {
    const stream = new MediaStream([track]);
    // Chromium gives a far end's sound to the meter only while an element plays it, so that comes first.
    const element = new Audio();
    element.autoplay = true;
    element.srcObject = stream;
    this.#voices.set(id, { element, meter: new LevelMeter(stream) });
    element.play().catch((error: unknown) => {
      if (error instanceof Error && error.name === 'NotAllowedError') this.#onBlocked();
    });
  }

  /** To be called from a click. */
  async unblock(): Promise<void> {
    await Promise.all([...this.#voices.values()].map(({ element }) => element.play()));
  }

  /** 0 to 1: the loudest voice. */
  level(): number {
    return Math.max(0, ...[...this.#voices.values()].map(({ meter }) => meter.level()));
  }

  stop(id: string): void {
    const voice = this.#voices.get(id);
    this.#voices.delete(id);
    voice?.meter.close();
    if (voice !== undefined) voice.element.srcObject = null;
  }

  close(): void {
    for (const id of [...this.#voices.keys()]) this.stop(id);
  }
}
