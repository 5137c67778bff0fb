import type { ServerEvent as VendorEvent } from 'openai/resources/live/live';
import { describe, expect, it } from 'vitest';
import { KNOWN_TYPES, parseServerEvent } from '../../../../src/agent/models/live/server-events.ts';

/** The checker holds that every type we parse is one of the vendor's. */
const vendorTypes: readonly VendorEvent['type'][] = KNOWN_TYPES;

const session = { id: 'sess_1', status: 'active', model: 'gpt-live-1', expires_at: 1_764_000_000 } as const;

/** One whole event of each known type, as the vendor's types want it. */
const examples: VendorEvent[] = [
  { type: 'session.started', event_id: 'event_1', session },
  { type: 'session.output_audio.delta', delta: '////' },
  {
    type: 'session.input_transcript.delta',
    event_id: 'event_1',
    delta: 'Hey ',
    start_ms: 100,
    end_ms: 300,
  },
  {
    type: 'session.output_transcript.delta',
    event_id: 'event_1',
    delta: 'Good ',
    start_ms: 100,
    end_ms: 300,
  },
  {
    type: 'session.delegation.created',
    event_id: 'event_1',
    offset_ms: 4600,
    delegation: { id: 'dlg_1', type: 'delegation', target: 'client' },
  },
  {
    type: 'response.event',
    event_id: 'event_1',
    delegation_id: 'dlg_1',
    event: {
      type: 'response.output_item.done',
      item: { type: 'function_call', name: 'book', call_id: 'call_1', arguments: '{}' },
    },
  },
  { type: 'session.usage.updated', event_id: 'event_1', usage: { seconds: 15 } },
  { type: 'session.closed', event_id: 'event_1', reason: 'expired', session, usage: { seconds: 7200 } },
  {
    type: 'error',
    event_id: 'event_1',
    error: { type: 'invalid_request_error', code: 'unknown_parameter', message: 'No.' },
  },
];

describe('a Live server event', () => {
  it('of every known type has an example here', () => {
    expect(examples.map((event) => event.type).sort()).toEqual([...vendorTypes].sort());
  });

  it.each(examples)('$type is parsed, with the fields that we use and no others', (event) => {
    const parsed = parseServerEvent(JSON.stringify(event));
    expect(parsed.kind).toBe('known');
    if (parsed.kind !== 'known') return;
    expect(event).toMatchObject(parsed.event);
    expect(parsed.event).not.toHaveProperty('event_id');
  });

  it.each([
    ['session.output_audio.delta', { delta: 7 }, 'delta'],
    ['session.input_transcript.delta', { delta: 'x', start_ms: -1, end_ms: 0 }, 'start_ms'],
    ['session.delegation.created', { delegation: { id: '', target: 'client' } }, 'delegation.id'],
    ['session.usage.updated', { usage: { seconds: 'long' } }, 'usage.seconds'],
    ['response.event', { event: {} }, 'event.type'],
  ])('%s with a bad field is no event, and names the field', (type, fields, field) => {
    expect(parseServerEvent(JSON.stringify({ type, ...fields }))).toEqual({
      kind: 'not-an-event',
      reason: `${type}: bad field "${field}"`,
    });
  });

  it.each(['session.commentary.appended', 'info', 'transport.dtmf.received', 'decision.event', '__proto__'])(
    '%s is well-formed and of no use to us',
    (type) => {
      expect(parseServerEvent(JSON.stringify({ type }))).toEqual({ kind: 'unknown', type });
    },
  );

  it.each(['', 'null', '[]', '{}', '{"type":7}', '{"type":""}'])('%j is no event', (message) => {
    expect(parseServerEvent(message).kind).toBe('not-an-event');
  });
});
