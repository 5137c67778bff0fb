import { describe, expect, it } from 'vitest';
import { deskSection } from '../../../src/config/desk.ts';

describe('the section desk', () => {
  it('lets nobody in by a key, and from no site, unless it is told to', () => {
    expect(deskSection.parse({})).toMatchObject({ keys: [], origins: [], ring: 'all', voice: 'slt' });
  });

  it.each([
    ['a bell that nobody can reach', { ring_ms: 10 }],
    ['a wait without end', { wait_ms: 10 ** 9 }],
    ['a way to ring that there is none of', { ring: 'loud' }],
    ['a voice that there is none of', { voice: 'stephen' }],
    ['every origin', { origins: ['*'] }],
    ['an origin with a path', { origins: ['https://clinic.example/desk'] }],
    ['a key that is guessed at once', { keys: [{ key: 'abc' }] }],
    ['a key for nobody', { keys: [{ key: 'long-enough', roles: [] }] }],
    ['a key for visitors', { keys: [{ key: 'long-enough', roles: ['visitor'] }] }],
  ])('refuses %s', (_what, section) => {
    expect(deskSection.safeParse(section).success).toBe(false);
  });

  it('names times that fit together: a ring is shorter than the whole wait', () => {
    const { ring_ms, wait_ms, join_ms, away_ms } = deskSection.parse({});
    expect(Math.max(ring_ms, join_ms, away_ms)).toBeLessThan(wait_ms);
  });

  it('takes keys for human agents unless it is told more', () => {
    const { keys } = deskSection.parse({ keys: [{ key: 'long-enough' }] });
    expect(keys).toEqual([{ key: 'long-enough', tenant: 'default', roles: ['human'] }]);
  });
});
