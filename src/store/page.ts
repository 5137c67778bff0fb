/**
 * Pages of a list, newest first: a cursor names the last row that was seen, so that new rows move nothing.
 */
import { z } from 'zod';
import { TrunklineError } from '../base/errors.ts';

export const page_rows_max = 200;

export interface PageQuestion {
  /** Rows wanted, 1 to `page_rows_max`. */
  readonly limit: number;
  /** `next` of the page before; undefined: the first page. */
  readonly cursor?: string | undefined;
}

export interface Page<Row> {
  readonly rows: Row[];
  /** Opaque; null on the last page. */
  readonly next: string | null;
}

/** A place in a list: when, and which of those with the same instant. */
export interface Place {
  readonly at: Date;
  readonly id: string;
}

const placeSchema = z.tuple([z.iso.datetime(), z.string().max(200)]);

/** @throws TrunklineError STORE_CURSOR_INVALID: it was not made by `pageOf` */
export function placeOf(cursor: string | undefined): Place | undefined {
  if (cursor === undefined) return undefined;
  try {
    const [at, id] = placeSchema.parse(JSON.parse(Buffer.from(cursor, 'base64url').toString()));
    return { at: new Date(at), id };
  } catch (error) {
    throw new TrunklineError('STORE_CURSOR_INVALID', cursor.slice(0, 100), { cause: error });
  }
}

/** How many rows to ask for: one more than wanted tells whether there is a next page. */
export function rowsToFetch({ limit }: PageQuestion): number {
  return Math.max(1, Math.min(limit, page_rows_max)) + 1;
}

/** @param fetched up to `rowsToFetch` rows, in order */
export function pageOf<Row>(fetched: Row[], question: PageQuestion, place: (row: Row) => Place): Page<Row> {
  const rows = fetched.slice(0, rowsToFetch(question) - 1);
  const last = rows.at(-1);
  if (last === undefined || rows.length === fetched.length) return { rows, next: null };
  const { at, id } = place(last);
  return { rows, next: Buffer.from(JSON.stringify([at.toISOString(), id])).toString('base64url') };
}
