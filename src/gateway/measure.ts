/** What Prometheus scrapes of a gateway: calls as the journal tells them, and what is open in every part. */
import type { Metrics } from '../base/metrics.ts';
import type { Jobs } from './start-jobs.ts';
import type { MediaThreads } from '../media/threads.ts';
import type { Sfu } from '../media/sfu.ts';
import type { PhoneDoor } from '../phone/door.ts';
import type { CallRecord, Journal, TimelineEntry } from '../room/journal.ts';
import type { Rooms } from '../room/rooms.ts';
import type { WebDoor } from '../web/web-door.ts';

export interface MeasuredParts {
  readonly threads: Pick<MediaThreads, 'census' | 'errors'>;
  readonly sfu: Pick<Sfu, 'census'>;
  readonly rooms: Pick<Rooms, 'size'>;
  readonly phone: Pick<PhoneDoor, 'refusals'>;
  readonly web: Pick<WebDoor, 'census' | 'refusals' | 'alerts'>;
}

const sourceOf = (record: CallRecord): string => record.source ?? 'phone';

/** Counts calls as they are opened, told of and closed. */
export function measureCalls(journal: Journal, metrics: Metrics): void {
  for (const source of ['phone', 'web']) metrics.set('trunkline_calls_active', { source }, 0);
  journal.events.on('opened', (record) => {
    metrics.add('trunkline_calls_active', { source: sourceOf(record) }, 1);
  });
  journal.events.on('added', ({ callId, entry }) => {
    const record = journal.get(callId);
    if (record !== undefined) measureEntry(record, entry, metrics);
  });
  journal.events.on('closed', (record) => {
    const source = sourceOf(record);
    const { tenant, profile, ending, durationMs = 0 } = record;
    metrics.add('trunkline_calls_active', { source }, -1);
    if (ending === undefined) return;
    const how = { ending: ending.slug, class: ending.class };
    metrics.count('trunkline_calls_total', { tenant, source, ...how });
    metrics.observe('trunkline_call_duration_seconds', { source, profile }, durationMs / 1000);
    measureSound(record, metrics);
  });
}

function measureEntry(record: CallRecord, entry: TimelineEntry, metrics: Metrics): void {
  const { profile } = record;
  switch (entry.type) {
    case 'answered':
      metrics.observe(
        'trunkline_call_setup_seconds',
        { source: sourceOf(record), profile },
        entry.atMs / 1000,
      );
      return;
    case 'tool':
      metrics.count('trunkline_tools_total', { tool: entry.name, outcome: outcomeOf(entry.result) });
      return;
    case 'said':
      measureSaid(record, entry, metrics);
      return;
    case 'usage':
      if (entry.costUsd === null) return;
      metrics.count('trunkline_cost_usd_total', { tenant: record.tenant, model: entry.model }, entry.costUsd);
      return;
    case 'trouble':
      metrics.count('trunkline_troubles_total', { code: entry.code });
      return;
    default:
      return;
  }
}

/** How long the caller waited for it, and how fast the agent fell silent when it was interrupted. */
function measureSaid(
  { profile }: CallRecord,
  entry: Extract<TimelineEntry, { type: 'said' }>,
  metrics: Metrics,
): void {
  const { model = '', responseMs, textMs, audioMs, duckMs, silenceMs } = entry;
  const by = { profile, model };
  if (responseMs !== null) metrics.observe('trunkline_turn_response_seconds', by, responseMs / 1000);
  for (const [stage, ms] of [
    ['text', textMs],
    ['audio', audioMs],
  ] as const)
    if (typeof ms === 'number') metrics.observe('trunkline_turn_stage_seconds', { ...by, stage }, ms / 1000);
  for (const [stage, ms] of [
    ['duck', duckMs],
    ['silence', silenceMs],
  ] as const)
    if (typeof ms === 'number') metrics.observe('trunkline_barge_in_seconds', { ...by, stage }, ms / 1000);
}

function outcomeOf(result: unknown): string {
  const ok = typeof result === 'object' && result !== null && 'ok' in result && result.ok === true;
  return ok ? 'done' : 'failed';
}

function measureSound({ media }: CallRecord, metrics: Metrics): void {
  if (media === undefined) return;
  const { fromCaller, toCaller, mosFromCaller, mosToCaller } = media;
  const [from, to] = [{ direction: 'from_caller' }, { direction: 'to_caller' }];
  metrics.count('trunkline_rtp_packets_total', from, fromCaller.packets);
  metrics.count('trunkline_rtp_packets_total', to, toCaller.packets);
  metrics.count('trunkline_rtp_packets_lost_total', from, fromCaller.lost);
  metrics.count(
    'trunkline_rtp_packets_lost_total',
    to,
    Math.round((toCaller.lossRatio ?? 0) * toCaller.packets),
  );
  if (mosFromCaller !== null) metrics.observe('trunkline_rtp_mos', from, mosFromCaller);
  if (mosToCaller !== null) metrics.observe('trunkline_rtp_mos', to, mosToCaller);
}

/** Looks into every part before each scrape. */
export function measureParts(parts: MeasuredParts, metrics: Metrics): void {
  metrics.onScrape(() => {
    metrics.set('trunkline_rooms', {}, parts.rooms.size);
    metrics.countTo('trunkline_media_errors_total', {}, parts.threads.errors);
    metrics.countTo('trunkline_ice_alerts_total', {}, parts.web.alerts);
    for (const [part, open] of Object.entries(parts.sfu.census()))
      metrics.set('trunkline_sfu_open', { part }, open as number);
    for (const [part, open] of Object.entries(parts.web.census()))
      metrics.set('trunkline_web_open', { part }, open as number);
    for (const [code, count] of parts.web.refusals)
      metrics.countTo('trunkline_refusals_total', { code }, count);
    for (const [slug, count] of parts.phone.refusals)
      metrics.countTo('trunkline_calls_refused_total', { ending: slug }, count);
  });
  metrics.onScrape(async () => {
    const threads = await parts.threads.census();
    metrics.reset('trunkline_media_open');
    metrics.reset('trunkline_media_tick_late_seconds');
    for (const { name: thread, census } of threads) {
      const { tickLateP50Ms, tickLateP99Ms, ...open } = census;
      for (const [part, count] of Object.entries(open))
        metrics.set('trunkline_media_open', { thread, part }, count);
      metrics.set('trunkline_media_tick_late_seconds', { thread, quantile: '0.5' }, tickLateP50Ms / 1000);
      metrics.set('trunkline_media_tick_late_seconds', { thread, quantile: '0.99' }, tickLateP99Ms / 1000);
    }
  });
}

/** Values of `state` and `outcome` of the queues, as BullMQ calls them. */
export const JOB_STATES = ['waiting', 'active', 'delayed', 'failed'] as const;
export const JOB_OUTCOMES = ['completed', 'failed'] as const;

/** How much work waits, and what became of the rest. A queue that cannot be asked keeps its last figures. */
export function measureJobs({ queues, spool }: Pick<Jobs, 'queues' | 'spool'>, metrics: Metrics): void {
  metrics.onScrape(() => {
    metrics.set('trunkline_spool_bytes', {}, spool.waiting === 0 ? 0 : spool.bytes);
    metrics.countTo('trunkline_spool_dropped_total', {}, spool.refused);
  });
  metrics.onScrape(async () => {
    await Promise.all(
      queues.all.map(async (queue) => {
        const counts = await queue.getJobCounts(...JOB_STATES);
        for (const [state, count] of Object.entries(counts))
          metrics.set('trunkline_queue_depth', { queue: queue.name, state }, count);
        for (const outcome of JOB_OUTCOMES) {
          const { meta } = await queue.getMetrics(outcome);
          metrics.countTo('trunkline_jobs_total', { queue: queue.name, outcome }, meta.count);
        }
      }),
    );
  });
}
