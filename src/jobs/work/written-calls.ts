/**
 * What stays of calls that are over, in our own store: the summary of each, the contact of its caller, and
 * one activity. As few statements as one call takes, however many calls there are.
 */
import { ENDINGS } from '../../base/ending.ts';
import { toE164 } from '../../base/phone-number.ts';
import type { TenantRows } from '../../store/store.ts';
import { putActivities, type Activity } from '../../store/tables/activities.ts';
import { countCallEvents } from '../../store/tables/call-events.ts';
import { findCalls, updateCalls, type Call } from '../../store/tables/calls.ts';
import { upsertContacts, type Contact, type ContactChange } from '../../store/tables/contacts.ts';
import { toolCallsOf, type ToolCall } from '../../store/tables/tool-calls.ts';
import { turnsOf, type Turn } from '../../store/tables/turns.ts';
import { summarise, type CallSummary } from '../drivers/crm/call-summary.ts';

export interface CallToWrite {
  readonly callId: string;
  /** ISO 3166, of numbers written without their country code. */
  readonly country: string;
  /** Whether to wait for facts of the call that have not come. */
  readonly isPatient: boolean;
}

/**
 * `missing`: there is no such call. `too early`: facts of it are to come, and a summary of half a call helps
 * nobody. `nobody`: the caller withheld the number, and there is nobody to write it to.
 */
export type WrittenCall =
  | 'missing'
  | 'too early'
  | 'nobody'
  | {
      readonly call: Call;
      readonly contact: Contact;
      readonly activity: Activity;
      readonly summary: CallSummary;
    };

interface Known {
  readonly call: Call;
  /** Undefined: withheld, or no number. */
  readonly e164: string | undefined;
  readonly summary: CallSummary;
}

/** In the order of `asked`. */
export async function writeCalls(
  unit: TenantRows,
  asked: readonly CallToWrite[],
): Promise<readonly WrittenCall[]> {
  const known = await readCalls(unit, asked);
  const told = [...known.values()].filter((one) => typeof one !== 'string');
  const [contacts] = await Promise.all([
    upsertContacts(unit, contactsOf(told)),
    updateCalls(unit, 'summary', new Map(told.map(({ call, summary }) => [call.call_id, summary.text]))),
  ]);
  const contactOf = new Map(contacts.map((contact) => [contact.e164, contact]));
  const activities = await putActivities(
    unit,
    told.flatMap(({ call, e164 = '', summary }) => {
      const contactId = contactOf.get(e164)?.contact_id;
      const about = { callId: call.call_id, kind: 'call', summary: summary.text, outcome: call.ending };
      return contactId === undefined ? [] : [{ ...about, contactId, occurredAt: call.started_at }];
    }),
  );
  const activityOf = new Map(activities.map((activity) => [activity.call_id, activity]));
  return asked.map(({ callId }) => {
    const one = known.get(callId) ?? 'missing';
    if (typeof one === 'string') return one;
    const [contact, activity] = [contactOf.get(one.e164 ?? ''), activityOf.get(callId)];
    return contact === undefined || activity === undefined ? 'nobody' : { ...one, contact, activity };
  });
}

async function readCalls(
  unit: TenantRows,
  asked: readonly CallToWrite[],
): Promise<Map<string, Known | 'too early'>> {
  const callIds = asked.map((one) => one.callId);
  const [calls, turns, tools, events] = await Promise.all([
    findCalls(unit, callIds),
    turnsOf(unit, ...callIds),
    toolCallsOf(unit, ...callIds),
    countCallEvents(unit, callIds),
  ]);
  const [turnsBy, toolsBy] = [byCall(turns), byCall(tools)];
  const callOf = new Map(calls.map((call) => [call.call_id, call]));
  const known = new Map<string, Known | 'too early'>();
  for (const { callId, country, isPatient } of asked) {
    const call = callOf.get(callId);
    if (call === undefined) continue;
    const of = { turns: turnsBy.get(callId) ?? [], tools: toolsBy.get(callId) ?? [] };
    const here = of.turns.length + of.tools.length + (events.get(callId) ?? 0);
    const e164 = toE164(call.from_number, country);
    if (isPatient && here < (call.facts_told ?? 0)) known.set(callId, 'too early');
    else known.set(callId, { call, e164, summary: summaryOf(call, e164 ?? '', of) });
  }
  return known;
}

function byCall<Row extends { readonly call_id: string }>(rows: readonly Row[]): Map<string, Row[]> {
  return Map.groupBy(rows, (row) => row.call_id);
}

/** One for each number: of several calls of one caller, the name that was told last. */
function contactsOf(calls: readonly Known[]): ContactChange[] {
  const byNumber = new Map<string, ContactChange>();
  for (const { e164, summary } of calls) {
    if (e164 === undefined) continue;
    const name = summary.callerName ?? byNumber.get(e164)?.name;
    byNumber.set(e164, { e164, ...(name === undefined ? {} : { name }) });
  }
  return [...byNumber.values()];
}

function summaryOf(
  call: Call,
  from: string,
  { turns, tools }: { readonly turns: readonly Turn[]; readonly tools: readonly ToolCall[] },
): CallSummary {
  const spoken = turns.map(({ who, text }) => ({ who: who === 'caller' ? who : ('agent' as const), text }));
  return summarise({
    ...{ from, profile: call.profile, durationMs: call.duration_ms ?? 0 },
    endingText: endingText(call.ending),
    turns: spoken,
    tools,
  });
}

function endingText(slug: string | null): string {
  const known = Object.entries(ENDINGS).find(([name]) => name === slug);
  return known?.[1].text ?? 'Not known how';
}
