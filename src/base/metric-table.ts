/**
 * Every figure that Prometheus scrapes: its kind, what it counts, and by what it is told apart.
 * config/prometheus/METRICS.md explains each to operators; a test compares the two.
 * Labels have few values each: no call id, number or address is ever one.
 */

/** Seconds: from a sound frame to a call that lasts an hour. */
const ANSWER_S = [0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30];
const TURN_S = [0.05, 0.1, 0.2, 0.3, 0.5, 0.75, 1, 1.5, 2, 3, 5, 10];
const BARGE_IN_S = [0.02, 0.04, 0.06, 0.08, 0.12, 0.2, 0.3, 0.5, 1];
const CALL_S = [1, 5, 15, 30, 60, 120, 300, 600, 1800, 3600];
/** Mean opinion score of the E-model (ITU-T G.107). */
const MOS = [1.5, 2, 2.5, 3, 3.3, 3.6, 3.8, 4, 4.2, 4.4];

interface Row {
  readonly kind: 'counter' | 'gauge' | 'histogram';
  readonly help: string;
  readonly labels: readonly string[];
  readonly buckets?: readonly number[];
}

const counter = <L extends string>(help: string, ...labels: L[]) =>
  ({ kind: 'counter', help, labels }) as const;
const gauge = <L extends string>(help: string, ...labels: L[]) => ({ kind: 'gauge', help, labels }) as const;
const histogram = <L extends string>(help: string, buckets: readonly number[], ...labels: L[]) =>
  ({ kind: 'histogram', help, labels, buckets }) as const;

export const METRICS = {
  trunkline_calls_total: counter('Calls and visits that ended.', 'tenant', 'source', 'ending', 'class'),
  trunkline_calls_refused_total: counter('Calls that were refused before they got a room.', 'ending'),
  trunkline_limits_reached_total: counter(
    'Calls and visits that a limit of their tenant refused.',
    ...(['tenant', 'limit'] as const),
  ),
  trunkline_limits_alone_total: counter(
    'Calls and visits whose limits this gateway counted alone, as Redis did not answer in time.',
    'tenant',
  ),
  trunkline_calls_active: gauge('Calls and visits that are open.', 'source'),
  trunkline_call_setup_seconds: histogram('From the INVITE to the answer.', ANSWER_S, 'source', 'profile'),
  trunkline_call_duration_seconds: histogram('From the INVITE to the end.', CALL_S, 'source', 'profile'),
  trunkline_turn_response_seconds: histogram(
    "End of the caller's speech to the first sound of the answer on the wire.",
    TURN_S,
    ...(['profile', 'model'] as const),
  ),
  trunkline_turn_stage_seconds: histogram(
    "End of the caller's speech to a stage of the answer: first token, first sound ready.",
    TURN_S,
    ...(['profile', 'model', 'stage'] as const),
  ),
  trunkline_barge_in_seconds: histogram(
    "The caller's first speech packet to the voice ducked, and to silence on the wire.",
    BARGE_IN_S,
    ...(['profile', 'model', 'stage'] as const),
  ),
  trunkline_tools_total: counter('Tools that agents ran.', 'tool', 'outcome'),
  trunkline_troubles_total: counter('Troubles on calls that went on, by error code.', 'code'),
  trunkline_cost_usd_total: counter('What models cost, by the price table.', 'tenant', 'model'),
  trunkline_rtp_packets_total: counter('RTP packets of calls that ended.', 'direction'),
  trunkline_rtp_packets_lost_total: counter('RTP packets that never came, of calls that ended.', 'direction'),
  trunkline_rtp_mos: histogram('Listening quality of calls that ended (ITU-T G.107).', MOS, 'direction'),
  trunkline_spare_sessions: gauge('Sessions with a model that wait for a call.', 'thread', 'profile'),
  trunkline_spare_sessions_total: counter(
    'What became of spare sessions, and of the first sessions of calls (taken, missed).',
    ...(['thread', 'profile', 'outcome'] as const),
  ),
  trunkline_rooms: gauge('Rooms that are open.'),
  trunkline_media_open: gauge('What is open in the media threads.', 'thread', 'part'),
  trunkline_media_tick_late_seconds: gauge(
    'How late the pacing ran since the last scrape.',
    ...(['thread', 'quantile'] as const),
  ),
  trunkline_media_errors_total: counter('Failures that media threads contained.'),
  trunkline_sfu_open: gauge('What is open in mediasoup; workers: those that run.', 'part'),
  trunkline_web_open: gauge('What is open at the browser door.', 'part'),
  trunkline_refusals_total: counter('Requests of browsers and API users that were refused.', 'code'),
  trunkline_ice_alerts_total: counter('Browsers that lost their media path for a while.'),
  trunkline_queue_depth: gauge('Jobs in the queues.', 'queue', 'state'),
  trunkline_jobs_total: counter('Jobs that were worked on.', 'queue', 'outcome'),
  trunkline_spool_bytes: gauge('Call events on disk that Redis has not taken yet.'),
  trunkline_spool_dropped_total: counter('Call events that found the spool full.'),
} as const satisfies Record<string, Row>;

type Table = typeof METRICS;
export type MetricName = keyof Table;
export type NamesOf<K extends Row['kind']> = {
  [N in MetricName]: Table[N]['kind'] extends K ? N : never;
}[MetricName];
/** All labels of a metric, each with a value. */
export type LabelsOf<N extends MetricName> = Record<Table[N]['labels'][number], string>;
