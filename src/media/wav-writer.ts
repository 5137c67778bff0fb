/** Sound into a WAV file (G.711, 8 kHz mono), behind the call's back: the hot path never waits for it. */
import { open, type FileHandle } from 'node:fs/promises';
import { messageOf, TrunklineError } from '../base/errors.ts';
import { SAMPLE_RATE_HZ, type Codec } from './frame.ts';

/** RIFF, a `fmt ` chunk of 18 bytes, `fact` (wanted for formats that are not PCM), and the head of `data`. */
const HEADER_BYTES = 58;
/** Sound that may wait for the disk, in bytes: a disk that is slower than a telephone is broken. */
const UNWRITTEN_BYTES_MAX = 1024 * 1024;
/** Frames are written together, about once a second. */
const BATCH_BYTES = SAMPLE_RATE_HZ;
const WAVE_FORMAT = { pcma: 6, pcmu: 7 } as const;

export class WavWriter {
  readonly #file: FileHandle;
  readonly #codec: Codec;
  #batch: Uint8Array = new Uint8Array(BATCH_BYTES);
  #filled = 0;
  #unwritten = 0;
  #bytes = 0;
  #failure: Error | undefined;
  #writing: Promise<void> = Promise.resolve();
  #closing: Promise<number> | undefined;

  private constructor(file: FileHandle, codec: Codec) {
    this.#file = file;
    this.#codec = codec;
  }

  /** Rejects with RECORDING_FAILED; a file that exists is never written over. */
  static async create(options: { path: string; codec: Codec }): Promise<WavWriter> {
    try {
      const file = await open(options.path, 'wx', 0o600);
      await file.write(header(options.codec, 0));
      return new WavWriter(file, options.codec);
    } catch (error) {
      throw failed(options.path, error);
    }
  }

  /** Sound so far, in ms. */
  get writtenMs(): number {
    return (this.#bytes * 1000) / SAMPLE_RATE_HZ;
  }

  /** Takes a copy of any number of bytes. What a stuck disk cannot take is dropped. */
  write(bytes: Uint8Array): void {
    if (this.#closing !== undefined || this.#unwritten > UNWRITTEN_BYTES_MAX) return;
    for (let from = 0; from < bytes.length;) {
      const count = Math.min(bytes.length - from, BATCH_BYTES - this.#filled);
      this.#batch.set(bytes.subarray(from, from + count), this.#filled);
      this.#filled += count;
      from += count;
      if (this.#filled === BATCH_BYTES) this.#flush();
    }
    this.#bytes += bytes.length;
  }

  /** Ends the file; its length in ms. Rejects with RECORDING_FAILED. Idempotent. */
  close(): Promise<number> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  #flush(): void {
    const batch = this.#batch.subarray(0, this.#filled);
    this.#batch = new Uint8Array(BATCH_BYTES);
    this.#filled = 0;
    this.#unwritten += batch.length;
    this.#writing = this.#writing
      .then(async () => {
        if (this.#failure === undefined) await this.#file.write(batch);
      })
      .catch((error: unknown) => {
        this.#failure = error instanceof Error ? error : new Error(String(error));
      })
      .finally(() => {
        this.#unwritten -= batch.length;
      });
  }

  async #close(): Promise<number> {
    if (this.#filled > 0) this.#flush();
    await this.#writing;
    try {
      if (this.#failure !== undefined) throw this.#failure;
      await this.#file.write(header(this.#codec, this.#bytes), 0, HEADER_BYTES, 0);
      await this.#file.sync();
      return Math.round(this.writtenMs);
    } catch (error) {
      throw failed('the message', error);
    } finally {
      await this.#file.close();
    }
  }
}

function failed(path: string, error: unknown): TrunklineError {
  return new TrunklineError('RECORDING_FAILED', `${path}: ${messageOf(error)}`, { cause: error });
}

/** RFC 2361 names the formats; the layout is Microsoft's "Multimedia Programming Interface" of 1991. */
function header(codec: Codec, bytes: number): Buffer {
  const buffer = Buffer.alloc(HEADER_BYTES);
  buffer.write('RIFF', 0, 'latin1');
  buffer.writeUInt32LE(HEADER_BYTES - 8 + bytes, 4);
  buffer.write('WAVEfmt ', 8, 'latin1');
  buffer.writeUInt32LE(18, 16);
  buffer.writeUInt16LE(WAVE_FORMAT[codec], 20);
  buffer.writeUInt16LE(1, 22);
  buffer.writeUInt32LE(SAMPLE_RATE_HZ, 24);
  buffer.writeUInt32LE(SAMPLE_RATE_HZ, 28);
  buffer.writeUInt16LE(1, 32);
  buffer.writeUInt16LE(8, 34);
  buffer.write('fact', 38, 'latin1');
  buffer.writeUInt32LE(4, 42);
  buffer.writeUInt32LE(bytes, 46);
  buffer.write('data', 50, 'latin1');
  buffer.writeUInt32LE(bytes, 54);
  return buffer;
}
