import { describe, expect, it } from 'vitest';
import {
  replayOf,
  sessionUpdate,
  type SessionSettings,
} from '../../../../src/agent/models/realtime/client-events.ts';
import {
  realtimeOverridesSchema,
  realtimeSettingsSchema,
  type RealtimeOverrides,
} from '../../../../src/agent/models/realtime/settings.ts';
import { responseUsage } from '../../../../src/agent/models/realtime/usage.ts';
import { settingsFor } from '../../../../src/agent/models/voice-socket/overrides.ts';
import { agentProfileSchema } from '../../../../src/agent/profile.ts';
import { modelUsage } from '../../../../src/agent/usage.ts';
import type { HistoryTurn } from '../../../../src/agent/voice-model.ts';
import { clientEventSchema } from '../../../support/realtime-server/client-schema.ts';
import { receptionist } from '../../../support/recorded-session.ts';

const defaults = realtimeSettingsSchema.parse({});

function sessionWith(
  overrides: RealtimeOverrides,
  more: Partial<SessionSettings> = {},
): ReturnType<typeof sessionUpdate>['session'] {
  const event = sessionUpdate({
    instructions: 'Be kind.',
    codec: 'pcmu',
    voice: 'marin',
    settings: settingsFor(defaults, overrides),
    endOfSpeechMs: 500,
    language: 'en',
    tools: [],
    ...more,
  });
  // Whatever is set, the server takes it.
  expect(clientEventSchema.parse(JSON.parse(JSON.stringify(event)))).toEqual(event);
  return event.session;
}

describe('the settings', () => {
  it('that are the vendor’s own are not sent', () => {
    expect(Object.keys(sessionWith({})).sort()).toEqual(
      ['audio', 'instructions', 'output_modalities', 'tool_choice', 'tools', 'type'].sort(),
    );
    expect(sessionWith({})).toMatchObject({ audio: { output: { voice: 'marin' } } });
  });

  it.each<[string, RealtimeOverrides, object]>([
    [
      'server turn detection',
      { vad_threshold: 0.7, vad_prefix_padding_ms: 100 },
      {
        audio: {
          input: {
            turn_detection: {
              type: 'server_vad',
              threshold: 0.7,
              prefix_padding_ms: 100,
              silence_duration_ms: 500,
              create_response: true,
              interrupt_response: false,
            },
          },
        },
      },
    ],
    [
      'semantic turn detection',
      { turn_detection: 'semantic', eagerness: 'high' },
      {
        audio: {
          input: {
            turn_detection: {
              type: 'semantic_vad',
              eagerness: 'high',
              create_response: true,
              interrupt_response: false,
            },
          },
        },
      },
    ],
    [
      'noise reduction',
      { noise_reduction: 'near_field' },
      { audio: { input: { noise_reduction: { type: 'near_field' } } } },
    ],
    [
      'transcription',
      { transcription_model: 'gpt-realtime-whisper', transcription_keywords: ['Harbour Clinic'] },
      {
        audio: {
          input: {
            transcription: { model: 'gpt-realtime-whisper', language: 'en', keywords: ['Harbour Clinic'] },
          },
        },
      },
    ],
    ['speed', { speed: 1.2 }, { audio: { output: { speed: 1.2 } } }],
    ['length', { max_output_tokens: 400 }, { max_output_tokens: 400 }],
    ['effort', { reasoning_effort: 'low' }, { reasoning: { effort: 'low' } }],
    ['no truncation', { truncation: 'disabled' }, { truncation: 'disabled' }],
    [
      'truncation',
      { truncation: 'retention', retention_ratio: 0.6, conversation_tokens_max: 8000 },
      {
        truncation: {
          type: 'retention_ratio',
          retention_ratio: 0.6,
          token_limits: { post_instructions: 8000 },
        },
      },
    ],
    [
      'truncation without a limit',
      { truncation: 'retention' },
      { truncation: { type: 'retention_ratio', retention_ratio: 0.8 } },
    ],
  ])('say %s', (_what, overrides, expected) => {
    expect(sessionWith(overrides)).toMatchObject(expected);
  });

  it('speak A-law where the phone does', () => {
    expect(sessionWith({}, { codec: 'pcma' })).toMatchObject({
      audio: { input: { format: { type: 'audio/pcma' } }, output: { format: { type: 'audio/pcma' } } },
    });
  });

  it('come from the profile where it has them', () => {
    const profile = agentProfileSchema.parse({
      ...receptionist,
      model: { adapter: 'realtime', realtime: { speed: 0.9 } },
    });
    expect(settingsFor(defaults, profile.model.realtime)).toEqual({ ...defaults, speed: 0.9 });
    expect(settingsFor(defaults, receptionist.model.realtime)).toEqual(defaults);
  });

  it.each([
    { speed: 9 },
    { max_output_tokens: 0 },
    { max_output_tokens: 'infinite' },
    { turn_detection: 'psychic' },
    { vad_threshold: 2 },
    { volume: 11 },
  ])('refuse %j', (overrides) => {
    expect(realtimeOverridesSchema.safeParse(overrides).success).toBe(false);
  });
});

describe('a conversation that is taken over', () => {
  const history: HistoryTurn[] = [
    { from: 'agent', text: 'How can I help?' },
    { from: 'caller', text: 'An appointment, please.' },
    { from: 'note', text: 'book_appointment gave {"ok":true}' },
    { from: 'agent', text: '' },
  ];

  it('is told turn by turn, each as what it was', () => {
    const events = replayOf(history);
    for (const event of events)
      expect(clientEventSchema.parse(JSON.parse(JSON.stringify(event)))).toEqual(event);
    expect(events.map((event) => event.item)).toEqual([
      { type: 'message', role: 'assistant', content: [{ type: 'output_text', text: 'How can I help?' }] },
      { type: 'message', role: 'user', content: [{ type: 'input_text', text: 'An appointment, please.' }] },
      {
        type: 'message',
        role: 'system',
        content: [{ type: 'input_text', text: 'book_appointment gave {"ok":true}' }],
      },
    ]);
  });
});

describe('usage', () => {
  it('of a response names its model and every kind of token', () => {
    const given = {
      total_tokens: 253,
      input_tokens: 132,
      output_tokens: 121,
      input_token_details: {
        text_tokens: 119,
        audio_tokens: 13,
        image_tokens: 0,
        cached_tokens: 64,
        cached_tokens_details: { text_tokens: 64, audio_tokens: 0, image_tokens: 0 },
      },
      output_token_details: { text_tokens: 30, audio_tokens: 91 },
    };
    expect(responseUsage('gpt-realtime-2.1', given)).toEqual({
      model: 'gpt-realtime-2.1',
      source: 'response',
      // Its session adds it.
      provider: '',
      inputTextTokens: 119,
      inputAudioTokens: 13,
      cachedTextTokens: 64,
      cachedAudioTokens: 0,
      outputTextTokens: 30,
      outputAudioTokens: 91,
      seconds: 0,
      characters: 0,
    });
  });

  it.each([
    {},
    { input_token_details: 7 },
    { output_token_details: { audio_tokens: 'many' } },
    { input: -1 },
  ])('of a vendor that gives %j is nothing, and no failure', (given) => {
    expect(responseUsage('m', given)).toEqual(modelUsage({ model: 'm', source: 'response' }));
  });
});
