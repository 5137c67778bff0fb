/**
 * `transcripts`: what gateways told of calls becomes rows. Every word has its place, so that told twice is
 * once.
 */
import { addCallEvents } from '../../store/tables/call-events.ts';
import { endCall, ensureCall, openCall, updateCall } from '../../store/tables/calls.ts';
import { putLeg } from '../../store/tables/legs.ts';
import { addToolCalls } from '../../store/tables/tool-calls.ts';
import { addTurns } from '../../store/tables/turns.ts';
import { addUsage } from '../../store/tables/usage.ts';
import type { TenantRows } from '../../store/store.ts';
import { z } from 'zod';
import type { CallEntry, CallWord } from '../payloads/transcripts.ts';
import type { PayloadInput } from '../queues.ts';
import type { Handler } from '../work.ts';

const micros_per_usd = 1_000_000;

const heard = z.looseObject({ type: z.literal('heard'), atMs: z.number(), text: z.string() });
const said = z.looseObject({
  ...{ type: z.literal('said'), atMs: z.number(), text: z.string() },
  ...{ heardMs: z.number(), interrupted: z.boolean(), responseMs: z.number().nullable() },
});
const tool = z.looseObject({
  ...{ type: z.literal('tool'), atMs: z.number(), name: z.string() },
  ...{ arguments: z.unknown(), result: z.unknown() },
  ...{ code: z.string().nullish(), tookMs: z.number().nullish() },
});

export const transcripts: Handler<'transcripts'> = async ({ tenant, data }, { store, jobs }) => {
  await store.ensureTenants([tenant]);
  await store.tenant(tenant, async (unit) => {
    for (const entry of data.entries) await write(unit, data.gateway, entry);
  });
  // After the commit: should this process end here, the batch comes again, and these keys with it.
  for (const { callId, word, traceparent } of data.entries) {
    const from = { tenant, ...(traceparent === undefined ? {} : { traceparent }) };
    if (word.type === 'closed')
      await jobs.enqueue('crm', { ...from, key: `${callId}/crm`, data: { type: 'call-ended', callId } });
    const event = eventOf(callId, word);
    if (event !== undefined) await jobs.enqueue('webhooks', { ...from, key: event.eventId, data: event });
  }
};

/** What the tenant's own servers are told. */
function eventOf(callId: string, word: CallWord): PayloadInput<'webhooks'> | undefined {
  if (word.type === 'opened') {
    const { startedAt: at, source, profile, from, to } = word;
    const data = { callId, source, profile, from, to };
    return { eventId: `${callId}/started`, type: 'call.started', at, data };
  }
  if (word.type !== 'closed') return undefined;
  const { endedAt: at, ending, durationMs } = word;
  return { eventId: `${callId}/ended`, type: 'call.ended', at, data: { callId, ending, durationMs } };
}

async function write(unit: TenantRows, gateway: string, { callId, word }: CallEntry): Promise<void> {
  if (word.type === 'opened') return open(unit, gateway, callId, word);
  await ensureCall(unit, { call_id: callId, gateway, started_at: new Date(0) });
  if (word.type === 'fact') return writeFact(unit, callId, word);
  if (word.type === 'usage') return writeUsage(unit, callId, word);
  const { endedAt, durationMs, ending, endingClass, detail, media } = word;
  await endCall(unit, callId, {
    ...{ ended_at: new Date(endedAt), duration_ms: durationMs, ending, ending_class: endingClass },
    ...{ ending_detail: detail, media },
  });
  if (media !== null) await keepLeg(unit, callId, word);
}

/** The phone's side of the call; a visit has none. */
function keepLeg(
  unit: TenantRows,
  call_id: string,
  { endedAt, durationMs, media }: WordOf<'closed'>,
): Promise<void> {
  const closed_at = new Date(endedAt);
  return putLeg(unit, {
    ...{ leg_id: `${call_id}/phone`, call_id, kind: 'phone', closed_at, stats: media, codec: null },
    opened_at: new Date(closed_at.getTime() - durationMs),
  });
}

type WordOf<Type extends CallWord['type']> = Extract<CallWord, { type: Type }>;

function open(unit: TenantRows, gateway: string, callId: string, word: WordOf<'opened'>): Promise<void> {
  const { startedAt, source, sipCallId, trunk, profile, from, to } = word;
  return openCall(unit, {
    ...{ call_id: callId, gateway, source, trunk, profile, sip_call_id: sipCallId },
    ...{ from_number: from, to_number: to, started_at: new Date(startedAt) },
  });
}

async function writeFact(unit: TenantRows, call_id: string, { index, fact }: WordOf<'fact'>): Promise<void> {
  const place = { call_id, seq: index, at_ms: fact.atMs };
  const turn = said.safeParse(fact).data;
  if (turn !== undefined) {
    const { text, heardMs, interrupted, responseMs } = turn;
    const rounded = { heard_ms: Math.round(heardMs), response_ms: responseMs && Math.round(responseMs) };
    return addTurns(unit, [{ ...place, who: 'agent', text, interrupted, ...rounded }]);
  }
  const callers = heard.safeParse(fact).data;
  if (callers !== undefined)
    return addTurns(unit, [
      { ...place, who: 'caller', text: callers.text, heard_ms: null, response_ms: null },
    ]);
  const act = tool.safeParse(fact).data;
  if (act !== undefined) {
    const { name, arguments: given, result, code = null, tookMs } = act;
    const ok = z.looseObject({ ok: z.literal(true) }).safeParse(result).success;
    const took_ms = tookMs === null || tookMs === undefined ? null : Math.round(tookMs);
    return addToolCalls(unit, [{ ...place, name, arguments: given, result, ok, code, took_ms }]);
  }
  if (fact.type === 'answered') await updateCall(unit, call_id, { answered_ms: fact.atMs });
  const { type, atMs: _at, ...rest } = fact;
  return addCallEvents(unit, [{ ...place, type, fact: rest }]);
}

function writeUsage(unit: TenantRows, call_id: string, word: WordOf<'usage'>): Promise<void> {
  const { index, kind, provider, model, units, costUsd } = word;
  const common = { usage_key: `${call_id}/${index}`, call_id, kind, provider, model, at: new Date(word.at) };
  // All of it has one price. The first unit bears it, so that the sum over any rows of calls is right.
  const costOf = (nth: number): number | null =>
    costUsd === null ? null : nth === 0 ? Math.round(costUsd * micros_per_usd) : 0;
  return addUsage(
    unit,
    Object.entries(units).map(([name, quantity], nth) => ({
      ...{ ...common, unit: name, quantity, cost_micros: costOf(nth) },
    })),
  );
}
