/** What one desk is shown: the queue of its tenant, and for supervisors its tenant's calls. Pure. */
import type { HandoffQueue, HandoffView } from '../room/handoff-queue.ts';
import type { CallRecord, Journal } from '../room/journal.ts';
import type { LiveCalls } from '../room/live-calls.ts';
import type { DeskRole, DeskState, WireHandoff, WireLiveCall } from './desk-wire.ts';

/** Turns of a conversation that a desk is shown; earlier ones are left out. */
const turns_max = 60;

export interface DeskSeat {
  /** Empty for supervisors. */
  readonly deskId: string;
  readonly tenant: string;
  readonly name: string;
  readonly role: DeskRole;
}

export interface DeskSources {
  readonly queue: Pick<HandoffQueue, 'views' | 'desk' | 'staff'>;
  readonly calls: Pick<LiveCalls, 'of'>;
  readonly journal: Pick<Journal, 'get'>;
}

export function deskStateOf(seat: DeskSeat, sources: DeskSources): DeskState {
  const { queue, calls, journal } = sources;
  const views = queue.views(seat.tenant);
  return {
    available: queue.desk(seat.deskId)?.presence === 'available',
    handoffs: views.map((view) => handoffOf(view, seat, sources)),
    calls:
      seat.role === 'supervisor'
        ? calls.of(seat.tenant).flatMap(({ callId }) => {
            const record = journal.get(callId);
            const view = views.find(({ handoff }) => handoff.call.callId === callId);
            return record === undefined ? [] : [callOf(record, view, sources)];
          })
        : [],
    colleagues: queue.staff(seat.tenant),
  };
}

function handoffOf(view: HandoffView, seat: DeskSeat, { queue, journal }: DeskSources): WireHandoff {
  const { handoff, deskId, waitedMs } = view;
  const { handoffId, state, wish, call } = handoff;
  const record = journal.get(call.callId);
  return {
    ...{ handoffId, callId: call.callId, state, waitedMs: Math.max(0, waitedMs) },
    ...{ from: record?.from ?? '', source: record?.source ?? 'phone', profile: record?.profile ?? '' },
    ...{ reason: wish.reason, briefing: wish.briefing },
    ringsHere: queue.desk(seat.deskId)?.ringing === handoffId,
    mine: deskId !== undefined && deskId === seat.deskId,
    by: queue.desk(deskId ?? '')?.name ?? '',
    turns: turnsOf(record),
  };
}

function turnsOf(record: CallRecord | undefined): WireHandoff['turns'] {
  const turns = (record?.timeline ?? []).flatMap((entry): WireHandoff['turns'] => {
    if (entry.type === 'heard' && entry.text !== '') return [{ who: 'visitor', text: entry.text }];
    return entry.type === 'said' ? [{ who: 'agent', text: entry.text }] : [];
  });
  return turns.slice(-turns_max);
}

function callOf(record: CallRecord, view: HandoffView | undefined, { queue }: DeskSources): WireLiveCall {
  const { callId, from, source = 'phone', profile, startedAt } = record;
  const state = view?.handoff.state;
  const withWhom =
    state === 'talking' || state === 'held' ? 'human' : state === undefined ? 'agent' : 'queue';
  const by = withWhom === 'human' ? (queue.desk(view?.deskId ?? '')?.name ?? '') : '';
  return { callId, from, source, profile, startedAt, with: withWhom, by };
}
