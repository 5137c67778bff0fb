/**
 * What happened on each call, as it happens: the operator's page, `npm run call` and the CDR read it.
 * Bounded: the oldest ended call is forgotten first.
 */
import type { Ending } from '../base/ending.ts';
import { Events } from '../base/events.ts';
import type { LegStats } from '../media/control.ts';
import type { HandoffEvent } from './handoff-state.ts';

export interface CallOrigin {
  /** Also the id of the call's room. */
  readonly callId: string;
  /** Empty for a visit from the web, and so is `trunk`. */
  readonly sipCallId: string;
  readonly tenant: string;
  readonly trunk: string;
  /** Which door it came through; the phone's when it is not said. */
  readonly source?: 'phone' | 'web';
  readonly from: string;
  readonly to: string;
  readonly profile: string;
}

/** One entry of a call's timeline. `atMs` counts from the INVITE. */
export type TimelineEntry = { readonly atMs: number } & (
  | { readonly type: 'ringing' | 'answered' | 'held' | 'resumed' }
  | { readonly type: 'heard'; readonly text: string }
  | {
      readonly type: 'said';
      readonly text: string;
      readonly heardMs: number;
      readonly interrupted: boolean;
      readonly responseMs: number | null;
      /** … to the first word of the answer, and to its first sound in hand. */
      readonly textMs?: number | null;
      readonly audioMs?: number | null;
      /** Of an interrupted one: the caller's first voiced frame to the softer voice, and to silence. */
      readonly duckMs?: number | null | undefined;
      readonly silenceMs?: number | null | undefined;
      /** Whose words: the profile's model, or its adapter. */
      readonly model?: string;
    }
  /** A model did something that is billed; `costUsd` is null when it has no price. */
  | {
      readonly type: 'usage';
      readonly model: string;
      readonly source: string;
      /** Host and port of the server that did it. */
      readonly provider: string;
      readonly costUsd: number | null;
      /** What was counted, without what was 0. */
      readonly counts: Readonly<Record<string, number>>;
    }
  | { readonly type: 'digit'; readonly digit: string }
  | {
      readonly type: 'tool';
      readonly name: string;
      readonly arguments: unknown;
      readonly result: unknown;
      /** Why it gave no result of its own; null when it did. */
      readonly code?: string | null;
      readonly tookMs?: number;
    }
  /** A step from a lost model to whatever holds the call up; `to` is the model or fallback. */
  | {
      readonly type: 'failover';
      readonly step: 'lost' | 'reconnecting' | 'falling_back' | 'handing_over' | 'handed_over' | 'restored';
      readonly to?: string;
      readonly code?: string;
      readonly detail?: string;
      readonly taken?: boolean;
    }
  /** The caller left a message. */
  | { readonly type: 'voicemail'; readonly path: string; readonly recordedMs: number }
  | { readonly type: 'trouble'; readonly code: string; readonly detail: string }
  /** On the way to a human agent and back; `by` is the human's name. */
  | {
      readonly type: 'handoff';
      readonly step: HandoffStep;
      readonly handoffId: string;
      readonly by?: string;
      readonly detail?: string;
    }
  | {
      readonly type: 'supervised';
      readonly by: string;
      readonly mode: 'listen' | 'whisper' | 'barge' | 'left';
    }
);

export type HandoffStep = 'requested' | 'declined' | 'missed' | HandoffEvent;

type WithoutTime<T> = T extends unknown ? Omit<T, 'atMs'> : never;
export type TimelineFact = WithoutTime<TimelineEntry>;

export interface CallRecord extends CallOrigin {
  readonly startedAt: string;
  readonly timeline: TimelineEntry[];
  ending?: Ending;
  durationMs?: number;
  media?: LegStats;
}

/** What is being said, for whoever reads along. Not kept: the timeline has what was said in the end. */
export interface Caption {
  readonly who: 'agent' | 'visitor';
  readonly text: string;
  /** Texts of one utterance replace each other until the final one. */
  readonly final: boolean;
  readonly utteranceId: string;
}

export interface JournalEvents {
  opened: CallRecord;
  /** `entry` is the fact with its time. */
  added: { callId: string; fact: TimelineFact; entry: TimelineEntry };
  /** With ending, length and media report; told once. */
  closed: CallRecord;
  caption: Caption & { callId: string };
}

const calls_kept_max = 1000;
const timeline_entries_max = 2000;

export class Journal {
  readonly events = new Events<JournalEvents>();
  readonly #records = new Map<string, CallRecord>();
  readonly #startedMs = new Map<string, number>();

  open(origin: CallOrigin): CallRecord {
    const record: CallRecord = { ...origin, startedAt: new Date().toISOString(), timeline: [] };
    this.#records.set(origin.callId, record);
    this.#startedMs.set(origin.callId, performance.now());
    this.#forgetOldest();
    this.events.emit('opened', record);
    return record;
  }

  add(callId: string, fact: TimelineFact): void {
    const record = this.#records.get(callId);
    if (record === undefined || record.timeline.length >= timeline_entries_max) return;
    const entry = { atMs: this.#sinceStart(callId), ...fact };
    record.timeline.push(entry);
    this.events.emit('added', { callId, fact, entry });
  }

  /** Tells what is being said on a call that is open. */
  caption(callId: string, caption: Caption): void {
    const record = this.#records.get(callId);
    if (record !== undefined && record.ending === undefined)
      this.events.emit('caption', { callId, ...caption });
  }

  close(callId: string, ending: Ending, media?: LegStats): CallRecord | undefined {
    const record = this.#records.get(callId);
    if (record === undefined || record.ending !== undefined) return record;
    record.ending = ending;
    record.durationMs = this.#sinceStart(callId);
    if (media !== undefined) record.media = media;
    this.events.emit('closed', record);
    return record;
  }

  get(callId: string): CallRecord | undefined {
    return this.#records.get(callId);
  }

  /** Newest first. */
  list(filter: { sipCallId?: string } = {}): CallRecord[] {
    const all = [...this.#records.values()].reverse();
    return filter.sipCallId === undefined ? all : all.filter((one) => one.sipCallId === filter.sipCallId);
  }

  get openCalls(): number {
    let open = 0;
    for (const record of this.#records.values()) if (record.ending === undefined) open += 1;
    return open;
  }

  #sinceStart(callId: string): number {
    return Math.round(performance.now() - (this.#startedMs.get(callId) ?? performance.now()));
  }

  #forgetOldest(): void {
    for (const [callId, record] of this.#records) {
      if (this.#records.size <= calls_kept_max) return;
      if (record.ending === undefined) continue;
      this.#records.delete(callId);
      this.#startedMs.delete(callId);
    }
  }
}
