/**
 * The first hop: what happens on calls is appended to files of this machine, in order, and handed on from
 * there. A call never waits for it: `append` only puts into memory, a writer brings it to the disk in
 * batches.
 */
import { mkdir, open, type FileHandle } from 'node:fs/promises';
import { systemClock, type Clock } from '../../base/clock.ts';
import { messageOf, TrunklineError } from '../../base/errors.ts';
import { newId } from '../../base/ids.ts';
import type { Log } from '../../base/log.ts';
import { SerialQueue } from '../../base/serial-queue.ts';
import { writeLine, type SpoolContent, type SpoolEntry } from './line.ts';
import {
  readSegments,
  readSlice,
  readState,
  removeSegment,
  segmentPath,
  writeState,
  type Segment,
} from './segments.ts';

export interface SpoolOptions {
  readonly folder: string;
  /**
   * When entries are forced to the disk: before they count as kept, within `fsyncIntervalMs`, or never by
   * us.
   */
  readonly fsync: 'always' | 'interval' | 'never';
  readonly fsyncIntervalMs: number;
  readonly segmentBytes: number;
  /** All segments together, and what waits to be written. */
  readonly bytesMax: number;
  readonly log: Log;
  readonly clock?: Clock;
}

interface Waiting {
  readonly line: Buffer;
  readonly seq: number;
  /** Undefined when so much waits that it will be read from its file. */
  readonly entry: SpoolEntry | undefined;
  kept: PromiseWithResolvers<undefined> | undefined;
}

/** A slice that is read at once. */
const slice_bytes = 64 * 1024;
/** What is kept in memory for the reader, in bytes of its lines. */
const fresh_bytes_max = 64 * 1024;
/** After a failed write, in ms. */
const write_again_ms = 1000;

export class Spool {
  /** Names this spool for good: with an entry's number it names the entry everywhere. */
  readonly gateway: string;
  readonly #options: SpoolOptions;
  readonly #clock: Clock;
  readonly #segments: Segment[];
  readonly #files = new SerialQueue();
  #file: FileHandle | undefined;
  #waiting: Waiting[] = [];
  #waitingBytes = 0;
  #last: number;
  #taken: number;
  /** Up to here everything was read, or is in `#fresh`. */
  #place = { segment: 0, byte: 0 };
  /** Entries before `#place` that are handed on as they are: a reader that keeps up needs no files. */
  #fresh: SpoolEntry[] = [];
  #freshBytes = 0;
  #refused = 0;
  #isFull = false;
  #writing = false;
  #syncTimer: (() => void) | undefined;
  #grown = Promise.withResolvers<undefined>();
  #closing: Promise<void> | undefined;

  private constructor(options: SpoolOptions, state: { gateway: string; taken: number }, segments: Segment[]) {
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
    this.gateway = state.gateway;
    this.#segments = segments;
    this.#taken = state.taken;
    this.#last = state.taken;
  }

  /** Opens or makes the folder's spool; entries that were not taken over before come first. */
  static async open(options: SpoolOptions): Promise<Spool> {
    const { folder, log } = options;
    await mkdir(folder, { recursive: true });
    const state = (await readState(folder)) ?? { gateway: newId('gw'), taken: 0 };
    const { segments, last, broken } = await readSegments(folder);
    if (broken.length > 0)
      log.error(
        { code: 'SPOOL_DAMAGED', broken: broken.slice(0, 20) },
        'entries of the spool cannot be read',
      );
    const spool = new Spool(options, state, segments);
    spool.#last = Math.max(last, state.taken);
    await writeState(folder, state);
    if (spool.waiting > 0) log.info({ entries: spool.waiting }, 'the spool holds entries of before');
    return spool;
  }

  /** It never had an entry. */
  get isNew(): boolean {
    return this.#last === 0;
  }

  /** Entries that are not taken over yet. */
  get waiting(): number {
    return this.#last - this.#taken;
  }

  /** Entries that were lost because the spool was full or its disk failed. */
  get refused(): number {
    return this.#refused;
  }

  get bytes(): number {
    return this.#segments.reduce((sum, segment) => sum + segment.bytes, this.#waitingBytes);
  }

  /** Never waits and never throws. false: there is no room; the loss is counted and told once per spell. */
  append(content: SpoolContent): boolean {
    return this.#put(content, undefined);
  }

  /**
   * Resolves when the entry is in a file (with fsync `always`: on the disk).
   * @throws TrunklineError JOBS_UNAVAILABLE when there is no room
   */
  async keep(content: SpoolContent): Promise<void> {
    const kept = Promise.withResolvers<undefined>();
    if (!this.#put(content, kept)) throw new TrunklineError('JOBS_UNAVAILABLE', 'the spool is full');
    await kept.promise;
  }

  /** Resolves when everything that was appended so far is in a file (with fsync `always`: on the disk). */
  async settled(): Promise<void> {
    const last = this.#waiting.at(-1);
    if (last === undefined) return;
    last.kept ??= Promise.withResolvers();
    await last.kept.promise;
  }

  /** The next entries that were not taken over; waits until there are some. Undefined once it is closed. */
  async next(): Promise<SpoolEntry[] | undefined> {
    while (this.#closing === undefined) {
      const grown = this.#grown.promise;
      const entries = await this.#files.run(() => this.#read());
      if (entries.length > 0) return entries;
      await grown;
    }
    return undefined;
  }

  /** Everything up to `seq` is safe elsewhere: files that hold nothing else are removed. */
  async taken(seq: number): Promise<void> {
    await this.#files.run(async () => {
      this.#taken = Math.max(this.#taken, seq);
      await writeState(this.#options.folder, { gateway: this.gateway, taken: this.#taken });
      while (this.#segments.length > 1 && (this.#segments[1]?.first ?? Infinity) <= this.#taken + 1) {
        const [done] = this.#segments.splice(0, 1);
        if (done !== undefined) await removeSegment(done);
        if (this.#place.segment > 0) this.#place = { ...this.#place, segment: this.#place.segment - 1 };
        else this.#place = { segment: 0, byte: 0 };
      }
    });
  }

  /** Begins again after the last entry that was taken over: what was read since is read again. */
  rewind(): void {
    this.#takeFresh();
    this.#place = { segment: 0, byte: 0 };
  }

  /** Brings everything to the disk. Idempotent. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    this.#grown.resolve(undefined);
    await this.#files
      .run(() => this.#flushAll())
      .catch((error: unknown) => {
        this.#options.log.error({ code: 'SPOOL_UNWRITABLE', detail: messageOf(error) }, 'entries are lost');
      });
    this.#syncTimer?.();
    await this.#files.run(async () => {
      await this.#file?.sync().catch(() => undefined);
      await this.#file?.close();
    });
  }

  #put(content: SpoolContent, kept: Waiting['kept']): boolean {
    const entry = { seq: this.#last + 1, content };
    const line = writeLine(entry);
    if (this.#closing !== undefined || this.bytes + line.length > this.#options.bytesMax) {
      this.#refused += 1;
      if (!this.#isFull)
        this.#options.log.error(
          { code: 'SPOOL_FULL', bytes: this.bytes },
          'the spool is full: entries are lost',
        );
      this.#isFull = true;
      return false;
    }
    this.#isFull = false;
    this.#last += 1;
    this.#waitingBytes += line.length;
    const isFew = this.#waitingBytes + this.#freshBytes <= fresh_bytes_max;
    this.#waiting.push({ line, seq: this.#last, entry: isFew ? entry : undefined, kept });
    if (!this.#writing) this.#write();
    return true;
  }

  #write(): void {
    this.#writing = true;
    // Whatever else this turn of the event loop appends goes along.
    setImmediate(() => {
      void this.#files
        .run(() => this.#flush())
        .then(
          () => {
            this.#writing = false;
            if (this.#waiting.length > 0 && this.#closing === undefined) this.#write();
          },
          (error: unknown) => {
            this.#options.log.error(
              { code: 'SPOOL_UNWRITABLE', detail: messageOf(error) },
              'the spool waits',
            );
            this.#clock.after(write_again_ms, () => this.#write());
          },
        );
    });
  }

  async #flushAll(): Promise<void> {
    while (this.#waiting.length > 0) await this.#flush();
  }

  /**
   * Writes what waits, as far as it fits into one file; on failure it waits on. The next try begins with the
   * same entries, and so writes over whatever this one left.
   */
  async #flush(): Promise<void> {
    const [first] = this.#waiting;
    if (first === undefined) return;
    const segment = await this.#segmentFor(first.seq);
    let room = this.#options.segmentBytes - segment.bytes;
    const end = this.#waiting.findIndex(({ line }) => (room -= line.length) < 0);
    // The entry that fills the file still goes into it. A copy: more may be appended while this is written.
    const batch = this.#waiting.slice(0, end === -1 ? undefined : end + 1);
    const bytes = Buffer.concat(batch.map((one) => one.line));
    const written = await this.#file?.write(bytes, 0, bytes.length, segment.bytes);
    // A disk that gets full takes a part, and says no more than how much.
    if (written?.bytesWritten !== bytes.length) throw new Error('the disk took a part of what was written');
    if (this.#options.fsync === 'always') await this.#file?.datasync();
    if (this.#options.fsync === 'interval') this.#syncSoon();
    // Not earlier: a reader may have gone back while this was written.
    const isNext = this.#isReadToTheEnd();
    segment.bytes += bytes.length;
    this.#waiting = this.#waiting.slice(batch.length);
    this.#waitingBytes -= bytes.length;
    const entries = batch.map((one) => one.entry).filter((entry) => entry !== undefined);
    if (isNext && entries.length === batch.length) {
      this.#fresh.push(...entries);
      this.#freshBytes += bytes.length;
      this.#place = { segment: this.#segments.length - 1, byte: segment.bytes };
    }
    for (const one of batch) one.kept?.resolve(undefined);
    this.#grown.resolve(undefined);
    this.#grown = Promise.withResolvers();
  }

  async #segmentFor(seq: number): Promise<Segment> {
    const { folder, segmentBytes } = this.#options;
    const current = this.#segments.at(-1);
    if (current !== undefined && current.bytes < segmentBytes) {
      this.#file ??= await open(current.path, 'r+');
      return current;
    }
    await this.#file?.datasync();
    await this.#file?.close();
    this.#file = undefined;
    const segment = { first: seq, path: segmentPath(folder, seq), bytes: 0 };
    this.#file = await open(segment.path, 'w');
    this.#segments.push(segment);
    return segment;
  }

  #syncSoon(): void {
    this.#syncTimer ??= this.#clock.after(this.#options.fsyncIntervalMs, () => {
      this.#syncTimer = undefined;
      void this.#files
        .run(async () => this.#file?.datasync())
        .catch((error: unknown) => this.#options.log.error({ detail: messageOf(error) }, 'fsync failed'));
    });
  }

  #isReadToTheEnd(): boolean {
    const { segment, byte } = this.#place;
    return this.#segments.slice(segment).every(({ bytes }, at) => bytes === (at === 0 ? byte : 0));
  }

  #takeFresh(): SpoolEntry[] {
    const fresh = this.#fresh;
    this.#fresh = [];
    this.#freshBytes = 0;
    return fresh;
  }

  async #read(): Promise<SpoolEntry[]> {
    if (this.#fresh.length > 0) return this.#takeFresh();
    for (;;) {
      const segment = this.#segments[this.#place.segment];
      if (segment === undefined) return [];
      if (this.#place.byte < segment.bytes) {
        const { entries, nextByte } = await readSlice(segment, this.#place.byte, slice_bytes);
        this.#place = { ...this.#place, byte: nextByte };
        const fresh = entries.filter((entry) => entry.seq > this.#taken);
        if (fresh.length > 0) return fresh;
      } else if (this.#place.segment < this.#segments.length - 1)
        this.#place = { segment: this.#place.segment + 1, byte: 0 };
      else return [];
    }
  }
}
