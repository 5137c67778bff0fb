/**
 * The tables as Kysely sees them; migrations/ is what makes them. test/integration/store holds the two
 * against each other. Instants are `Date`, days are `YYYY-MM-DD`, `jsonb` is whatever JSON was put there.
 */
import type { ColumnType, Generated } from 'kysely';

/** Whatever JSON can say; readers parse it with a schema of their own before they rely on its shape. */
export type Json = ColumnType<unknown, string, string>;
type JsonDefault = ColumnType<unknown, string | undefined, string>;
type MadeAt = ColumnType<Date, Date | undefined, Date>;

interface TenantsTable {
  name: string;
  settings: JsonDefault;
  created_at: MadeAt;
}

interface CallsTable {
  call_id: string;
  gateway: string;
  run: Generated<string>;
  source: Generated<'phone' | 'web'>;
  direction: Generated<'inbound' | 'outbound'>;
  sip_call_id: Generated<string>;
  trunk: Generated<string>;
  profile: Generated<string>;
  from_number: Generated<string>;
  to_number: Generated<string>;
  started_at: Date;
  answered_ms: number | null;
  ended_at: Date | null;
  duration_ms: number | null;
  ending: string | null;
  ending_class: string | null;
  ending_detail: string | null;
  media: Json | null;
  summary: string | null;
  facts_told: number | null;
}

interface GatewayRunsTable {
  gateway: string;
  run: string;
  over_at: Date | null;
  settled_at: Date | null;
  heard_at: Date | null;
  tenants: string[] | null;
}

interface LegsTable {
  leg_id: string;
  call_id: string;
  kind: string;
  codec: string | null;
  opened_at: Date;
  closed_at: Date | null;
  stats: Json | null;
}

interface TurnsTable {
  call_id: string;
  seq: number;
  who: 'caller' | 'agent' | 'human';
  text: string;
  at_ms: number;
  heard_ms: number | null;
  interrupted: Generated<boolean>;
  response_ms: number | null;
}

interface ToolCallsTable {
  call_id: string;
  seq: number;
  name: string;
  arguments: Json;
  result: Json;
  ok: boolean;
  code: string | null;
  took_ms: number | null;
  at_ms: number;
}

interface CallEventsTable {
  call_id: string;
  seq: number;
  type: string;
  at_ms: number;
  fact: Json;
}

interface ContactsTable {
  contact_id: string;
  e164: string;
  name: string | null;
  email: string | null;
  company: string | null;
  notes: string | null;
  attributes: JsonDefault;
  external: JsonDefault;
  created_at: MadeAt;
  updated_at: MadeAt;
}

interface ActivitiesTable {
  activity_id: string;
  contact_id: string;
  call_id: string | null;
  kind: Generated<string>;
  summary: string;
  outcome: string | null;
  occurred_at: Date;
  external: JsonDefault;
  created_at: MadeAt;
}

export type MessageStatus =
  'queued' | 'held' | 'sent' | 'delivered' | 'failed' | 'undelivered' | 'suppressed' | 'received';

interface MessagesTable {
  message_id: string;
  idempotency_key: string;
  channel: Generated<'sms' | 'note'>;
  direction: 'inbound' | 'outbound';
  status: MessageStatus;
  from_number: Generated<string>;
  to_number: Generated<string>;
  body: string;
  template: string | null;
  segments: number | null;
  provider: string | null;
  provider_message_id: string | null;
  error_code: string | null;
  error_detail: string | null;
  call_id: string | null;
  attributes: JsonDefault;
  send_after: Date | null;
  handed_at: Date | null;
  created_at: MadeAt;
  updated_at: MadeAt;
  sent_at: Date | null;
  delivered_at: Date | null;
}

interface OptOutsTable {
  channel: Generated<string>;
  e164: string;
  opted_out: boolean;
  reason: string;
  changed_at: MadeAt;
}

interface AppointmentsTable {
  appointment_id: string;
  calendar: Generated<string>;
  call_id: string | null;
  attempt_id: string;
  confirmation: string;
  name: string;
  e164: string | null;
  day: string;
  time: string;
  duration_min: Generated<number>;
  time_zone: Generated<string>;
  notes: string | null;
  status: Generated<'booked' | 'cancelled'>;
  external: JsonDefault;
  booked_at: MadeAt;
  updated_at: MadeAt;
}

interface UsageTable {
  usage_key: string;
  call_id: string | null;
  kind: string;
  provider: Generated<string>;
  model: Generated<string>;
  unit: string;
  quantity: number;
  cost_micros: number | null;
  at: Date;
}

interface AuditTable {
  seq: number;
  audit_key: string;
  at: Date;
  actor: string;
  action: string;
  target: Generated<string>;
  detail: JsonDefault;
  prev_hash: string;
  hash: string;
}

interface ApiKeysTable {
  key_id: string;
  name: string;
  scopes: string[];
  secret_hash: string;
  created_at: MadeAt;
  expires_at: Date | null;
  revoked_at: Date | null;
  last_used_at: Date | null;
  replaced_by: string | null;
}

interface DeadLettersTable {
  dead_letter_id: string;
  queue: string;
  job_key: string;
  payload: Json;
  code: string;
  detail: string;
  attempts: number;
  died_at: MadeAt;
  replayed_at: Date | null;
  replays: Generated<number>;
  discarded_at: Date | null;
}

interface IdempotencyKeysTable {
  scope: string;
  key: string;
  fingerprint: string;
  response: Json | null;
  created_at: MadeAt;
  expires_at: Date;
}

/** Every table belongs to tenants: the column that row security goes by. */
type OfTenant<Tables> = { [Table in keyof Tables]: Tables[Table] & { tenant: string } };

export type Database = OfTenant<{
  tenants: TenantsTable;
  calls: CallsTable;
  gateway_runs: GatewayRunsTable;
  legs: LegsTable;
  turns: TurnsTable;
  tool_calls: ToolCallsTable;
  call_events: CallEventsTable;
  contacts: ContactsTable;
  activities: ActivitiesTable;
  messages: MessagesTable;
  opt_outs: OptOutsTable;
  appointments: AppointmentsTable;
  usage: UsageTable;
  audit: AuditTable;
  api_keys: ApiKeysTable;
  dead_letters: DeadLettersTable;
  idempotency_keys: IdempotencyKeysTable;
}>;
