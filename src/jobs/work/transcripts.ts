/**
 * `transcripts`: what gateways told of calls becomes rows. Every word has its place, so that told twice is
 * once.
 */
import { addCallEvents } from '../../store/tables/call-events.ts';
import { endCall, ensureCall, openCall, updateCall } from '../../store/tables/calls.ts';
import { addToolCalls } from '../../store/tables/tool-calls.ts';
import { addTurns } from '../../store/tables/turns.ts';
import { addUsage } from '../../store/tables/usage.ts';
import type { TenantRows } from '../../store/store.ts';
import { z } from 'zod';
import type { CallEntry, CallWord } from '../payloads/transcripts.ts';
import type { Handler } from '../work.ts';

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
  for (const { callId, word } of data.entries) {
    if (word.type !== 'closed') continue;
    await jobs.enqueue('crm', { tenant, key: `${callId}/crm`, data: { type: 'call-ended', callId } });
    const { endedAt: at, ending, durationMs } = word;
    const event = {
      eventId: `${callId}/ended`,
      type: 'call.ended',
      at,
      data: { callId, ending, durationMs },
    };
    await jobs.enqueue('webhooks', { tenant, key: event.eventId, data: event });
  }
};

async function write(unit: TenantRows, gateway: string, { callId, word }: CallEntry): Promise<void> {
  if (word.type === 'opened') return open(unit, gateway, callId, word);
  await ensureCall(unit, { call_id: callId, gateway, started_at: new Date(0) });
  if (word.type === 'fact') return writeFact(unit, callId, word);
  if (word.type === 'usage') return writeUsage(unit, callId, word);
  const { endedAt, durationMs, ending, endingClass, detail, media } = word;
  return endCall(unit, callId, {
    ...{ ended_at: new Date(endedAt), duration_ms: durationMs, ending, ending_class: endingClass },
    ...{ ending_detail: detail, media },
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

function writeUsage(unit: TenantRows, callId: string, word: WordOf<'usage'>): Promise<void> {
  const { index, at, kind, provider, model, units } = word;
  const common = {
    usage_key: `${callId}/${index}`,
    call_id: callId,
    kind,
    provider,
    model,
    cost_micros: null,
  };
  return addUsage(
    unit,
    Object.entries(units).map(([name, quantity]) => ({ ...common, unit: name, quantity, at: new Date(at) })),
  );
}
