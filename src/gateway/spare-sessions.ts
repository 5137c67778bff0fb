/** Spare sessions live in the media threads; this is what the log and Prometheus get to know of them. */
import { z } from 'zod';
import { spareEventSchema, spareFiguresSchema } from '../agent/spares.ts';
import type { Log } from '../base/log.ts';
import type { Metrics } from '../base/metrics.ts';
import type { MediaThreads } from '../media/threads.ts';

const WORDS = {
  opened: 'a spare session was opened',
  aged: 'a spare session grew old and is replaced',
  died: 'a spare session died',
  failed: 'no spare session can be opened',
  limited: 'spares.opens_per_hour_max is used up: calls open their own sessions',
} as const;

export function logSpares(threads: Pick<MediaThreads, 'events'>, log: Log): void {
  threads.events.on('voices', ({ thread, event }) => {
    const parsed = spareEventSchema.safeParse(event);
    if (!parsed.success) {
      log.error({ thread, detail: parsed.error.message }, 'a media thread said something unknown');
      return;
    }
    const { what, profile, detail, retryMs } = parsed.data;
    const facts = {
      thread,
      profile,
      ...(detail && { detail }),
      ...(retryMs === undefined ? {} : { retryMs }),
    };
    if (what === 'failed' || what === 'limited') log.warn(facts, WORDS[what]);
    else if (what === 'died') log.info(facts, WORDS[what]);
    else log.debug(facts, WORDS[what]);
  });
}

const figuresSchema = z.array(spareFiguresSchema);

export function measureSpares(threads: Pick<MediaThreads, 'figures'>, metrics: Metrics): void {
  metrics.onScrape(async () => {
    const all = await threads.figures();
    metrics.reset('trunkline_spare_sessions');
    for (const { name: thread, figures } of all)
      for (const { profile, waiting, ...counts } of figuresSchema.parse(figures)) {
        const by = { thread, profile };
        metrics.set('trunkline_spare_sessions', by, waiting);
        for (const [outcome, count] of Object.entries(counts))
          metrics.countTo('trunkline_spare_sessions_total', { ...by, outcome }, count);
      }
  });
}
