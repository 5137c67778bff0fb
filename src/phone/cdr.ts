/** The call detail record: one structured log line for each call, answered or refused. */
import type { Ending } from '../base/ending.ts';
import type { Log } from '../base/log.ts';
import type { LegStats } from '../media/control.ts';
import type { Codec } from '../media/frame.ts';
import type { CallFigures } from '../room/call-figures.ts';

/** Marks of a call's life, in ms of the same clock. */
export interface CallTimes {
  readonly invitedAt: Date;
  readonly invitedMs: number;
  readonly answeredMs?: number | undefined;
  readonly endedMs: number;
}

export interface CallFacts {
  readonly callId: string;
  readonly sipCallId: string;
  readonly trunk: string | null;
  readonly tenant: string | null;
  readonly profile: string | null;
  /** The configured number that was reached. */
  readonly number: string | null;
  /** User parts, as the carrier wrote them. Personal data. */
  readonly from: string;
  readonly to: string;
  /** Where the signalling came from: `udp 192.0.2.1:5060`. */
  readonly source: string;
  readonly codec: Codec | null;
  /** How many keys were pressed; which ones may be a secret. */
  readonly digits: number;
  readonly holds: number;
}

export interface Cdr extends CallFacts {
  readonly startedAt: string;
  readonly answeredAt: string | null;
  readonly endedAt: string;
  readonly ringingMs: number;
  readonly talkingMs: number;
  readonly ending: Ending['slug'];
  readonly endingClass: Ending['class'];
  readonly detail: string | null;
  /** Final status of the INVITE. */
  readonly sipStatus: number;
  readonly q850: number;
  readonly media: Omit<LegStats, 'dtmf'> | null;
  /** Turns and cost of the agent; null when the call had no record. */
  readonly agent: CallFigures | null;
}

export function cdrOf(
  facts: CallFacts,
  times: CallTimes,
  end: Ending,
  stats?: LegStats,
  agent?: CallFigures,
): Cdr {
  const { invitedMs, answeredMs, endedMs } = times;
  const at = (ms: number): string => new Date(times.invitedAt.getTime() + ms - invitedMs).toISOString();
  return {
    ...facts,
    startedAt: times.invitedAt.toISOString(),
    answeredAt: answeredMs === undefined ? null : at(answeredMs),
    endedAt: at(endedMs),
    ringingMs: Math.round((answeredMs ?? endedMs) - invitedMs),
    talkingMs: answeredMs === undefined ? 0 : Math.round(endedMs - answeredMs),
    ending: end.slug,
    endingClass: end.class,
    detail: end.detail ?? null,
    sipStatus: answeredMs === undefined ? end.sipStatus : 200,
    q850: end.q850,
    media: stats === undefined ? null : mediaOf(stats),
    agent: agent ?? null,
  };
}

function mediaOf(stats: LegStats): Omit<LegStats, 'dtmf'> {
  const { dtmf: _secret, ...rest } = stats;
  return rest;
}

export function writeCdr(log: Log, cdr: Cdr): void {
  log.info({ cdr }, 'call ended');
}
