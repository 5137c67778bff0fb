/** The caller's message after the tone: from the ears into a file, until it is over. */
import { messageOf, TrunklineError } from '../base/errors.ts';
import { FRAME_MS, FRAME_SAMPLES, type Codec } from '../media/frame.ts';
import { G711 } from '../media/g711.ts';
import { WavWriter } from '../media/wav-writer.ts';
import type { HandOver } from './failover-settings.ts';

type Settings = Extract<HandOver, { type: 'voicemail' }>;

/** Longest gap in the caller's sound that is written as silence, in ms. */
const GAP_MS_MAX = 2000;
/** Sound that waits for the file to be opened. */
const EARLY_FRAMES_MAX = 100;

export class Voicemail {
  readonly path: string;
  readonly settings: Settings;
  readonly #silence: Uint8Array;
  readonly #early: Uint8Array[] = [];
  readonly #failed: (failure: { code: string; detail: string }) => void;
  #writer: WavWriter | null = null;
  #recordedMs = 0;
  #silentMs = 0;
  #over = false;

  constructor(options: {
    path: string;
    codec: Codec;
    settings: Settings;
    failed: (failure: { code: string; detail: string }) => void;
  }) {
    this.path = options.path;
    this.settings = options.settings;
    this.#failed = options.failed;
    this.#silence = new Uint8Array(FRAME_SAMPLES).fill(G711[options.codec].silence);
    void this.#open(options.codec);
  }

  /** Length of the message so far. */
  get recordedMs(): number {
    return this.#recordedMs;
  }

  async #open(codec: Codec): Promise<void> {
    try {
      const writer = await WavWriter.create({ path: this.path, codec });
      for (const bytes of this.#early.splice(0)) writer.write(bytes);
      this.#writer = writer;
      if (this.#over) await writer.close();
    } catch (failure) {
      this.#tell(failure);
    }
  }

  /** 20 ms of the caller. */
  hear(bytes: Uint8Array, gapMs: number): void {
    if (this.#over) return;
    for (let left = Math.min(gapMs, GAP_MS_MAX); left >= FRAME_MS; left -= FRAME_MS)
      this.#write(this.#silence);
    this.#write(bytes);
  }

  #write(bytes: Uint8Array): void {
    this.#recordedMs += FRAME_MS;
    if (this.#writer) this.#writer.write(bytes);
    else if (this.#early.length < EARLY_FRAMES_MAX) this.#early.push(bytes.slice());
  }

  /** Once per 20 ms; true when the message is over. */
  tick(voiced: boolean): boolean {
    if (this.#over) return false;
    this.#silentMs = voiced ? 0 : this.#silentMs + FRAME_MS;
    const { silence_ms: silenceMs, message_ms_max: longestMs } = this.settings;
    return this.#silentMs >= silenceMs || this.#recordedMs >= longestMs;
  }

  /** Ends the file behind the call's back; a failure is told. Idempotent. */
  end(): void {
    if (this.#over) return;
    this.#over = true;
    this.#writer?.close().catch((failure: unknown) => this.#tell(failure));
  }

  #tell(failure: unknown): void {
    const known = failure instanceof TrunklineError;
    const code = known ? failure.code : 'RECORDING_FAILED';
    this.#failed({ code, detail: known ? failure.detail : messageOf(failure) });
  }
}
