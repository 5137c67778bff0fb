/**
 * One row for every table with a tenant, the same keys for whichever tenant. A new table needs a row here
 * before the isolation suite passes.
 */
import type { Insertable } from 'kysely';
import type { Database } from '../../../src/store/schema.ts';
import type { TenantRows } from '../../../src/store/store.ts';

type RowOf<Table extends keyof Database> = Omit<Insertable<Database[Table]>, 'tenant'>;

const AT = new Date('2026-11-26T10:00:00.000Z');
const call_id = 'call_secret';

/** In an order in which parents come first. */
export const ONE_OF_EACH: { readonly [Table in keyof Database]: RowOf<Table> } = {
  tenants: { name: 'Secret Ltd' },
  calls: { call_id, gateway: 'gw', started_at: AT, from_number: '+15550666' },
  gateway_runs: { gateway: 'gw_secret', run: 'run_secret' },
  legs: { leg_id: 'leg_secret', call_id, kind: 'phone', opened_at: AT },
  turns: { call_id, seq: 0, who: 'caller', text: 'my secret', at_ms: 10 },
  tool_calls: { call_id, seq: 1, name: 'book', arguments: '{}', result: '{}', ok: true, at_ms: 20 },
  call_events: { call_id, seq: 2, type: 'ringing', at_ms: 0, fact: '{}' },
  contacts: { contact_id: 'contact_secret', e164: '+15550666', name: 'Secret' },
  activities: {
    activity_id: 'activity_secret',
    contact_id: 'contact_secret',
    call_id,
    summary: 'secret',
    occurred_at: AT,
  },
  messages: {
    message_id: 'message_secret',
    idempotency_key: 'secret',
    direction: 'outbound',
    status: 'queued',
    provider: 'local',
    provider_message_id: 'secret',
    body: 'secret',
  },
  opt_outs: { e164: '+15550666', opted_out: true, reason: 'STOP' },
  appointments: {
    appointment_id: 'appointment_secret',
    attempt_id: 'secret',
    confirmation: 'SE123',
    name: 'Secret',
    day: '2026-12-24',
    time: '18:00',
  },
  usage: { usage_key: 'secret', kind: 'model', unit: 'tokens', quantity: 7, at: AT },
  audit: { seq: 1, audit_key: 'secret', at: AT, actor: 'x', action: 'y', prev_hash: '0', hash: '1' },
  api_keys: { key_id: 'key_secret', name: 'secret', scopes: ['all'], secret_hash: 'hash' },
  dead_letters: {
    dead_letter_id: 'letter_secret',
    queue: 'sms',
    job_key: 'secret',
    payload: '{}',
    code: 'X',
    detail: 'secret',
    attempts: 1,
  },
  idempotency_keys: { scope: 's', key: 'secret', fingerprint: 'f', expires_at: AT },
};

export const TABLES = Object.keys(ONE_OF_EACH) as (keyof Database)[];

/**
 * Writes `table`'s row for `tenant`, in the unit of work of whoever: the database decides whether that is
 * right.
 */
export async function insertOne(unit: TenantRows, table: keyof Database, tenant: string): Promise<void> {
  const row = { tenant, ...ONE_OF_EACH[table] } as Insertable<Database[typeof table]>;
  await unit.rows.insertInto(table).values(row).execute();
}
