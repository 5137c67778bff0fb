/** `audit`: who did what, into the tenant's chain. */
import { appendAudit } from '../../store/tables/audit.ts';
import type { Handler } from '../work.ts';

export const audit: Handler<'audit'> = async ({ tenant, key, data }, { store }) => {
  const { at, ...entry } = data;
  await store.ensureTenants([tenant]);
  await store.tenant(tenant, (unit) => appendAudit(unit, { key, at: new Date(at), ...entry }));
};
