/** Records in a file: one JSON line each, only ever added to, on disk before anybody is told of it. */
import { mkdir, open, readFile, truncate, type FileHandle } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { z } from 'zod';

/** A torn last line (the process was killed while it wrote) was never confirmed and is cut off. */
export class RecordsFile<T> {
  readonly #file: FileHandle;
  readonly #records: T[];
  /** Whoever looks and then adds does so alone. */
  #queue: Promise<unknown> = Promise.resolve();

  private constructor(file: FileHandle, records: T[]) {
    this.#file = file;
    this.#records = records;
  }

  /** Opens or makes the file. Throws when a line in the middle is no record: somebody wrote into it. */
  static async create<T>(options: { path: string; schema: z.ZodType<T> }): Promise<RecordsFile<T>> {
    await mkdir(dirname(options.path), { recursive: true });
    const records = await readRecords(options.path, options.schema);
    return new RecordsFile(await open(options.path, 'a'), records);
  }

  /** All records, in the order they were added. */
  get records(): readonly T[] {
    return this.#records;
  }

  /** Runs `work` while nobody else adds. `add` resolves when the record is on disk. */
  alone<R>(work: (add: (record: T) => Promise<T>) => Promise<R>): Promise<R> {
    const done = this.#queue.then(() => work((record) => this.#add(record)));
    this.#queue = done.catch(() => undefined);
    return done;
  }

  async #add(record: T): Promise<T> {
    await this.#file.appendFile(`${JSON.stringify(record)}\n`);
    await this.#file.datasync();
    this.#records.push(record);
    return record;
  }

  /** Waits for what is under way. */
  async close(): Promise<void> {
    await this.#queue;
    await this.#file.close();
  }
}

/** Without opening it for more. Throws as `create` does. */
export async function readRecords<T>(path: string, schema: z.ZodType<T>): Promise<T[]> {
  const text = await readFile(path, 'utf8').catch((failure: unknown) => {
    if ((failure as NodeJS.ErrnoException).code === 'ENOENT') return '';
    throw failure;
  });
  const whole = text.slice(0, text.lastIndexOf('\n') + 1);
  if (whole.length < text.length) await truncate(path, Buffer.byteLength(whole));
  return whole
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => schema.parse(JSON.parse(line)));
}
