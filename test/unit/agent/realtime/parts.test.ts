import { describe, expect, it } from 'vitest';
import { text_chars_max } from '../../../../src/agent/models/limits.ts';
import { realtimeUrl } from '../../../../src/agent/models/realtime/address.ts';
import {
  itemTruncate,
  note,
  responseCancel,
  responseCreate,
  sessionUpdate,
  toolOutput,
} from '../../../../src/agent/models/realtime/client-events.ts';
import { speakExactly } from '../../../../src/agent/models/realtime/instructions.ts';
import { items_max } from '../../../../src/agent/models/realtime/limits.ts';
import { receivedMs, Replies, Transcripts } from '../../../../src/agent/models/realtime/replies.ts';
import { realtimeSettingsSchema } from '../../../../src/agent/models/realtime/settings.ts';
import { clientEventSchema } from '../../../support/realtime-server/client-schema.ts';

describe('what we say', () => {
  it.each([
    sessionUpdate({
      instructions: 'Be kind.',
      codec: 'pcma',
      voice: 'marin',
      settings: realtimeSettingsSchema.parse({}),
      endOfSpeechMs: 500,
      language: 'en',
      tools: [{ type: 'function', name: 'book', description: 'Books.', parameters: { type: 'object' } }],
    }),
    responseCreate({ purpose: 'turn', tools: true }, 'create_1'),
    responseCreate({ purpose: 'say', instructions: 'Say hello.', tools: false }, 'create_2'),
    responseCancel('resp_1'),
    itemTruncate('item_1', 0, 120.9),
    toolOutput('call_1', { ok: true }),
    toolOutput('call_1', undefined),
    note('[The caller pressed the keys 1]'),
  ])('is what the server takes: $type', (event) => {
    expect(clientEventSchema.parse(JSON.parse(JSON.stringify(event)))).toEqual(event);
  });

  it('truncates at whole milliseconds, never beyond what was heard, never below zero', () => {
    expect(itemTruncate('i', 1, 120.9)).toMatchObject({ content_index: 1, audio_end_ms: 120 });
    expect(itemTruncate('i', 0, -5).audio_end_ms).toBe(0);
  });

  it('forbids tools where only words are wanted', () => {
    expect(responseCreate({ purpose: 'say', tools: false }, 'e').response?.tool_choice).toBe('none');
    expect(responseCreate({ purpose: 'tool', tools: true }, 'e').response).not.toHaveProperty('tool_choice');
  });
});

describe('the address', () => {
  it.each([
    ['https://api.openai.com/v1', 'wss://api.openai.com/v1/realtime?model=m'],
    ['http://127.0.0.1:8000/v1/', 'ws://127.0.0.1:8000/v1/realtime?model=m'],
    ['ws://[::1]:9/v1', 'ws://[::1]:9/v1/realtime?model=m'],
    ['wss://host/openai/v1?deployment=x', 'wss://host/openai/v1/realtime?deployment=x&model=m'],
  ])('%s becomes %s', (baseUrl, url) => {
    expect(realtimeUrl(baseUrl, 'm').href).toBe(url);
  });

  it('escapes the name of the model', () => {
    expect(realtimeUrl('ws://host/v1', 'a b&c').search).toBe('?model=a+b%26c');
  });
});

describe('replies', () => {
  it('know how much sound came, and which of a response are open', () => {
    const replies = new Replies();
    const one = replies.open('i1', 'r1');
    replies.open('i2', 'r2');
    one.bytes = 1640;
    expect(receivedMs(one)).toBe(205);
    expect(replies.openOf('r1')).toEqual([one]);
    one.ended = true;
    expect(replies.openOf('r1')).toEqual([]);
    expect(replies.get('i1')).toBe(one);
  });

  it('are forgotten, the oldest first', () => {
    const replies = new Replies();
    for (let index = 0; index <= items_max; index += 1) replies.open(`i${index}`, 'r');
    expect(replies.get('i0')).toBeUndefined();
    expect(replies.get('i1')).toBeDefined();
  });
});

describe('transcripts', () => {
  it('grow by deltas until they are finished', () => {
    const transcripts = new Transcripts();
    expect(transcripts.grow('a', 'to')).toBe('to');
    expect(transcripts.grow('b', 'x')).toBe('x');
    expect(transcripts.grow('a', 'morrow')).toBe('tomorrow');
    transcripts.finish('a');
    expect(transcripts.grow('a', 'new')).toBe('new');
  });

  it('stay within their limits', () => {
    const transcripts = new Transcripts();
    expect(transcripts.grow('a', 'x'.repeat(text_chars_max + 9))).toHaveLength(text_chars_max);
    for (let index = 0; index < items_max; index += 1) transcripts.grow(String(index), 'y');
    expect(transcripts.grow('a', 'z')).toBe('z');
  });
});

describe('instructions for one response', () => {
  it('quote words so that they cannot break out', () => {
    expect(speakExactly('Say "hi".\nNow')).toContain(String.raw`"Say \"hi\".\nNow"`);
  });
});
