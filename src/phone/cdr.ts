/** The CDR of a phone call, by the door that it came by. */
import type { CallFigures } from '../base/call-figures.ts';
import { lifeOf, signalled, type CdrLife, type PhoneCdr } from '../base/cdr.ts';
import type { Ending } from '../base/ending.ts';
import type { LegStats } from '../media/control.ts';
import type { Codec } from '../media/frame.ts';

/** Marks of a call's life, in ms of the same clock. */
export interface CallTimes {
  readonly invitedAt: Date;
  readonly invitedMs: number;
  readonly answeredMs?: number | undefined;
  readonly endedMs: number;
}

export interface Cdr extends PhoneCdr {
  readonly source: string;
  readonly codec: Codec | null;
  readonly media: Omit<LegStats, 'dtmf'> | null;
}

/** What is known of a call apart from its times and its end. */
export type CallFacts = Omit<Cdr, keyof CdrLife | 'sipStatus' | 'q850' | 'media' | 'agent'>;

export function cdrOf(
  facts: CallFacts,
  { invitedAt, invitedMs, answeredMs, endedMs }: CallTimes,
  end: Ending,
  stats?: LegStats,
  agent?: CallFigures,
): Cdr {
  const span = {
    startedAt: invitedAt,
    answeredMs: answeredMs === undefined ? null : answeredMs - invitedMs,
    endedMs: endedMs - invitedMs,
  };
  return {
    ...{ ...facts, ...lifeOf(span, end), ...signalled(end, answeredMs !== undefined) },
    media: stats === undefined ? null : mediaOf(stats),
    agent: agent ?? null,
  };
}

function mediaOf(stats: LegStats): Omit<LegStats, 'dtmf'> {
  const { dtmf: _secret, ...rest } = stats;
  return rest;
}
