import { describe, expect, it } from 'vitest';
import type { z } from 'zod';
import * as view from '../../../../src/web/api/views.ts';

const at = new Date('2026-01-02T03:04:05.678Z');
const ISO = '2026-01-02T03:04:05.678Z';
const tenant = 'acme';

/** Every view with a row as the store gives it: all columns filled, so that none can leak unseen. */
const VIEWS: [string, z.ZodType, () => object][] = [
  [
    'a call',
    view.callView,
    () =>
      view.viewCall({
        ...{ tenant, call_id: 'c', gateway: 'secret-host', run: 'secret-run', facts_told: 3 },
        source: 'phone',
        direction: 'inbound',
        ...{ sip_call_id: 's', trunk: 't', profile: 'p', from_number: '+1555', to_number: '+1556' },
        ...{ started_at: at, answered_ms: 10, ended_at: at, duration_ms: 20, ending: 'caller-hung-up' },
        ...{ ending_class: 'success', ending_detail: null, media: { mos: 4 }, summary: 'fine' },
      }),
  ],
  [
    'a leg',
    view.legView,
    () =>
      view.viewLeg({
        ...{ tenant, leg_id: 'l', call_id: 'c', kind: 'phone', codec: 'pcmu' },
        ...{ opened_at: at, closed_at: null, stats: null },
      }),
  ],
  [
    'a turn',
    view.turnView,
    () =>
      view.viewTurn({
        ...{ tenant, call_id: 'c', seq: 1, who: 'agent', text: 'hello', at_ms: 5 },
        ...{ heard_ms: 800, interrupted: false, response_ms: null },
      }),
  ],
  [
    'a tool call',
    view.toolCallView,
    () =>
      view.viewToolCall({
        ...{ tenant, call_id: 'c', seq: 2, name: 'book', arguments: { day: 'x' }, result: { ok: true } },
        ...{ ok: true, code: null, took_ms: 3, at_ms: 9 },
      }),
  ],
  [
    'an event',
    view.callEventView,
    () => view.viewCallEvent({ tenant, call_id: 'c', seq: 3, type: 'held', at_ms: 1, fact: {} }),
  ],
  [
    'usage',
    view.usageView,
    () =>
      view.viewUsage({
        ...{ tenant, usage_key: 'secret', call_id: 'c', kind: 'model', provider: 'openai' },
        ...{ model: 'm', unit: 'tokens', quantity: 1.5, cost_micros: 7, at },
      }),
  ],
  [
    'a contact',
    view.contactView,
    () =>
      view.viewContact({
        ...{ tenant, contact_id: 'x', e164: '+1555', name: null, email: null, company: null },
        ...{ notes: null, attributes: {}, external: {}, created_at: at, updated_at: at },
      }),
  ],
  [
    'an activity',
    view.activityView,
    () =>
      view.viewActivity({
        ...{ tenant, activity_id: 'a', contact_id: 'x', call_id: null, kind: 'call', summary: 's' },
        ...{ outcome: null, occurred_at: at, external: {}, created_at: at },
      }),
  ],
  [
    'a message',
    view.messageView,
    () =>
      view.viewMessage({
        ...{ tenant, message_id: 'm', idempotency_key: 'secret', channel: 'sms', direction: 'outbound' },
        ...{ status: 'sent', from_number: '+1', to_number: '+2', body: 'b', template: null, segments: 1 },
        ...{ provider: 'twilio', provider_message_id: 'SM1', error_code: null, error_detail: null },
        ...{
          call_id: null,
          attributes: { internal: 'secret' },
          send_after: null,
          handed_at: null,
          created_at: at,
        },
        ...{ updated_at: at, sent_at: at, delivered_at: null },
      }),
  ],
  [
    'an appointment',
    view.appointmentView,
    () =>
      view.viewAppointment({
        ...{ tenant, appointment_id: 'a', calendar: 'default', call_id: 'c', attempt_id: 'secret' },
        ...{ confirmation: 'KT482', name: 'Anna', e164: null, day: '2026-01-02', time: '10:00' },
        ...{ duration_min: 30, time_zone: 'UTC', notes: null, status: 'booked', external: {} },
        ...{ booked_at: at, updated_at: at },
      }),
  ],
  [
    'a dead letter',
    view.deadLetterView,
    () =>
      view.viewDeadLetter({
        ...{ tenant, dead_letter_id: 'd', queue: 'sms', job_key: 'k', payload: {}, code: 'X' },
        ...{ detail: 'y', attempts: 3, died_at: at, replayed_at: null, replays: 0, discarded_at: null },
      }),
  ],
  [
    'a key',
    view.apiKeyView,
    () =>
      view.viewApiKey({
        ...{ tenant, key_id: 'key_1', name: 'n', scopes: ['admin'], created_at: at, expires_at: null },
        ...{ revoked_at: null, last_used_at: at, replaced_by: null },
      }),
  ],
  [
    'an audit entry',
    view.auditView,
    () =>
      view.viewAudit({
        ...{ tenant, seq: 1, audit_key: 'secret', at, actor: 'x', action: 'y', target: 'z' },
        ...{ detail: {}, prev_hash: '0', hash: '1' },
      }),
  ],
];

describe('what the API shows', () => {
  it.each(VIEWS)('of %s is what its schema promises, neither more nor less', (_what, schema, show) => {
    const shown: unknown = JSON.parse(JSON.stringify(show()));
    expect(schema.parse(shown)).toEqual(shown);
  });

  it.each(VIEWS)('of %s names neither the tenant nor anything internal', (_what, _schema, show) => {
    const text = JSON.stringify(show());
    expect(text).not.toContain('secret');
    expect(text).not.toContain('"tenant"');
  });

  it.each(VIEWS)('of %s has instants in UTC', (_what, _schema, show) => {
    const instants = Object.entries(show()).filter(([name]) => /(^|_)at$|_after$/.test(name));
    for (const [name, value] of instants) expect([ISO, null], name).toContain(value);
  });
});

describe('a page', () => {
  it('shows each row, and where to go on', () => {
    const page = view.viewPage({ rows: [1, 2], next: 'there' }, (row) => ({ row }));
    expect(page).toEqual({ data: [{ row: 1 }, { row: 2 }], next_cursor: 'there' });
    expect(view.viewPage({ rows: [], next: null }, (row) => row)).toEqual({ data: [], next_cursor: null });
  });
});
