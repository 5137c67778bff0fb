/** Spare sessions as configuration, log and metrics know them. */
import { z } from 'zod';

/** What the operator allows, for the whole gateway; each thread has its share of the opens. */
export const spareLimitsSchema = z.strictObject({
  /** A session that nobody took is replaced after so many ms. */
  ageMaxMs: z.int().min(1000),
  opensPerHourMax: z.int().min(0),
});
export type SpareLimits = z.infer<typeof spareLimitsSchema>;

/** Counts of one profile in one thread, since the thread began; `waiting` is how many there are now. */
export const spareFiguresSchema = z.strictObject({
  profile: z.string(),
  waiting: z.int(),
  /** First sessions of calls: out of the spares, and opened by the call itself. */
  taken: z.int(),
  missed: z.int(),
  opened: z.int(),
  failed: z.int(),
  /** Taken by nobody: too old, or dead. */
  aged: z.int(),
  died: z.int(),
});
export type SpareFigures = z.infer<typeof spareFiguresSchema>;

export const spareEventSchema = z.strictObject({
  type: z.literal('spare'),
  profile: z.string(),
  what: z.enum([
    'opened',
    'aged',
    'died',
    /** It could not be opened. */
    'failed',
    /** `opensPerHourMax` is used up. */
    'limited',
  ]),
  detail: z.string().default(''),
  /** When the next is opened; absent: now. */
  retryMs: z.number().optional(),
});
export type SpareEvent = z.input<typeof spareEventSchema>;

/** What thread `place` (from 0) of `threads` has of `total`; what does not come out even, the first have. */
export function shareOf(total: number, { place, threads }: { place: number; threads: number }): number {
  return Math.floor(total / threads) + (place < total % threads ? 1 : 0);
}
