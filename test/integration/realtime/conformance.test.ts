/**
 * Every event that the adapters send and every event that the local server says, held against the vendor's
 * own types; and recorded streams replayed.
 */
import { describe, expect, it } from 'vitest';
import {
  commentary,
  note as liveNote,
  responseCreate as liveCreate,
  sessionClose,
  sessionStart,
  thinking,
  toolOutput as liveToolOutput,
} from '../../../src/agent/models/live/client-events.ts';
import { parseServerEvent as parseLive } from '../../../src/agent/models/live/server-events.ts';
import {
  itemTruncate,
  note,
  replayOf,
  responseCancel,
  responseCreate,
  sessionUpdate,
  toolOutput,
} from '../../../src/agent/models/realtime/client-events.ts';
import { parseServerEvent as parseRealtime } from '../../../src/agent/models/realtime/server-events.ts';
import { realtimeSettingsSchema } from '../../../src/agent/models/realtime/settings.ts';
import { recordedStream } from '../../support/realtime-server/fixtures.ts';
import { complaintsOf, type Checked } from '../../support/vendor-types.ts';

const realtime = 'openai/resources/realtime/realtime';
const live = 'openai/resources/live/live';
const parsedOf = (stream: readonly string[]): unknown[] => stream.map((line) => JSON.parse(line) as unknown);

const history = [
  { from: 'caller', text: 'Hi.' },
  { from: 'agent', text: 'Hello.' },
  { from: 'note', text: 'It rains.' },
] as const;
const tools = [
  { type: 'function' as const, name: 'book', description: 'Books.', parameters: { type: 'object' } },
];
const settings = {
  instructions: 'Be kind.',
  codec: 'pcmu',
  voice: 'marin',
  endOfSpeechMs: 500,
  language: 'en',
  tools,
} as const;

const sentByRealtime: unknown[] = [
  sessionUpdate({ ...settings, tools, settings: realtimeSettingsSchema.parse({}) }),
  sessionUpdate({
    ...settings,
    tools,
    codec: 'pcma',
    settings: realtimeSettingsSchema.parse({
      turn_detection: 'semantic',
      noise_reduction: 'far_field',
      transcription_keywords: ['Harbour'],
      speed: 1.1,
      max_output_tokens: 400,
      reasoning_effort: 'low',
      truncation: 'retention',
      conversation_tokens_max: 8000,
    }),
  }),
  responseCreate({ purpose: 'say', instructions: 'Say hello.', tools: false }, 'create_1'),
  responseCancel('resp_1'),
  itemTruncate('item_1', 0, 100),
  toolOutput('call_1', { ok: true }),
  note('A note.'),
  ...replayOf(history),
  { type: 'input_audio_buffer.append', audio: '////' },
];

const backend = {
  type: 'responses',
  model: 'm',
  instructions: 'Think.',
  tools,
  reasoningEffort: 'low',
} as const;
const start = { model: 'm', voice: 'marin', codec: 'pcmu', instructions: 'Be kind.', history } as const;
const sentByLive: unknown[] = [
  sessionStart({ ...start, backend: { type: 'client' } }),
  sessionStart({ ...start, backend: { ...backend, tools } }),
  ...commentary('Hello.', 'dlg_1'),
  ...thinking('Hm.', null),
  liveToolOutput('call_1', { ok: true }),
  liveNote('A note.'),
  liveCreate(),
  sessionClose(),
  { type: 'session.input_audio.append', audio: '////' },
];

describe('the vendor’s types', () => {
  const checked: Checked[] = [
    { type: 'RealtimeClientEvent', module: realtime, values: sentByRealtime },
    { type: 'ClientEvent', module: live, values: sentByLive },
    { type: 'RealtimeServerEvent', module: realtime, values: parsedOf(recordedStream('realtime')) },
    { type: 'ServerEvent', module: live, values: parsedOf(recordedStream('live')) },
  ];

  it(
    'hold for all that we send, and all that the local server said in whole bookings',
    { timeout: 120_000 },
    () => {
      expect(complaintsOf(checked)).toEqual([]);
    },
  );

  it('do not hold for what is missing, wrong or unknown', { timeout: 120_000 }, () => {
    const values = [
      { type: 'response.cancel', mood: 'bad' },
      { type: 'response.explode' },
      { type: 'conversation.item.delete' },
      { type: 'input_audio_buffer.append', audio: 7 },
    ];
    const complaints = complaintsOf([{ type: 'RealtimeClientEvent', module: realtime, values }]);
    expect(complaints).toHaveLength(values.length);
  });
});

describe('a recorded stream', () => {
  it.each([
    ['realtime', parseRealtime],
    ['live', parseLive],
  ] as const)('of %s has no message that is no event, and all kinds that matter', (protocol, parse) => {
    const kinds = new Map<string, number>();
    for (const line of recordedStream(protocol)) {
      const parsed = parse(line);
      expect(parsed.kind, line).not.toBe('not-an-event');
      if (parsed.kind === 'known') kinds.set(parsed.event.type, (kinds.get(parsed.event.type) ?? 0) + 1);
    }
    const wanted =
      protocol === 'realtime'
        ? ['response.output_audio.delta', 'response.done', 'response.output_item.done', 'rate_limits.updated']
        : [
            'session.output_audio.delta',
            'session.input_transcript.delta',
            'response.event',
            'session.closed',
          ];
    for (const type of wanted) expect(kinds.get(type) ?? 0, type).toBeGreaterThan(0);
  });
});
