import { describe, expect, it } from 'vitest';
import { transcriptionUsage } from '../../../../src/agent/models/openai-usage.ts';
import { modelUsage } from '../../../../src/agent/usage.ts';

describe('usage', () => {
  it('of a transcript is seconds, or tokens', () => {
    expect(transcriptionUsage('m', { type: 'duration', seconds: 1.9 })).toEqual(
      modelUsage({ model: 'm', source: 'transcription', seconds: 1.9 }),
    );
    const tokens = {
      type: 'tokens',
      output_tokens: 9,
      input_token_details: { text_tokens: 2, audio_tokens: 13 },
    };
    expect(transcriptionUsage('m', tokens)).toEqual(
      modelUsage({
        model: 'm',
        source: 'transcription',
        inputTextTokens: 2,
        inputAudioTokens: 13,
        outputTextTokens: 9,
      }),
    );
  });

  it.each([{}, { input_token_details: 7 }, { seconds: 'many' }, { output_tokens: -1 }])(
    'of a transcription by a vendor that gives %j is nothing, and no failure',
    (given) => {
      expect(transcriptionUsage('m', given)).toEqual(modelUsage({ model: 'm', source: 'transcription' }));
    },
  );
});
