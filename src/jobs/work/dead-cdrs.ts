/**
 * The CDR lines of calls whose gateway died before it could write them: as it would have, from what the store
 * knows. The number of the configuration, where the signalling came from, the codec and the sound's figures
 * were known to the gateway alone.
 */
import { z } from 'zod';
import { addUp, type CallFigures, type CountedFact } from '../../base/call-figures.ts';
import { lifeOf, signalled, type PhoneCdr, type VisitCdr } from '../../base/cdr.ts';
import { ending } from '../../base/ending.ts';
import type { TenantRows } from '../../store/store.ts';
import { callEventsOf, type CallEvent } from '../../store/tables/call-events.ts';
import { findCalls, type Call } from '../../store/tables/calls.ts';
import { turnsOf, type Turn } from '../../store/tables/turns.ts';

const counted = z.discriminatedUnion('type', [
  z.object({ type: z.literal('failover'), step: z.string() }),
  z.object({ type: z.literal('usage'), model: z.string(), costUsd: z.number().nullable() }),
]);

/** In no certain order; a call that has been erased has no line. */
export async function deadCdrs(
  unit: TenantRows,
  callIds: readonly string[],
): Promise<(PhoneCdr | VisitCdr)[]> {
  if (callIds.length === 0) return [];
  const [calls, turns, events] = await Promise.all([
    findCalls(unit, callIds),
    turnsOf(unit, ...callIds),
    callEventsOf(unit, ...callIds),
  ]);
  const [turnsBy, eventsBy] = [byCall(turns), byCall(events)];
  return calls.map((call) => {
    const [said, happened] = [turnsBy.get(call.call_id) ?? [], eventsBy.get(call.call_id) ?? []];
    const agent = addUp([...said.flatMap(reply), ...happened.flatMap(countedEvent)]);
    return call.source === 'web' ? visitCdr(call, agent) : phoneCdr(call, happened, agent);
  });
}

function byCall<Row extends { readonly call_id: string }>(rows: readonly Row[]): Map<string, Row[]> {
  return Map.groupBy(rows, (row) => row.call_id);
}

function reply({ who, interrupted, response_ms: responseMs }: Turn): CountedFact[] {
  return who === 'agent' ? [{ type: 'said', interrupted, responseMs }] : [];
}

function countedEvent({ type, fact }: CallEvent): CountedFact[] {
  const known = counted.safeParse(typeof fact === 'object' ? { ...fact, type } : fact);
  return known.success ? [known.data] : [];
}

const died = ending('gateway-died');

const spanOf = ({ started_at, answered_ms, duration_ms }: Call) => ({
  ...{ startedAt: started_at, answeredMs: answered_ms, endedMs: duration_ms ?? 0 },
});

function phoneCdr(call: Call, events: readonly CallEvent[], agent: CallFigures): PhoneCdr {
  const count = (wanted: string): number => events.filter(({ type }) => type === wanted).length;
  return {
    ...{ callId: call.call_id, sipCallId: call.sip_call_id, trunk: call.trunk, tenant: call.tenant },
    ...{ profile: call.profile, number: null, from: call.from_number, to: call.to_number },
    ...{ source: null, codec: null, digits: count('digit'), holds: count('held') },
    ...{ ...lifeOf(spanOf(call), died), ...signalled(died, call.answered_ms !== null) },
    ...{ media: null, agent },
  };
}

function visitCdr(call: Call, agent: CallFigures): VisitCdr {
  const { call_id: callId, tenant, profile, from_number: from } = call;
  return { callId, source: 'web', tenant, profile, from, ...lifeOf(spanOf(call), died), agent };
}
