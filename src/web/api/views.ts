/**
 * What the API shows of rows: names as in the database, without the tenant; instants in ISO 8601 (UTC), days
 * `YYYY-MM-DD`, times `HH:MM`, durations in ms.
 */
import { z } from 'zod';
import type { Page } from '../../store/page.ts';
import type { Activity } from '../../store/tables/activities.ts';
import type { ApiKey } from '../../store/tables/api-keys.ts';
import type { StoredAppointment } from '../../store/tables/appointments.ts';
import type { AuditEntry } from '../../store/tables/audit.ts';
import type { CallEvent } from '../../store/tables/call-events.ts';
import type { Call } from '../../store/tables/calls.ts';
import type { Contact } from '../../store/tables/contacts.ts';
import type { DeadLetter } from '../../store/tables/dead-letters.ts';
import type { Leg } from '../../store/tables/legs.ts';
import type { Message } from '../../store/tables/messages.ts';
import type { ToolCall } from '../../store/tables/tool-calls.ts';
import type { Turn } from '../../store/tables/turns.ts';
import type { Usage } from '../../store/tables/usage.ts';
import type { CallJob } from './ports.ts';

const instant = z.iso.datetime();
const anything = z.unknown();
const words = z.string().nullable();

const at = (date: Date): string => date.toISOString();
const maybeAt = (date: Date | null): string | null => date?.toISOString() ?? null;

export const callView = z.object({
  call_id: z.string(),
  source: z.enum(['phone', 'web']),
  direction: z.enum(['inbound', 'outbound']),
  sip_call_id: z.string(),
  trunk: z.string(),
  profile: z.string(),
  from_number: z.string(),
  to_number: z.string(),
  started_at: instant,
  answered_ms: z.int().nullable(),
  ended_at: instant.nullable(),
  duration_ms: z.int().nullable(),
  ending: words,
  ending_class: words,
  ending_detail: words,
  summary: words,
  media: anything,
});

export function viewCall({
  tenant: _tenant,
  gateway: _gateway,
  run: _run,
  facts_told: _facts,
  ...call
}: Call): z.infer<typeof callView> {
  return { ...call, started_at: at(call.started_at), ended_at: maybeAt(call.ended_at) };
}

export const legView = z.object({
  leg_id: z.string(),
  kind: z.string(),
  codec: words,
  opened_at: instant,
  closed_at: instant.nullable(),
  stats: anything,
});

export function viewLeg({ tenant: _tenant, call_id: _call, ...leg }: Leg): z.infer<typeof legView> {
  return { ...leg, opened_at: at(leg.opened_at), closed_at: maybeAt(leg.closed_at) };
}

export const turnView = z.object({
  seq: z.int(),
  who: z.enum(['caller', 'agent', 'human']),
  text: z.string(),
  at_ms: z.int(),
  heard_ms: z.int().nullable(),
  interrupted: z.boolean(),
  response_ms: z.int().nullable(),
});

export function viewTurn({ tenant: _tenant, call_id: _call, ...turn }: Turn): z.infer<typeof turnView> {
  return turn;
}

export const toolCallView = z.object({
  seq: z.int(),
  name: z.string(),
  arguments: anything,
  result: anything,
  ok: z.boolean(),
  code: words,
  took_ms: z.number().nullable(),
  at_ms: z.int(),
});

export function viewToolCall({
  tenant: _tenant,
  call_id: _call,
  ...tool
}: ToolCall): z.infer<typeof toolCallView> {
  return tool;
}

export const callEventView = z.object({
  seq: z.int(),
  type: z.string(),
  at_ms: z.int(),
  fact: anything,
});

export function viewCallEvent({
  tenant: _tenant,
  call_id: _call,
  ...event
}: CallEvent): z.infer<typeof callEventView> {
  return event;
}

export const callJobView = z.object({
  queue: z.string(),
  key: z.string().describe('What it does is done once per key'),
  state: z
    .enum(['waiting', 'active', 'delayed', 'completed', 'failed'])
    .describe('delayed: put off, or waiting for its next try; failed: given up'),
  attempts: z.int(),
  attempts_max: z.int(),
  asked_at: instant,
  ended_at: instant.nullable(),
  failure: words.describe('Why its last try failed'),
});

export function viewCallJob(job: CallJob): z.infer<typeof callJobView> {
  const { queue, key, state, attempts, attemptsMax, askedAt, endedAt, failure } = job;
  const when = { asked_at: askedAt, ended_at: endedAt };
  return { queue, key, state, attempts, attempts_max: attemptsMax, ...when, failure };
}

export const usageView = z.object({
  call_id: words,
  kind: z.string(),
  provider: z.string(),
  model: z.string(),
  unit: z.string(),
  quantity: z.number(),
  cost_micros: z.number().nullable().describe('Millionths of a US dollar; null: no price is configured'),
  at: instant,
});

export function viewUsage({ tenant: _tenant, usage_key: _key, ...usage }: Usage): z.infer<typeof usageView> {
  return { ...usage, at: at(usage.at) };
}

export const contactView = z.object({
  contact_id: z.string(),
  e164: z.string(),
  name: words,
  email: words,
  company: words,
  notes: words,
  attributes: anything,
  external: anything,
  created_at: instant,
  updated_at: instant,
});

export function viewContact({ tenant: _tenant, ...contact }: Contact): z.infer<typeof contactView> {
  return { ...contact, created_at: at(contact.created_at), updated_at: at(contact.updated_at) };
}

export const activityView = z.object({
  activity_id: z.string(),
  contact_id: z.string(),
  call_id: words,
  kind: z.string(),
  summary: z.string(),
  outcome: words,
  occurred_at: instant,
  external: anything,
});

export function viewActivity({
  tenant: _tenant,
  created_at: _made,
  ...activity
}: Activity): z.infer<typeof activityView> {
  return { ...activity, occurred_at: at(activity.occurred_at) };
}

export const messageView = z.object({
  message_id: z.string(),
  channel: z.enum(['sms', 'note']),
  direction: z.enum(['inbound', 'outbound']),
  status: z.string(),
  from_number: z.string(),
  to_number: z.string(),
  body: z.string(),
  template: words,
  segments: z.int().nullable(),
  provider: words,
  provider_message_id: words,
  error_code: words,
  error_detail: words,
  call_id: words,
  send_after: instant.nullable(),
  /** When its provider was last given it; no answer, while `provider_message_id` is null. */
  handed_at: instant.nullable(),
  created_at: instant,
  sent_at: instant.nullable(),
  delivered_at: instant.nullable(),
});

export function viewMessage(message: Message): z.infer<typeof messageView> {
  const { tenant: _t, idempotency_key: _k, attributes: _a, updated_at: _u, ...shown } = message;
  return {
    ...shown,
    send_after: maybeAt(shown.send_after),
    handed_at: maybeAt(shown.handed_at),
    created_at: at(shown.created_at),
    sent_at: maybeAt(shown.sent_at),
    delivered_at: maybeAt(shown.delivered_at),
  };
}

export const appointmentView = z.object({
  appointment_id: z.string(),
  calendar: z.string(),
  call_id: words,
  confirmation: z.string(),
  name: z.string(),
  e164: words,
  day: z.iso.date(),
  time: z.string(),
  duration_min: z.int(),
  time_zone: z.string(),
  notes: words,
  status: z.enum(['booked', 'cancelled']),
  external: anything,
  booked_at: instant,
});

export function viewAppointment(appointment: StoredAppointment): z.infer<typeof appointmentView> {
  const { tenant: _t, attempt_id: _a, updated_at: _u, ...shown } = appointment;
  return { ...shown, booked_at: at(shown.booked_at) };
}

export const deadLetterView = z.object({
  dead_letter_id: z.string(),
  queue: z.string(),
  job_key: z.string(),
  payload: anything,
  code: z.string(),
  detail: z.string(),
  attempts: z.int(),
  died_at: instant,
  replayed_at: instant.nullable(),
  replays: z.int(),
  discarded_at: instant.nullable(),
});

export function viewDeadLetter({ tenant: _tenant, ...letter }: DeadLetter): z.infer<typeof deadLetterView> {
  return {
    ...letter,
    died_at: at(letter.died_at),
    replayed_at: maybeAt(letter.replayed_at),
    discarded_at: maybeAt(letter.discarded_at),
  };
}

export const apiKeyView = z.object({
  key_id: z.string(),
  name: z.string(),
  scopes: z.array(z.string()),
  created_at: instant,
  expires_at: instant.nullable(),
  revoked_at: instant.nullable(),
  last_used_at: instant.nullable(),
  replaced_by: words,
});

export function viewApiKey({ tenant: _tenant, ...key }: ApiKey): z.infer<typeof apiKeyView> {
  return {
    ...key,
    created_at: at(key.created_at),
    expires_at: maybeAt(key.expires_at),
    revoked_at: maybeAt(key.revoked_at),
    last_used_at: maybeAt(key.last_used_at),
  };
}

export const auditView = z.object({
  seq: z.int(),
  at: instant,
  actor: z.string(),
  action: z.string(),
  target: z.string(),
  detail: anything,
  prev_hash: z.string(),
  hash: z.string(),
});

export function viewAudit({
  tenant: _tenant,
  audit_key: _key,
  ...entry
}: AuditEntry): z.infer<typeof auditView> {
  return { ...entry, at: at(entry.at) };
}

type PageOf<View extends z.ZodType> = z.ZodObject<{
  data: z.ZodArray<View>;
  next_cursor: z.ZodNullable<z.ZodString>;
}>;

/** A list with a place to go on from. */
export function pageView<View extends z.ZodType>(view: View): PageOf<View> {
  return z.object({
    data: z.array(view),
    next_cursor: words.describe('`cursor` of the next page; null on the last one'),
  });
}

export function viewPage<Row, View>(
  page: Page<Row>,
  view: (row: Row) => View,
): { data: View[]; next_cursor: string | null } {
  return { data: page.rows.map(view), next_cursor: page.next };
}
