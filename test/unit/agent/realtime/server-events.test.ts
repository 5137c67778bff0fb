import type { RealtimeServerEvent, RealtimeSessionCreateRequest } from 'openai/resources/realtime/realtime';
import { describe, expect, it } from 'vitest';
import { KNOWN_TYPES, parseServerEvent } from '../../../../src/agent/models/realtime/server-events.ts';

/** The checker holds that every type we parse is one of the vendor's. */
const vendorTypes: readonly RealtimeServerEvent['type'][] = KNOWN_TYPES;

const ids = {
  event_id: 'event_1',
  response_id: 'resp_1',
  item_id: 'item_1',
  output_index: 0,
  content_index: 0,
};

/** One whole event of each known type, as the vendor's types want it. */
const examples: RealtimeServerEvent[] = [
  {
    type: 'session.created',
    event_id: 'event_1',
    session: { type: 'realtime', expires_at: 1_756_324_625 } as RealtimeSessionCreateRequest,
  },
  { type: 'session.updated', event_id: 'event_1', session: { type: 'realtime' } },
  {
    type: 'error',
    event_id: 'event_1',
    error: { type: 'invalid_request_error', code: null, message: 'No.', param: null, event_id: 'create_1' },
  },
  { type: 'input_audio_buffer.speech_started', event_id: 'event_1', item_id: 'item_1', audio_start_ms: 7 },
  { type: 'input_audio_buffer.committed', event_id: 'event_1', item_id: 'item_1', previous_item_id: null },
  {
    type: 'conversation.item.input_audio_transcription.delta',
    event_id: 'event_1',
    item_id: 'item_1',
    content_index: 0,
    delta: 'Hey',
  },
  {
    type: 'conversation.item.input_audio_transcription.completed',
    event_id: 'event_1',
    item_id: 'item_1',
    content_index: 0,
    transcript: 'Hey.',
    usage: { type: 'tokens', total_tokens: 22, input_tokens: 13, output_tokens: 9 },
  },
  {
    type: 'conversation.item.input_audio_transcription.failed',
    event_id: 'event_1',
    item_id: 'item_1',
    content_index: 0,
    error: { type: 'transcription_error', code: 'audio_unintelligible', message: 'No.' },
  },
  {
    type: 'response.created',
    event_id: 'event_1',
    response: { id: 'resp_1', status: 'in_progress', metadata: { purpose: 'say' } },
  },
  {
    type: 'response.output_item.added',
    event_id: 'event_1',
    response_id: 'resp_1',
    output_index: 0,
    item: { id: 'item_1', type: 'message', role: 'assistant', content: [] },
  },
  {
    type: 'response.output_item.done',
    event_id: 'event_1',
    response_id: 'resp_1',
    output_index: 0,
    item: { id: 'item_1', type: 'function_call', name: 'book', call_id: 'call_1', arguments: '{}' },
  },
  { type: 'response.output_audio.delta', ...ids, delta: '////' },
  { type: 'response.output_audio_transcript.delta', ...ids, delta: 'Good' },
  { type: 'response.output_audio_transcript.done', ...ids, transcript: 'Good morning.' },
  {
    type: 'response.done',
    event_id: 'event_1',
    response: {
      id: 'resp_1',
      status: 'failed',
      status_details: { type: 'failed', error: { type: 'server_error', code: 'overloaded' } },
      usage: { total_tokens: 253, input_tokens: 132, output_tokens: 121 },
    },
  },
  {
    type: 'rate_limits.updated',
    event_id: 'event_1',
    rate_limits: [{ name: 'tokens', limit: 50_000, remaining: 49_950, reset_seconds: 0.5 }],
  },
];

describe('a server event', () => {
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

  it.each(examples)('$type without one of its ids is no event', (event) => {
    const broken = JSON.stringify(event)
      .replaceAll('"item_id":"item_1"', '"item_id":""')
      .replaceAll('"id":"resp_1"', '"id":7')
      .replaceAll('"response_id":"resp_1"', '"response_id":null');
    const parsed = parseServerEvent(broken);
    const hasId = broken !== JSON.stringify(event);
    expect(parsed.kind).toBe(hasId ? 'not-an-event' : 'known');
  });

  it('keeps the whole usage, whatever the vendor adds to it', () => {
    const usage = { total_tokens: 1, holograms: 7 };
    const parsed = parseServerEvent(
      JSON.stringify({ type: 'response.done', response: { id: 'r', status: 'completed', usage } }),
    );
    expect(parsed).toMatchObject({ kind: 'known', event: { response: { usage } } });
  });

  it.each(['input_audio_buffer.speech_stopped', 'response.hologram.delta', 'constructor', '__proto__'])(
    '%s is well-formed and of no use to us',
    (type) => {
      expect(parseServerEvent(JSON.stringify({ type }))).toEqual({ kind: 'unknown', type });
    },
  );

  it.each(['', 'hello', 'null', '7', '[]', '{}', '{"type":7}', '{"type":""}', '"response.done"'])(
    '%j is no event',
    (message) => {
      expect(parseServerEvent(message).kind).toBe('not-an-event');
    },
  );

  it('names the field that is wrong', () => {
    expect(parseServerEvent('{"type":"response.done","response":{"id":"r","status":"exploded"}}')).toEqual({
      kind: 'not-an-event',
      reason: 'response.done: bad field "response.status"',
    });
  });

  it('never throws, however it was damaged', () => {
    // A linear congruential generator, so that a failure can be repeated.
    let seed = 20_261_123;
    const random = (below: number): number => {
      seed = (Math.imul(seed, 1_103_515_245) + 12_345) & 0x7fffffff;
      return seed % below;
    };
    const kinds = { known: 0, unknown: 0, 'not-an-event': 0 };
    for (let round = 0; round < 20_000; round += 1) {
      const text = Array.from(JSON.stringify(examples[random(examples.length)]));
      for (let wound = random(4); wound >= 0; wound -= 1)
        text.splice(random(text.length), random(3), String.fromCharCode(random(128)));
      kinds[parseServerEvent(text.join('')).kind] += 1;
    }
    for (const count of Object.values(kinds)) expect(count).toBeGreaterThan(100);
  });
});
