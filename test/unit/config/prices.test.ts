import { describe, expect, it } from 'vitest';
import { loadSettings, readEnvironment } from '../../../src/config.ts';
import { pricesSection } from '../../../src/config/prices.ts';

describe('the shipped prices', () => {
  const shipped = loadSettings(readEnvironment({})).config.prices;

  it('have a day, and a price for the models that ship as defaults', () => {
    expect(shipped.as_of).toMatch(/^\d{4}-\d\d-\d\d$/);
    expect(shipped.models['gpt-realtime-2.1']).toMatchObject({
      audio_in: 32,
      audio_cached: 0.4,
      audio_out: 64,
    });
    expect(shipped.models['gpt-live-transcribe']).toMatchObject({ per_minute: 0.017 });
  });

  it('are free as far as nothing is said', () => {
    const { models } = pricesSection.parse({ models: { own: { per_minute: 0.01 } } });
    expect(models['own']).toMatchObject({ per_minute: 0.01, text_in: 0, audio_out: 0 });
    expect(pricesSection.parse(undefined)).toEqual({ as_of: '', models: {} });
  });

  it.each([
    [{ as_of: 'yesterday' }],
    [{ models: { x: { text_in: -1 } } }],
    [{ models: { x: { text: 1 } } }],
    [{ currency: 'EUR' }],
  ])('refuse %j', (given) => expect(() => pricesSection.parse(given)).toThrow());
});
