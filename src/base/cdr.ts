/**
 * The call detail record: one structured log line for each call, answered or refused. The door that the call
 * came by writes it; of a call whose gateway died, the job process that ends it, from what the store knows.
 */
import type { CallFigures } from './call-figures.ts';
import type { Ending } from './ending.ts';
import type { Log } from './log.ts';

/** What every call has. */
export interface CdrLife {
  readonly startedAt: string;
  readonly answeredAt: string | null;
  readonly endedAt: string;
  readonly ringingMs: number;
  readonly talkingMs: number;
  readonly ending: Ending['slug'];
  readonly endingClass: Ending['class'];
  readonly detail: string | null;
}

/** Of a call by phone. Null is what nobody knows: a refused one's trunk, the codec of one that died. */
export interface PhoneCdr extends CdrLife {
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
  readonly source: string | null;
  readonly codec: string | null;
  /** How many keys were pressed; which ones may be a secret. */
  readonly digits: number;
  readonly holds: number;
  /** Final status of the INVITE. */
  readonly sipStatus: number;
  readonly q850: number;
  /** What was counted of its sound. */
  readonly media: object | null;
  /** Turns and cost of the agent; null when the call had no record. */
  readonly agent: CallFigures | null;
}

/** Of a visit from the web. */
export interface VisitCdr extends CdrLife {
  readonly callId: string;
  readonly source: 'web';
  readonly tenant: string;
  readonly profile: string;
  readonly from: string;
  readonly agent: CallFigures;
}

export interface CallSpan {
  readonly startedAt: Date;
  /** After the start, in ms; null: never. */
  readonly answeredMs: number | null;
  readonly endedMs: number;
}

export function lifeOf({ startedAt, answeredMs, endedMs }: CallSpan, end: Ending): CdrLife {
  const at = (ms: number): string => new Date(startedAt.getTime() + ms).toISOString();
  return {
    startedAt: at(0),
    answeredAt: answeredMs === null ? null : at(answeredMs),
    endedAt: at(endedMs),
    ringingMs: Math.round(answeredMs ?? endedMs),
    talkingMs: answeredMs === null ? 0 : Math.round(endedMs - answeredMs),
    ending: end.slug,
    endingClass: end.class,
    detail: end.detail ?? null,
  };
}

/** As the far end was told, or would have been. */
export function signalled(
  { sipStatus, q850 }: Ending,
  isAnswered: boolean,
): Pick<PhoneCdr, 'sipStatus' | 'q850'> {
  return { sipStatus: isAnswered ? 200 : sipStatus, q850 };
}

export function writeCdr(log: Log, cdr: PhoneCdr | VisitCdr): void {
  log.info({ cdr }, 'call ended');
}
