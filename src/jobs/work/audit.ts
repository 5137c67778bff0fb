/** `audit`: who did what, into the tenant's chain. What waits for a chain goes into it together. */
import { appendAudits, type NewAuditEntry } from '../../store/tables/audit.ts';
import { GatheredWrites } from '../gathered-writes.ts';
import type { Handler } from '../work.ts';

const entries_together_max = 100;

export function auditHandler(): Handler<'audit'> {
  const writes = new GatheredWrites<NewAuditEntry>({ entriesMax: entries_together_max });
  return async ({ tenant, key, data }, { store }) => {
    const { at, ...entry } = data;
    await store.ensureTenants([tenant]);
    await writes.add(tenant, { key, at: new Date(at), ...entry }, (entries) =>
      store.tenant(tenant, (unit) => appendAudits(unit, entries)),
    );
  };
}
