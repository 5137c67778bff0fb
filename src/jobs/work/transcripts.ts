/**
 * `transcripts`: what gateways told of calls becomes rows. Every word has its place, so that told twice is
 * once. A gateway that was started again tells that its run before is over: the calls which that one left
 * open are ended, and so are those whose words come later.
 */
import { writeCdr, type PhoneCdr, type VisitCdr } from '../../base/cdr.ts';
import type { EndingSlug } from '../../base/ending.ts';
import { addCallEvents, type CallEvent } from '../../store/tables/call-events.ts';
import {
  endCalls,
  ensureCalls,
  openCalls,
  updateCalls,
  type CallEnd,
  type NewCall,
} from '../../store/tables/calls.ts';
import {
  endCallsOfRun,
  endRun,
  holdRuns,
  settleRun,
  type DeadCall,
  type RunState,
} from '../../store/tables/gateway-runs.ts';
import { putLeg } from '../../store/tables/legs.ts';
import { addToolCalls, type ToolCall } from '../../store/tables/tool-calls.ts';
import { addTurns, type NewTurn } from '../../store/tables/turns.ts';
import { addUsage, type NewUsage } from '../../store/tables/usage.ts';
import type { TenantRows } from '../../store/store.ts';
import { z } from 'zod';
import type { Enqueue } from '../enqueue.ts';
import type { CallEntry, CallWord, RunOver, WordBatch } from '../payloads/transcripts.ts';
import { GatheredWrites } from '../gathered-writes.ts';
import type { PayloadInput } from '../queues.ts';
import { JobLater, type Handler, type WorkTools } from '../work.ts';
import { deadCdrs } from './dead-cdrs.ts';

const micros_per_usd = 1_000_000;
const ended_event = 'call.ended';
const batches_together_max = 16;

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

/**
 * `settleMs`: for so long after a run is over, nothing is told of the calls that it left open. A job that a
 * dead process held comes again, and may hold how such a call ended in truth.
 */
export function transcriptsHandler({ settleMs }: { readonly settleMs: number }): Handler<'transcripts'> {
  const writes = new GatheredWrites<WordBatch>({ entriesMax: batches_together_max });
  return async ({ tenant, data }, tools) => {
    await tools.store.ensureTenants([tenant]);
    if (data.type === 'run-over') {
      await endOpenCalls(tenant, data, { ...tools, settleMs });
      return;
    }
    await writes.add(tenant, data, (batches) => keepWords(tenant, batches, tools));
    // After the commit: should this process end here, the batch comes again, and these keys with it.
    await Promise.all(
      data.entries.map(({ callId, word, traceparent }) => {
        const from = { tenant, ...(traceparent === undefined ? {} : { traceparent }) };
        return follow(tools.jobs, from, eventOf(callId, word));
      }),
    );
  };
}

async function keepWords(tenant: string, batches: readonly WordBatch[], tools: WorkTools): Promise<void> {
  const over = await tools.store.tenant(tenant, async (unit) => {
    const lists: DeadCall[][] = [];
    for (const batch of byGateway(batches)) lists.push(await write(unit, batch));
    const dead = lists.flat();
    return { dead, cdrs: await cdrsOf(unit, dead, { isFirst: false }) };
  });
  await tellDeaths(tenant, over, tools);
}

interface Deaths {
  readonly dead: readonly DeadCall[];
  /** Of those among them that have none yet. */
  readonly cdrs: readonly (PhoneCdr | VisitCdr)[];
}

/** `isFirst`: nothing was told yet of any call of the run. Otherwise those that ended before have theirs. */
function cdrsOf(
  unit: TenantRows,
  dead: readonly DeadCall[],
  { isFirst }: { readonly isFirst: boolean },
): Promise<Deaths['cdrs']> {
  const without = dead.filter((call) => isFirst || call.wasOpen);
  return deadCdrs(
    unit,
    without.map((call) => call.callId),
  );
}

/** After the commit. The lines first: there is no other try for them. */
async function tellDeaths(tenant: string, { dead, cdrs }: Deaths, { jobs, log }: WorkTools): Promise<void> {
  for (const cdr of cdrs) writeCdr(log, cdr);
  await Promise.all(dead.map((call) => follow(jobs, { tenant }, endOf(call))));
}

/** One batch for each gateway, every entry once: a batch may have come twice. */
function byGateway(batches: readonly WordBatch[]): WordBatch[] {
  const entriesOf = new Map<string, Map<number, CallEntry>>();
  for (const { gateway, entries } of batches) {
    const bySeq = entriesOf.get(gateway) ?? new Map<number, CallEntry>();
    for (const entry of entries) bySeq.set(entry.seq, entry);
    entriesOf.set(gateway, bySeq);
  }
  return [...entriesOf].map(([gateway, bySeq]) => ({
    ...{ type: 'words', gateway },
    entries: [...bySeq.values()],
  }));
}

async function endOpenCalls(
  tenant: string,
  run: RunOver,
  { settleMs, ...tools }: WorkTools & { readonly settleMs: number },
): Promise<void> {
  const over = await tools.store.tenant(tenant, async (unit) => {
    const left = settleMs - (await endRun(unit, run));
    if (left > 0) {
      await endCallsOfRun(unit, run);
      return { waitMs: Math.ceil(left) };
    }
    const [dead, isFirst] = await Promise.all([endCallsOfRun(unit, run), settleRun(unit, run)]);
    return { dead, cdrs: await cdrsOf(unit, dead, { isFirst }) };
  });
  if ('waitMs' in over) throw new JobLater(over.waitMs, 'words of the run may still come');
  await tellDeaths(tenant, over, tools);
}

type ToldEvent = PayloadInput<'webhooks'> & { readonly data: { readonly callId: string } };

/** What the tenant's own servers are told. */
function eventOf(callId: string, word: CallWord): ToldEvent | undefined {
  if (word.type === 'opened') {
    const { startedAt: at, source, profile, from, to } = word;
    const data = { callId, source, profile, from, to };
    return { eventId: `${callId}/started`, type: 'call.started', at, data };
  }
  if (word.type !== 'closed') return undefined;
  const { endedAt: at, ending, durationMs } = word;
  return { eventId: `${callId}/ended`, type: ended_event, at, data: { callId, ending, durationMs } };
}

function endOf({ callId, endedAt, durationMs }: DeadCall): ToldEvent {
  const data = { callId, ending: 'gateway-died' satisfies EndingSlug, durationMs };
  return { eventId: `${callId}/ended`, type: ended_event, at: endedAt.toISOString(), data };
}

/** The jobs that an event asks for, the same for the same call. */
async function follow(
  jobs: Enqueue,
  from: { readonly tenant: string; readonly traceparent?: string },
  event: ToldEvent | undefined,
): Promise<void> {
  if (event === undefined) return;
  const { callId } = event.data;
  const crm = { ...from, callId, key: `${callId}/crm`, data: { type: 'call-ended', callId } } as const;
  await Promise.all([
    event.type === ended_event ? jobs.enqueue('crm', crm) : undefined,
    jobs.enqueue('webhooks', { ...from, callId, key: event.eventId, data: event }),
  ]);
}

/**
 * As few statements as the batch allows, whatever it holds: what comes from many calls goes in together.
 * Returns the calls that are over because their run is, when nobody else tells of them.
 */
async function write(unit: TenantRows, { gateway, entries }: WordBatch): Promise<DeadCall[]> {
  const runs = new Map(entries.map(({ callId, run }) => [callId, run]));
  // First of all: whoever ends a run of these waits for this transaction, or this one for them.
  const held = holdRuns(unit, gateway, [...new Set(runs.values())]);
  const opened = entries.flatMap(({ callId, run, word }) =>
    word.type === 'opened' ? [newCall({ call_id: callId, gateway, run }, word)] : [],
  );
  for (const { call_id } of opened) runs.delete(call_id);
  const started_at = new Date(0);
  // The rows that all others stand on: sent first, and not waited for.
  const calls = openCalls(unit, ...opened);
  const made = ensureCalls(
    unit,
    ...[...runs].map(([call_id, run]) => ({ call_id, gateway, run, started_at })),
  );
  const usage = entries.flatMap(({ callId, word }) => (word.type === 'usage' ? usageRows(callId, word) : []));
  const [states] = await Promise.all([
    held,
    ...[calls, made],
    writeFacts(unit, entries),
    addUsage(unit, usage),
    closeCalls(unit, entries),
  ]);
  return endLateCalls(unit, states, entries);
}

/** Of runs that are over already. */
async function endLateCalls(
  unit: TenantRows,
  states: readonly RunState[],
  entries: readonly CallEntry[],
): Promise<DeadCall[]> {
  const told = new Set(entries.map((entry) => entry.callId));
  const lists = await Promise.all(
    states
      .filter((run) => run.isOver)
      .map(async (run) => {
        const dead = await endCallsOfRun(unit, run);
        return run.isSettled ? dead : [];
      }),
  );
  return lists.flat().filter((call) => told.has(call.callId));
}

async function closeCalls(unit: TenantRows, entries: readonly CallEntry[]): Promise<unknown> {
  const ends: [callId: string, end: CallEnd][] = [];
  const legs: Promise<void>[] = [];
  for (const { callId, word } of entries) {
    if (word.type !== 'closed') continue;
    const { endedAt, durationMs, ending, endingClass, detail, media, facts = null } = word;
    const end = {
      ...{ ended_at: new Date(endedAt), duration_ms: durationMs, ending, ending_class: endingClass },
      ...{ ending_detail: detail, media, facts_told: facts },
    };
    ends.push([callId, end]);
    if (media !== null) legs.push(keepLeg(unit, callId, word));
  }
  return Promise.all([endCalls(unit, ends), ...legs]);
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

function newCall(of: Pick<NewCall, 'call_id' | 'gateway' | 'run'>, word: WordOf<'opened'>): NewCall {
  const { startedAt, source, sipCallId, trunk, profile, from, to } = word;
  return {
    ...of,
    ...{ source, trunk, profile, sip_call_id: sipCallId },
    ...{ from_number: from, to_number: to, started_at: new Date(startedAt) },
  };
}

async function writeFacts(unit: TenantRows, entries: readonly CallEntry[]): Promise<unknown> {
  const turns: NewTurn[] = [];
  const acts: Omit<ToolCall, 'tenant'>[] = [];
  const events: Omit<CallEvent, 'tenant'>[] = [];
  const answered = new Map<string, number>();
  for (const { callId, word } of entries) {
    if (word.type !== 'fact') continue;
    const { index: seq, fact } = word;
    const place = { call_id: callId, seq, at_ms: fact.atMs };
    const turn = turnOf(fact);
    const act = actOf(fact);
    if (turn !== undefined) turns.push({ ...place, ...turn });
    else if (act !== undefined) acts.push({ ...place, ...act });
    else {
      if (fact.type === 'answered') answered.set(callId, fact.atMs);
      const { type, atMs: _at, ...rest } = fact;
      events.push({ ...place, type, fact: rest });
    }
  }
  return Promise.all([
    updateCalls(unit, 'answered_ms', answered),
    addTurns(unit, turns),
    addToolCalls(unit, acts),
    addCallEvents(unit, events),
  ]);
}

type Fact = WordOf<'fact'>['fact'];

function turnOf(fact: Fact): Omit<NewTurn, 'call_id' | 'seq' | 'at_ms'> | undefined {
  const agents = said.safeParse(fact).data;
  if (agents !== undefined) {
    const { text, heardMs, interrupted, responseMs } = agents;
    const rounded = { heard_ms: Math.round(heardMs), response_ms: responseMs && Math.round(responseMs) };
    return { who: 'agent', text, interrupted, ...rounded };
  }
  const callers = heard.safeParse(fact).data;
  if (callers === undefined) return undefined;
  return { who: 'caller', text: callers.text, interrupted: false, heard_ms: null, response_ms: null };
}

function actOf(fact: Fact): Omit<ToolCall, 'tenant' | 'call_id' | 'seq' | 'at_ms'> | undefined {
  const act = tool.safeParse(fact).data;
  if (act === undefined) return undefined;
  const { name, arguments: given, result, code = null, tookMs } = act;
  const ok = z.looseObject({ ok: z.literal(true) }).safeParse(result).success;
  const took_ms = tookMs === null || tookMs === undefined ? null : Math.round(tookMs);
  return { name, arguments: given, result, ok, code, took_ms };
}

function usageRows(call_id: string, word: WordOf<'usage'>): NewUsage[] {
  const { index, kind, provider, model, units, costUsd } = word;
  const common = { usage_key: `${call_id}/${index}`, call_id, kind, provider, model, at: new Date(word.at) };
  // All of it has one price. The first unit bears it, so that the sum over any rows of calls is right.
  const costOf = (nth: number): number | null =>
    costUsd === null ? null : nth === 0 ? Math.round(costUsd * micros_per_usd) : 0;
  return Object.entries(units).map(([name, quantity], nth) => ({
    ...{ ...common, unit: name, quantity, cost_micros: costOf(nth) },
  }));
}
