/** The caller's sound on its way to the server: 20 ms frames in, `append` messages out. */
import { SAMPLE_RATE_HZ, type Codec } from '../../../media/frame.ts';
import { silenceOf } from '../../../media/jitter-buffer.ts';
import { gap_fill_ms_max } from './limits.ts';

const tail = Buffer.from('"}');
const bytes_per_ms = SAMPLE_RATE_HZ / 1000;

/** What the protocols call the message. */
export type AppendType = 'input_audio_buffer.append' | 'session.input_audio.append';

/**
 * Collects `appendMs` of G.711 and hands out whole messages. A batch always has the same length, so
 * its JSON has too: one buffer is filled over and over, and `send` must be done with it when it returns.
 */
export class AppendBatch {
  readonly #audio: Buffer;
  readonly #headBytes: number;
  readonly #message: Buffer;
  readonly #silence: Uint8Array;
  readonly #send: (message: Uint8Array) => void;
  #filled = 0;

  constructor(options: {
    type: AppendType;
    appendMs: number;
    codec: Codec;
    send: (message: Uint8Array) => void;
  }) {
    const head = Buffer.from(`{"type":"${options.type}","audio":"`);
    this.#headBytes = head.length;
    this.#audio = Buffer.alloc(options.appendMs * bytes_per_ms);
    const base64Length = Math.ceil(this.#audio.length / 3) * 4;
    // Of its own, for the length of the call: a slice of Node's pool would keep all 64 KiB of it.
    this.#message = Buffer.alloc(head.length + base64Length + tail.length);
    head.copy(this.#message);
    tail.copy(this.#message, head.length + base64Length);
    this.#silence = silenceOf(options.codec);
    this.#send = options.send;
  }

  /** `gapMs` of silence first, so that the server's clock of the caller's sound keeps true time. */
  add(bytes: Uint8Array, gapMs: number): void {
    let missing = Math.round(Math.min(Math.max(gapMs, 0), gap_fill_ms_max) * bytes_per_ms);
    while (missing > 0) {
      const part = Math.min(missing, this.#silence.length);
      this.#fill(part === this.#silence.length ? this.#silence : this.#silence.subarray(0, part));
      missing -= part;
    }
    this.#fill(bytes);
  }

  #fill(bytes: Uint8Array): void {
    let taken = 0;
    while (taken < bytes.length) {
      const part = Math.min(bytes.length - taken, this.#audio.length - this.#filled);
      this.#audio.set(
        taken === 0 && part === bytes.length ? bytes : bytes.subarray(taken, taken + part),
        this.#filled,
      );
      taken += part;
      this.#filled += part;
      if (this.#filled === this.#audio.length) this.#flush();
    }
  }

  #flush(): void {
    this.#filled = 0;
    this.#message.write(this.#audio.toString('base64'), this.#headBytes, 'latin1');
    this.#send(this.#message);
  }
}
