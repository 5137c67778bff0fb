import { describe, expect, it } from 'vitest';
import { ENDINGS, ending, reasonHeader, type EndingSlug } from '../../../src/base/ending.ts';

const slugs = Object.keys(ENDINGS) as EndingSlug[];

describe('the vocabulary of endings', () => {
  it.each(slugs)('%s has a status, a cause and words that fit its class', (slug) => {
    const end = ending(slug);
    expect(end.slug).toBe(slug);
    expect(end.q850).toBeGreaterThanOrEqual(1);
    expect(end.q850).toBeLessThanOrEqual(127);
    expect(end.text).not.toContain('"');
    if (end.class === 'success') expect(end.sipStatus).toBe(200);
    else expect(end.sipStatus).toBeGreaterThanOrEqual(400);
    if (end.class === 'client') expect(end.sipStatus).toBeLessThan(500);
  });

  it('keeps what was met beside the row, and no key when there is nothing', () => {
    expect(ending('unknown-number', '+15550199').detail).toBe('+15550199');
    expect(ending('unknown-number')).not.toHaveProperty('detail');
  });

  it('writes a Reason header as RFC 3326 has it', () => {
    expect(reasonHeader(ending('agent-hung-up'))).toBe('Q.850;cause=16;text="The agent finished the call"');
  });
});
