/** What every queue takes, and what it refuses: on both ends, by the same schema. */
import { describe, expect, it } from 'vitest';
import { unwrap, wrap } from '../../../src/jobs/envelope.ts';
import { QUEUES, type QueueName } from '../../../src/jobs/queues.ts';

const AT = '2026-11-26T10:00:00.000Z';

const opened = {
  ...{ type: 'opened', startedAt: AT, source: 'phone', sipCallId: 's', trunk: 't', profile: 'p' },
  ...{ from: '+15550100', to: '+15550199' },
};
const closed = {
  ...{ type: 'closed', endedAt: AT, durationMs: 9000, ending: 'caller-hung-up', endingClass: 'success' },
  ...{ detail: null, media: { mos: 4.3 } },
};
const said = { type: 'said', atMs: 5, text: 'Hello.', heardMs: 800, interrupted: false, responseMs: null };

function batch(...words: object[]): object {
  const entries = words.map((word, index) => ({ seq: index + 1, callId: 'call_1', run: 'run_1', word }));
  return { type: 'words', gateway: 'gw_1', entries };
}

const TAKEN: readonly [QueueName, string, unknown][] = [
  ['transcripts', 'the whole of a call', batch(opened, { type: 'fact', index: 0, fact: said }, closed)],
  [
    'transcripts',
    'a visit, which has no leg',
    batch({ ...opened, source: 'web' }, { ...closed, media: null }),
  ],
  [
    'transcripts',
    'facts of kinds that this version does not know',
    batch({ type: 'fact', index: 3, fact: { type: 'transferred', atMs: 7, to: 'desk' } }),
  ],
  [
    'transcripts',
    'what a model used',
    batch({
      type: 'usage',
      index: 0,
      at: AT,
      kind: 'model',
      provider: 'x',
      model: 'm',
      units: { tokens: 5 },
    }),
  ],
  ['transcripts', 'the end of a life of the gateway', { type: 'run-over', gateway: 'gw_1', run: 'run_1' }],
  ['crm', 'the end of a call', { type: 'call-ended', callId: 'call_1' }],
  [
    'crm',
    'a contact',
    { type: 'contact', callId: 'call_1', e164: '+15550123', name: 'Ada', attributes: { vip: true } },
  ],
  [
    'crm',
    'a contact of no call',
    { type: 'contact', callId: null, e164: '+15550123', email: 'ada@example.org' },
  ],
  ['sms', 'a text', { callId: 'call_1', to: '+15550123', body: 'See you.' }],
  ['sms', 'a template', { callId: null, to: '+15550123', template: 'reminder', values: { day: 'Tuesday' } }],
  ['calendar', 'an appointment', { type: 'sync', appointmentId: 'appointment_1' }],
  ['calendar', 'a booking that nobody waited for', { type: 'withdraw', attemptId: 'attempt_1' }],
  ['webhooks', 'an event', { eventId: 'event_1', type: 'call.ended', at: AT, data: { callId: 'call_1' } }],
  [
    'audit',
    'an act',
    { at: AT, actor: 'operator', action: 'call.ended', target: 'call_1', detail: { why: 'x' } },
  ],
];

const REFUSED: readonly [QueueName, string, unknown][] = [
  ['transcripts', 'nothing', batch()],
  ['transcripts', 'more than one batch may hold', batch(...Array.from({ length: 501 }, () => opened))],
  ['transcripts', 'the end of nothing', { type: 'run-over', gateway: 'gw_1' }],
  ['transcripts', 'a word that is none', batch({ type: 'sung', index: 0 })],
  ['transcripts', 'a fact without its time', batch({ type: 'fact', index: 0, fact: { type: 'said' } })],
  ['transcripts', 'a place before the first', batch({ type: 'fact', index: -1, fact: said })],
  ['transcripts', 'a length that runs backwards', batch({ ...closed, durationMs: -1 })],
  ['transcripts', 'a time that is none', batch({ ...opened, startedAt: 'now' })],
  ['transcripts', 'an endless text', batch({ ...opened, from: 'x'.repeat(20_001) })],
  ['crm', 'a contact without a number', { type: 'contact', callId: null, e164: 'anonymous' }],
  ['crm', 'a number that is not international', { type: 'contact', callId: null, e164: '5550123' }],
  ['crm', 'an address that is none', { type: 'contact', callId: null, e164: '+15550123', email: 'ada' }],
  ['crm', 'another kind', { type: 'deal', callId: 'call_1' }],
  ['crm', 'a key that nobody knows', { type: 'call-ended', callId: 'call_1', urgent: true }],
  ['sms', 'nobody', { callId: null, to: '', body: 'x' }],
  ['sms', 'a text that no phone takes', { callId: null, to: '+15550123', body: 'x'.repeat(1601) }],
  ['sms', 'a value that is no text', { callId: null, to: '+15550123', template: 't', values: { n: 1 } }],
  ['calendar', 'no appointment', { type: 'sync', appointmentId: '' }],
  ['webhooks', 'a name that is none', { eventId: 'e', type: 'Call Ended!', at: AT, data: {} }],
  ['webhooks', 'data that is no object', { eventId: 'e', type: 'call.ended', at: AT, data: [] }],
  ['audit', 'nobody who did it', { at: AT, actor: '', action: 'x' }],
];

describe('a queue', () => {
  it.each(TAKEN)('%s takes %s', (queue, _what, data) => {
    const parsed = QUEUES[queue].payload.safeParse(data);
    expect(parsed.error?.issues).toBeUndefined();
    const envelope = wrap(queue, { tenant: 'acme', key: 'k', data: data as never });
    expect(unwrap(queue, JSON.parse(JSON.stringify(envelope))).data).toEqual(parsed.data);
  });

  it.each(REFUSED)('%s refuses %s', (queue, _what, data) => {
    expect(QUEUES[queue].payload.safeParse(data).success).toBe(false);
    const give = (): unknown => wrap(queue, { tenant: 'acme', key: 'k', data: data as never });
    expect(give).toThrow(/JOB_PAYLOAD_INVALID/);
    const take = (): unknown => unwrap(queue, { v: 1, tenant: 'acme', key: 'k', at: AT, data });
    expect(take).toThrow(/JOB_PAYLOAD_INVALID/);
  });

  it('transcripts takes what version 1 put there: words of a run without a name', () => {
    const words = [{ seq: 1, callId: 'call_1', word: closed }];
    const envelope = { v: 1, tenant: 'acme', key: 'k', at: AT, data: { gateway: 'gw_1', entries: words } };
    const entries = [{ ...words[0], run: '' }];
    expect(unwrap('transcripts', envelope).data).toEqual({ type: 'words', gateway: 'gw_1', entries });
    expect(() => unwrap('transcripts', { ...envelope, v: 2 })).toThrow(/JOB_PAYLOAD_INVALID/);
  });

  it('has something to take for every name', () => {
    expect(new Set(TAKEN.map(([queue]) => queue))).toEqual(new Set(Object.keys(QUEUES)));
  });
});
