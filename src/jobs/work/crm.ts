/**
 * `crm`: a contact by its number and one activity per call, in our own store first, then in the tenant's
 * CRM.
 */
import { ENDINGS } from '../../base/ending.ts';
import { toE164 } from '../../base/phone-number.ts';
import type { TenantRows } from '../../store/store.ts';
import { linkActivity, putActivity, type Activity } from '../../store/tables/activities.ts';
import { callEventsOf } from '../../store/tables/call-events.ts';
import { findCall, updateCall, type Call } from '../../store/tables/calls.ts';
import { linkContact, upsertContact, type Contact } from '../../store/tables/contacts.ts';
import { toolCallsOf, type ToolCall } from '../../store/tables/tool-calls.ts';
import { turnsOf, type Turn } from '../../store/tables/turns.ts';
import { summarise, type CallSummary } from '../drivers/crm/call-summary.ts';
import type { CrmDriver } from '../drivers/crm/crm-driver.ts';
import { JobLater, JobRefused, type Handler, type WorkTools } from '../work.ts';
import { askProvider } from './provider-outcome.ts';

/**
 * Facts of a call may come later than its end, when a job process died or the database was away: they are
 * waited for, but not for ever.
 */
const facts_later_ms = 1000;
const facts_patience_ms = 5 * 60_000;

export interface CrmTenant {
  /** undefined: the store alone. */
  readonly driver?: CrmDriver | undefined;
  /** ISO 3166, of numbers written without their country code; empty: none are read. */
  readonly country: string;
}

interface Written {
  readonly call: Call;
  readonly contact: Contact;
  readonly activity: Activity;
  readonly summary: CallSummary;
}

export function crmHandler(tenantOf: (tenant: string) => CrmTenant): Handler<'crm'> {
  return async ({ tenant, key, at, data, signal }, tools) => {
    const { driver, country } = tenantOf(tenant);
    if (data.type === 'contact') {
      const { type: _type, callId: _call, ...change } = data;
      const contact = await tools.store.tenant(tenant, (unit) => upsertContact(unit, change));
      if (driver === undefined) return;
      await tools.pace({ tenant, key, provider: driver.name, requests: driver.requests.contact });
      await pushContact(driver, contact, tools, signal);
      return;
    }
    const isPatient = Date.now() - Date.parse(at) < facts_patience_ms;
    const asked = { callId: data.callId, country, isPatient };
    const written = await tools.store.tenant(tenant, (unit) => writeCall(unit, asked));
    if (written === undefined || driver === undefined) return;
    const { call, contact, activity, summary } = written;
    const requests = driver.requests.contact + driver.requests.activity;
    await tools.pace({ tenant, key, provider: driver.name, requests });
    const contactId = await pushContact(driver, contact, tools, signal);
    const { title, text } = summary;
    const outside = {
      ...{ key: `${tenant}/${key}`, title, text },
      ...{ startedAt: call.started_at, durationMs: call.duration_ms ?? 0 },
      ...{ fromNumber: contact.e164, toNumber: call.to_number },
    };
    const id = await askProvider(() => driver.writeActivity(outside, contactId, signal));
    await tools.store.tenant(tenant, (unit) =>
      linkActivity(unit, activity.activity_id, { [driver.name]: id }),
    );
  };
}

async function pushContact(
  driver: CrmDriver,
  contact: Contact,
  { store }: WorkTools,
  signal: AbortSignal,
): Promise<string> {
  const { e164, name, email, company } = contact;
  const outside = {
    ...{ e164, name: name ?? undefined, email: email ?? undefined, company: company ?? undefined },
    externalId: externalIdOf(contact.external, driver.name),
  };
  const id = await askProvider(() => driver.upsertContact(outside, signal));
  await store.tenant(contact.tenant, (unit) => linkContact(unit, contact.contact_id, { [driver.name]: id }));
  return id;
}

interface CallToWrite {
  readonly callId: string;
  readonly country: string;
  /** Whether to wait for facts of the call that have not come. */
  readonly isPatient: boolean;
}

/**
 * undefined: the caller withheld the number, and there is nobody to write it to.
 * @throws JobLater: a summary of half a call helps nobody
 */
async function writeCall(
  unit: TenantRows,
  { callId, country, isPatient }: CallToWrite,
): Promise<Written | undefined> {
  const [call, turns, tools, events] = await Promise.all([
    findCall(unit, callId),
    turnsOf(unit, callId),
    toolCallsOf(unit, callId),
    callEventsOf(unit, callId),
  ]);
  if (call === undefined) throw new JobRefused('JOB_PAYLOAD_INVALID', `no call ${callId}`);
  const missing = (call.facts_told ?? 0) - turns.length - tools.length - events.length;
  if (missing > 0 && isPatient)
    throw new JobLater(facts_later_ms, `${missing} facts of the call are to come`);
  const e164 = toE164(call.from_number, country);
  const summary = summaryOf(call, e164 ?? '', { turns, tools });
  const name = summary.callerName;
  const [contact] = await Promise.all([
    e164 === undefined ? undefined : upsertContact(unit, { e164, ...(name === undefined ? {} : { name }) }),
    updateCall(unit, callId, { summary: summary.text }),
  ]);
  if (contact === undefined) return undefined;
  const activity = await putActivity(unit, {
    ...{ contactId: contact.contact_id, callId, kind: 'call', summary: summary.text },
    ...{ outcome: call.ending, occurredAt: call.started_at },
  });
  return { call, contact, activity, summary };
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

function externalIdOf(external: unknown, driver: string): string | undefined {
  const ids = typeof external === 'object' && external !== null ? (external as Record<string, unknown>) : {};
  const id = ids[driver];
  return typeof id === 'string' ? id : undefined;
}
