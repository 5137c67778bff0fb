/** A stereo recording on one time line: left what the phone spoke, right what it heard. */
import { writeWav } from '../sound/wav.ts';

const sample_rate_hz = 8000;
/** Ten minutes. */
const samples_max = 600 * sample_rate_hz;

class Track {
  #samples = new Int16Array(30 * sample_rate_hz);
  length = 0;

  put(at: number, samples: Int16Array): void {
    const end = at + samples.length;
    if (at < 0 || end > samples_max) return;
    if (end > this.#samples.length) {
      const longer = new Int16Array(Math.min(samples_max, 2 * end));
      longer.set(this.#samples);
      this.#samples = longer;
    }
    this.#samples.set(samples, at);
    this.length = Math.max(this.length, end);
  }

  get samples(): Int16Array {
    return this.#samples.subarray(0, this.length);
  }
}

export class Tape {
  readonly #spoke = new Track();
  readonly #heard = new Track();

  /** The phone sends without a break, so its own packets line up by count. */
  spoke(samples: Int16Array): void {
    this.#spoke.put(this.#spoke.length, samples);
  }

  /** `atMs` since the phone's first packet. */
  heard(samples: Int16Array, atMs: number): void {
    const due = Math.round((atMs * sample_rate_hz) / 1000);
    // Packets that follow each other closely join without a seam; jitter is no gap.
    const seamless = Math.abs(due - this.#heard.length) < 0.06 * sample_rate_hz;
    this.#heard.put(seamless ? this.#heard.length : Math.max(due, this.#heard.length), samples);
  }

  get channels(): { readonly spoke: Int16Array; readonly heard: Int16Array } {
    return { spoke: this.#spoke.samples, heard: this.#heard.samples };
  }

  async save(path: string): Promise<void> {
    const length = Math.max(this.#spoke.length, this.#heard.length);
    const channels = [this.#spoke.samples, this.#heard.samples].map((samples) => {
      const padded = new Int16Array(length);
      padded.set(samples);
      return padded;
    });
    await writeWav(path, { sampleRateHz: sample_rate_hz, channels });
  }
}
