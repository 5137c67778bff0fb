import { describe, expect, it } from 'vitest';
import { pipelineSettingsSchema } from '../../../src/agent/models/pipeline/settings.ts';
import { pipelineSection, pipelineSettings } from '../../../src/config/pipeline.ts';

const openai = { baseUrl: 'https://api.openai.com/v1', apiKey: 'sk-test' };
const settings = (section: object) => pipelineSettings(pipelineSection.parse(section), openai);

describe('the section pipeline', () => {
  it('left out is OpenAI for every stage', () => {
    const { transcription, chat, speech } = pipelineSettingsSchema.parse(settings({}));
    for (const { servers } of [transcription, chat, speech]) expect(servers).toMatchObject([openai]);
    expect(speech.servers[0]).toMatchObject({ format: 'pcm', sampleRateHz: 24_000 });
  });

  it('never sends OpenAI’s key to another address', () => {
    const own = { base_url: 'http://10.0.0.7:8000/v1' };
    const { chat } = settings({
      chat: { servers: [own, { ...own, api_key: 'mine' }, { api_key: 'other' }] },
    });
    expect(chat.servers.map(({ baseUrl, apiKey }) => [baseUrl, apiKey])).toEqual([
      [own.base_url, ''],
      [own.base_url, 'mine'],
      [openai.baseUrl, 'other'],
    ]);
  });

  it('passes on what a server wants besides', () => {
    const extra = { chat_template_kwargs: { enable_thinking: false }, temperature: 0.2 };
    expect(settings({ chat: { servers: [{ model: 'qwen', extra }] } }).chat.servers[0]).toMatchObject({
      extra,
    });
  });

  it.each([
    [{ chat: { servers: [] } }],
    [{ chat: { servers: [{ base_url: 'ws://host/v1' }] } }],
    [{ chat: { servers: [{ base_url: 'host:8000' }] } }],
    [{ chat: { servers: [{ model: '' }] } }],
    [{ speech: { servers: [{ format: 'mp3' }] } }],
    [{ speech: { servers: [{ sample_rate_hz: 4000 }] } }],
    [{ transcription: { timeout_ms: 1 } }],
    [{ breaker: { failures_max: 0 } }],
    [{ surprise: 1 }],
  ])('refuses %j', (section) => {
    expect(pipelineSection.safeParse(section).success).toBe(false);
  });
});
