/**
 * The bridge from the journal to the spool: every word about a call goes out as it happens, none waits for
 * another.
 */
import type { Log } from '../base/log.ts';
import { callWord, type CallWord } from '../jobs/payloads/transcripts.ts';
import type { SpoolContent } from '../jobs/spool/line.ts';
import type { CallRecord, Journal, TimelineEntry } from '../room/journal.ts';

/** Where words go; the spool does. */
export interface WordSink {
  append(content: SpoolContent): boolean;
}

/** Returns what ends it. */
export function keepCalls(parts: {
  journal: Journal;
  sink: WordSink;
  /** The life of the gateway that calls open in: what tells them from those of a gateway that died. */
  run: () => string;
  log: Log;
  /** The span of an open call; nothing is traced without. */
  traceparentOf?: (callId: string) => string;
}): () => void {
  const { journal, sink, run, log, traceparentOf = () => '' } = parts;
  /** The span is over, and the run may be another, when the last word about a call is told. */
  const open = new Map<string, { traceparent: string; run: string; facts: number }>();
  const tell = ({ tenant, callId }: Pick<CallRecord, 'tenant' | 'callId'>, word: unknown): boolean => {
    // A fact that does not fit would be refused by the other end, too, long after its call: say it here.
    const parsed = callWord.safeParse(word);
    const { traceparent = '', run: of = run() } = open.get(callId) ?? {};
    const traced = traceparent === '' ? {} : { traceparent };
    if (parsed.success)
      return sink.append({ type: 'call', tenant, callId, run: of, word: parsed.data, ...traced });
    log.error({ callId, code: 'JOB_PAYLOAD_INVALID', detail: parsed.error.message }, 'a fact is not kept');
    return false;
  };
  const ends = [
    journal.events.on('opened', (record) => {
      open.set(record.callId, { traceparent: traceparentOf(record.callId), run: run(), facts: 0 });
      tell(record, openedWord(record));
    }),
    journal.events.on('added', ({ callId, entry }) => {
      const record = journal.get(callId);
      if (record === undefined) return;
      const index = record.timeline.length - 1;
      const isKept = tell(record, { type: 'fact', index, fact: entry });
      const call = open.get(callId);
      if (isKept && call !== undefined) call.facts += 1;
      if (entry.type === 'usage') tell(record, usageWord(record, index, entry));
    }),
    journal.events.on('closed', (record) => {
      const { callId } = record;
      tell(record, { ...closedWord(record), facts: open.get(callId)?.facts ?? 0 });
      open.delete(callId);
    }),
  ];
  return () => ends.forEach((end) => end());
}

function openedWord(record: CallRecord): CallWord {
  const { startedAt, source = 'phone', sipCallId, trunk, profile, from, to } = record;
  return { type: 'opened', startedAt, source, sipCallId, trunk, profile, from, to };
}

function usageWord(
  { startedAt }: CallRecord,
  index: number,
  { atMs, model, source, provider, costUsd, counts }: Extract<TimelineEntry, { type: 'usage' }>,
): CallWord {
  const at = new Date(Date.parse(startedAt) + atMs).toISOString();
  return { type: 'usage', index, at, kind: source, provider, model, units: { ...counts }, costUsd };
}

function closedWord({ startedAt, durationMs = 0, ending, media }: CallRecord): CallWord {
  // Which keys were pressed may be a secret: the timeline has them for those who may read it.
  const { dtmf: _secret, ...stats } = media ?? { dtmf: [] };
  return {
    ...{ type: 'closed', endedAt: new Date(Date.parse(startedAt) + durationMs).toISOString(), durationMs },
    ...{ ending: ending?.slug ?? 'unknown', endingClass: ending?.class ?? 'indeterminate' },
    ...{ detail: ending?.detail ?? null, media: media === undefined ? null : stats },
  };
}
