/**
 * One entry of the spool is one line: CRC-32 of the rest in hex, a space, and JSON that begins with its
 * number.
 */
import { crc32 } from 'node:zlib';
import { z } from 'zod';
import { envelopeSchema, tenantName } from '../envelope.ts';
import { callWord, runName } from '../payloads/transcripts.ts';

export const spoolContent = z.discriminatedUnion('type', [
  /** A word about a call. */
  z.strictObject({
    ...{ type: z.literal('call'), tenant: tenantName, callId: z.string(), word: callWord },
    traceparent: z.string().max(64).optional(),
    /** None in the lines of a version that had no runs. */
    run: runName.optional(),
  }),
  /** A job that was asked for. */
  z.strictObject({
    type: z.literal('job'),
    queue: z.string(),
    envelope: envelopeSchema,
    delayMs: z.int().min(0).optional(),
  }),
]);
export type SpoolContent = z.infer<typeof spoolContent>;

export interface SpoolEntry {
  /** Counts all entries that the spool ever had, from 1. */
  readonly seq: number;
  readonly content: SpoolContent;
}

const lineBody = z.tuple([z.int().min(1), spoolContent]);

export function writeLine({ seq, content }: SpoolEntry): Buffer {
  const body = JSON.stringify([seq, content]);
  return Buffer.from(`${crc32(body).toString(16).padStart(8, '0')} ${body}\n`);
}

/** Undefined for a line that was not written whole, or was changed. */
export function readLine(line: string): SpoolEntry | undefined {
  const body = line.slice(9);
  if (line[8] !== ' ' || crc32(body).toString(16).padStart(8, '0') !== line.slice(0, 8)) return undefined;
  try {
    const [seq, content] = lineBody.parse(JSON.parse(body));
    return { seq, content };
  } catch {
    return undefined;
  }
}
