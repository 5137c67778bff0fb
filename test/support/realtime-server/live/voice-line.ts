/** A Live server's voice: one line in real time, sound or silence, 100 ms at a time. */
import { G711 } from '../../../../src/media/g711.ts';
import { toLine, type LineFormat } from '../speech/line-format.ts';

const step_ms = 100;
const step_bytes = step_ms * 8;
/** After a hold-up of the machine no more than this is sent at once. */
const steps_behind_max = 5;

interface Spoken {
  readonly text: string;
  readonly bytes: Uint8Array;
  at: number;
}

export interface VoiceLineOptions {
  readonly format: LineFormat;
  /** Simulated ms per real ms. */
  readonly speed: number;
  readonly sound: (bytes: Uint8Array) => void;
  /** A sentence begins, so many ms after the line did, and will last so long. */
  readonly words: (text: string, startMs: number, endMs: number) => void;
}

export class VoiceLine {
  readonly #options: VoiceLineOptions;
  readonly #timer: NodeJS.Timeout;
  readonly #startedMs = performance.now();
  #queue: Spoken[] = [];
  #steps = 0;

  constructor(options: VoiceLineOptions) {
    this.#options = options;
    this.#timer = setInterval(() => this.#run(), step_ms / 2 / options.speed);
  }

  get nowMs(): number {
    return this.#steps * step_ms;
  }

  get speaking(): boolean {
    return this.#queue.length > 0;
  }

  say(text: string, bytes: Uint8Array): void {
    this.#queue.push({ text, bytes, at: 0 });
  }

  /** The caller speaks: whatever was being said, and was to be said, is not. */
  stop(): void {
    this.#queue = [];
  }

  close(): void {
    clearInterval(this.#timer);
    this.#queue = [];
  }

  #run(): void {
    const realMs = performance.now() - this.#startedMs;
    const due = Math.floor((realMs * this.#options.speed) / step_ms);
    this.#steps = Math.max(this.#steps, due - steps_behind_max);
    for (; this.#steps < due; this.#steps += 1) this.#step();
  }

  #step(): void {
    const { format, sound } = this.#options;
    const step = new Uint8Array(step_bytes).fill(G711[format.codec].silence);
    for (let filled = 0; filled < step_bytes;) {
      const [spoken] = this.#queue;
      if (spoken === undefined) break;
      if (spoken.at === 0) this.#begin(spoken, filled / 8);
      const part = spoken.bytes.subarray(spoken.at, spoken.at + step_bytes - filled);
      step.set(part, filled);
      filled += part.length;
      spoken.at += part.length;
      if (spoken.at >= spoken.bytes.length) this.#queue.shift();
    }
    sound(toLine(format, step));
  }

  #begin({ text, bytes }: Spoken, offsetMs: number): void {
    const startMs = Math.round(this.nowMs + offsetMs);
    this.#options.words(text, startMs, startMs + Math.round(bytes.length / 8));
  }
}
