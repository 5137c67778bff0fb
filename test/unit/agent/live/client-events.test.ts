import { describe, expect, it } from 'vitest';
import {
  audioFormat,
  commentary,
  note,
  responseCreate,
  sessionClose,
  sessionStart,
  thinking,
  toolOutput,
  type SessionSettings,
} from '../../../../src/agent/models/live/client-events.ts';
import { voiceInstructions } from '../../../../src/agent/models/live/instructions.ts';
import { append_chars_max, appends_max } from '../../../../src/agent/models/live/limits.ts';
import { backendUsage, SessionSeconds } from '../../../../src/agent/models/live/usage.ts';
import { modelUsage } from '../../../../src/agent/usage.ts';
import { liveClientEventSchema } from '../../../support/realtime-server/live/client-schema.ts';
import { receptionist } from '../../../support/recorded-session.ts';

const settings: SessionSettings = {
  model: 'gpt-live-1',
  voice: 'marin',
  codec: 'pcmu',
  instructions: 'Be kind.',
  backend: { type: 'client' },
  history: [],
};
const backend = {
  type: 'responses',
  model: 'm',
  instructions: 'Think.',
  reasoningEffort: 'default',
  tools: [{ type: 'function', name: 'book', description: 'Books.', parameters: { type: 'object' } }],
} as const satisfies object;

describe('what we say to a Live server', () => {
  it.each([
    sessionStart(settings),
    sessionStart({ ...settings, backend: { ...backend, tools: [...backend.tools] } }),
    sessionStart({
      ...settings,
      backend: { ...backend, tools: [], reasoningEffort: 'low' },
      history: [
        { from: 'agent', text: 'Hello.' },
        { from: 'caller', text: 'Hi.' },
        { from: 'note', text: 'It rains.' },
      ],
    }),
    ...commentary('Good morning.', null),
    ...commentary('Good morning.', 'dlg_1'),
    ...thinking('The caller sounds tired.', null),
    toolOutput('call_1', { ok: true }),
    toolOutput('call_1', undefined),
    note('[The caller pressed the keys 12]'),
    responseCreate(),
    sessionClose(),
  ])('is what the server takes: $type', (event) => {
    expect(liveClientEventSchema.parse(JSON.parse(JSON.stringify(event)))).toEqual(event);
  });

  it('starts with everything that cannot be changed later', () => {
    const { session } = sessionStart({ ...settings, codec: 'pcma' });
    expect(session).toEqual({
      model: 'gpt-live-1',
      instructions: 'Be kind.',
      audio: { format: { type: 'audio/pcma', rate: 8000 }, output: { voice: 'marin' } },
      delegation: { type: 'client' },
    });
    expect(audioFormat('pcmu')).toEqual({ type: 'audio/pcmu', rate: 8000 });
  });

  it('gives a backend at the vendor its model, words and tools', () => {
    const { session } = sessionStart({
      ...settings,
      backend: { ...backend, tools: [...backend.tools], reasoningEffort: 'high' },
    });
    expect(session.delegation).toEqual({
      type: 'responses',
      responses: {
        model: 'm',
        instructions: 'Think.',
        tools: backend.tools,
        reasoning: { effort: 'high' },
      },
    });
  });

  it('tells a conversation so far, each turn as what it was', () => {
    const { session } = sessionStart({
      ...settings,
      history: [
        { from: 'agent', text: 'Hello.' },
        { from: 'caller', text: 'Hi.' },
        { from: 'note', text: 'It rains.' },
      ],
    });
    expect(session.input).toEqual([
      { type: 'message', role: 'assistant', content: [{ type: 'output_text', text: 'Hello.' }] },
      { type: 'message', role: 'user', content: [{ type: 'input_text', text: 'Hi.' }] },
      { type: 'message', role: 'developer', content: [{ type: 'input_text', text: 'It rains.' }] },
    ]);
  });

  it('cuts long texts between words, and very long ones off', () => {
    const words = Array.from({ length: 400 }, (_, n) => `word${n}`).join(' ');
    const pieces = commentary(words, 'dlg_1');
    expect(pieces.length).toBeGreaterThan(2);
    for (const piece of pieces) {
      expect(piece.content.length).toBeLessThanOrEqual(append_chars_max);
      expect(piece.delegation_id).toBe('dlg_1');
    }
    expect(pieces.map((piece) => piece.content).join(' ')).toBe(words);
    expect(commentary('x'.repeat(append_chars_max * 100), null)).toHaveLength(appends_max);
    expect(commentary('   ', null)).toEqual([]);
  });

  it('cuts a text without spaces all the same', () => {
    const pieces = thinking('x'.repeat(append_chars_max + 1), null);
    expect(pieces.map((piece) => piece.content.length)).toEqual([append_chars_max, 1]);
  });

  it('tells the voice when to delegate, and the profile’s words', () => {
    const words = voiceInstructions(receptionist);
    expect(words).toContain('You are the receptionist of a clinic.');
    expect(words).toContain('book appointment');
    expect(words).toContain('Commentary');
    expect(voiceInstructions({ ...receptionist, prompt: '' })).not.toMatch(/^\n/);
  });
});

describe('usage', () => {
  it('of a session is told in increments, whatever the sum does', () => {
    const seconds = new SessionSeconds();
    const session = (more: number): object => modelUsage({ model: 'm', source: 'session', seconds: more });
    expect(seconds.upTo('m', 15)).toEqual(session(15));
    expect(seconds.upTo('m', 15)).toBeUndefined();
    expect(seconds.upTo('m', 31)).toEqual(session(16));
    expect(seconds.upTo('m', 7)).toBeUndefined();
    expect(seconds.upTo('m', 32.5)).toEqual(session(1.5));
  });

  it('of a backend is text', () => {
    const given = { input_tokens: 400, input_tokens_details: { cached_tokens: 300 }, output_tokens: 20 };
    expect(backendUsage('m', given)).toEqual(
      modelUsage({
        model: 'm',
        source: 'backend',
        inputTextTokens: 400,
        cachedTextTokens: 300,
        outputTextTokens: 20,
      }),
    );
    expect(backendUsage('m', { input_tokens: 'many' })).toEqual(
      modelUsage({ model: 'm', source: 'backend' }),
    );
  });
});
