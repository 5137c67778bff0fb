import { describe, expect, it } from 'vitest';
import { permits, scope, type Scope } from '../../../../src/web/api/scopes.ts';

const SCOPES = scope.options;

describe('scopes', () => {
  it.each(SCOPES)('%s opens itself, and admin opens it', (one) => {
    expect(permits([one], one)).toBe(true);
    expect(permits(['admin'], one)).toBe(true);
    expect(permits([], one)).toBe(false);
  });

  it('open nothing but themselves', () => {
    for (const held of SCOPES.filter((one) => one !== 'admin'))
      for (const wanted of SCOPES) expect(permits([held], wanted), `${held} ${wanted}`).toBe(held === wanted);
  });

  it('to write do not let read, and the other way round', () => {
    for (const thing of ['contacts', 'messages', 'appointments', 'queues']) {
      expect(permits([`${thing}:write`], `${thing}:read` as Scope)).toBe(false);
      expect(permits([`${thing}:read`], `${thing}:write` as Scope)).toBe(false);
    }
  });

  it('that nobody knows any more open nothing', () => {
    for (const wanted of SCOPES) expect(permits(['root', '*', '', 'Admin', 'admin '], wanted)).toBe(false);
  });
});
