import { describe, expect, it } from 'vitest';
import { costOf, type ModelPrice, type PriceTable } from '../../../src/agent/cost.ts';
import { modelUsage } from '../../../src/agent/usage.ts';

const FREE: ModelPrice = {
  text_in: 0,
  text_cached: 0,
  text_out: 0,
  audio_in: 0,
  audio_cached: 0,
  audio_out: 0,
  per_minute: 0,
  per_million_characters: 0,
};
const prices: PriceTable = {
  talker: {
    ...FREE,
    text_in: 4,
    text_cached: 0.4,
    text_out: 24,
    audio_in: 32,
    audio_cached: 0.4,
    audio_out: 64,
  },
  clock: { ...FREE, per_minute: 0.05 },
  speaker: { ...FREE, per_million_characters: 15 },
};

describe('costOf', () => {
  it('charges cached tokens at their own price: they are among those that were read', () => {
    // The response of the vendor's documentation: 132 read (64 from the cache), 121 written.
    const usage = modelUsage({
      model: 'talker',
      source: 'response',
      inputTextTokens: 119,
      inputAudioTokens: 13,
      cachedTextTokens: 64,
      outputTextTokens: 30,
      outputAudioTokens: 91,
    });
    const dollars = ((119 - 64) * 4 + 64 * 0.4 + 13 * 32 + 30 * 24 + 91 * 64) / 1e6;
    expect(costOf(usage, prices)).toBeCloseTo(dollars, 12);
    expect(dollars).toBeCloseTo(0.0072056, 9);
  });

  it('charges cached sound, seconds and characters', () => {
    const heard = { inputAudioTokens: 1000, cachedAudioTokens: 400 };
    expect(costOf(modelUsage({ model: 'talker', source: 'response', ...heard }), prices)).toBeCloseTo(
      (600 * 32 + 400 * 0.4) / 1e6,
      12,
    );
    expect(costOf(modelUsage({ model: 'clock', source: 'session', seconds: 90 }), prices)).toBeCloseTo(
      0.075,
      12,
    );
    expect(costOf(modelUsage({ model: 'speaker', source: 'speech', characters: 2000 }), prices)).toBeCloseTo(
      0.03,
      12,
    );
  });

  it('never charges less than nothing when a vendor counts oddly', () => {
    const odd = { inputTextTokens: 10, cachedTextTokens: 50 };
    expect(costOf(modelUsage({ model: 'talker', source: 'response', ...odd }), prices)).toBeCloseTo(
      50 * 0.4e-6,
      12,
    );
  });

  it('knows no price of a model that is not in the table', () => {
    expect(costOf(modelUsage({ model: 'unknown', source: 'response' }), prices)).toBeNull();
  });
});
