/** The files of a spool: `0000000000000001.log` is named after the number of its first entry. */
import { open, readdir, readFile, rename, rm, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { readLine, type SpoolEntry } from './line.ts';

export interface Segment {
  readonly first: number;
  readonly path: string;
  /** Bytes of whole entries. */
  bytes: number;
}

export function segmentPath(folder: string, first: number): string {
  return join(folder, `${String(first).padStart(16, '0')}.log`);
}

const stateSchema = z.strictObject({ gateway: z.string().min(1), taken: z.int().min(0) });
/** Who spools here, and up to which entry everything is taken over. */
export type SpoolState = z.infer<typeof stateSchema>;

export async function readState(folder: string): Promise<SpoolState | undefined> {
  try {
    return stateSchema.parse(JSON.parse(await readFile(join(folder, 'state.json'), 'utf8')));
  } catch {
    // Missing, or not written whole. What was taken over is told again, which its receivers are ready for.
    return undefined;
  }
}

/** Whole or not at all: a half-written state never takes the place of a good one. */
export async function writeState(folder: string, state: SpoolState): Promise<void> {
  const path = join(folder, 'state.json');
  await writeFile(`${path}.new`, JSON.stringify(state));
  await rename(`${path}.new`, path);
}

/**
 * All segments, oldest first, the torn end of the last one cut off. `broken`: entries in the middle that
 * cannot be read, as `file:byte`; what follows them is kept.
 */
export async function readSegments(
  folder: string,
): Promise<{ segments: Segment[]; last: number; broken: string[] }> {
  const names = (await readdir(folder)).filter((name) => /^\d{16}\.log$/.test(name)).sort();
  const broken: string[] = [];
  let last = 0;
  const segments: Segment[] = [];
  for (const [index, name] of names.entries()) {
    const path = join(folder, name);
    const text = await readFile(path);
    let wholeBytes = 0;
    for (let at = 0; at < text.length;) {
      const end = text.indexOf(0x0a, at);
      if (end === -1) break;
      const entry = readLine(text.toString('utf8', at, end));
      if (entry !== undefined) {
        last = Math.max(last, entry.seq);
        wholeBytes = end + 1;
      } else broken.push(`${name}:${at}`);
      at = end + 1;
    }
    if (index === names.length - 1 && wholeBytes < text.length) await truncate(path, wholeBytes);
    const bytes = index === names.length - 1 ? wholeBytes : text.length;
    segments.push({ first: Number(name.slice(0, 16)), path, bytes });
  }
  return { segments, last, broken };
}

export interface Slice {
  readonly entries: SpoolEntry[];
  /** Where to go on reading. */
  readonly nextByte: number;
}

/** Entries of a segment from a byte on, at most about `bytesMax` of them and at least one. */
export async function readSlice(segment: Segment, fromByte: number, bytesMax: number): Promise<Slice> {
  const file = await open(segment.path, 'r');
  try {
    let length = Math.min(bytesMax, segment.bytes - fromByte);
    for (;;) {
      const bytes = Buffer.alloc(length);
      await file.read(bytes, 0, length, fromByte);
      const end = bytes.lastIndexOf(0x0a) + 1;
      if (end > 0 || fromByte + length >= segment.bytes) {
        const lines = bytes.toString('utf8', 0, end).split('\n');
        const entries = lines.map(readLine).filter((entry) => entry !== undefined);
        return { entries, nextByte: end > 0 ? fromByte + end : segment.bytes };
      }
      length = Math.min(length * 2, segment.bytes - fromByte);
    }
  } finally {
    await file.close();
  }
}

export async function removeSegment(segment: Segment): Promise<void> {
  await rm(segment.path, { force: true });
}
