/**
 * `crm`: a contact by its number and one activity per call, in our own store first, then in the tenant's
 * CRM.
 */
import { linkActivity } from '../../store/tables/activities.ts';
import { linkContact, upsertContact, type Contact } from '../../store/tables/contacts.ts';
import type { CrmDriver } from '../drivers/crm/crm-driver.ts';
import { GatheredWrites } from '../gathered-writes.ts';
import { JobLater, JobRefused, type Handler, type WorkTools } from '../work.ts';
import { askProvider } from './provider-outcome.ts';
import { writeCalls, type CallToWrite, type WrittenCall } from './written-calls.ts';

/**
 * Facts of a call may come later than its end, when a job process died or the database was away: they are
 * waited for, but not for ever.
 */
const facts_later_ms = 1000;
const facts_patience_ms = 5 * 60_000;
const calls_together_max = 16;

export interface CrmTenant {
  /** undefined: the store alone. */
  readonly driver?: CrmDriver | undefined;
  /** ISO 3166, of numbers written without their country code; empty: none are read. */
  readonly country: string;
}

export function crmHandler(tenantOf: (tenant: string) => CrmTenant): Handler<'crm'> {
  const writes = new GatheredWrites<CallToWrite, WrittenCall>({ entriesMax: calls_together_max });
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
    const written = await writes.add(tenant, asked, (calls) =>
      tools.store.tenant(tenant, (unit) => writeCalls(unit, calls)),
    );
    if (written === 'missing') throw new JobRefused('JOB_PAYLOAD_INVALID', `no call ${data.callId}`);
    if (written === 'too early') throw new JobLater(facts_later_ms, 'facts of the call are to come');
    if (written === 'nobody' || driver === undefined) return;
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

function externalIdOf(external: unknown, driver: string): string | undefined {
  const ids = typeof external === 'object' && external !== null ? (external as Record<string, unknown>) : {};
  const id = ids[driver];
  return typeof id === 'string' ? id : undefined;
}
