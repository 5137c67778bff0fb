import { describe, expect, it } from 'vitest';
import { grantFor, isOriginAllowed, type Entry } from '../../../src/web/access.ts';
import { findByKey } from '../../../src/web/keys.ts';
import { Tokens } from '../../../src/web/tokens.ts';

const keys = [
  {
    key: 'clinic-key',
    tenant: 'clinic',
    origins: ['https://clinic.test', 'https://www.clinic.test'],
    profiles: ['receptionist'],
  },
  { key: 'shop-key', tenant: 'shop', origins: ['https://shop.test'], profiles: ['sales', 'help'] },
];
const tokens = new Tokens({ secret: '' });

function enter(entry: Entry, origin?: string): ReturnType<typeof grantFor> {
  return grantFor(entry, origin, { keys, tokens });
}

describe('the origin of a page', () => {
  it.each([
    ['https://clinic.test', true],
    ['https://shop.test', true],
    [undefined, true],
    ['https://clinic.test:8443', false],
    ['http://clinic.test', false],
    ['https://clinic.test.evil.test', false],
    ['https://evil.test', false],
    ['null', false],
    ['', false],
  ])('%s: allowed %s', (origin, allowed) => {
    expect(isOriginAllowed(origin, keys)).toBe(allowed);
  });
});

describe('a widget key', () => {
  it('makes a visitor of its tenant who may speak and hear', async () => {
    expect(await enter({ widgetKey: 'shop-key', profile: 'help' }, 'https://shop.test')).toEqual({
      tenant: 'shop',
      role: 'visitor',
      permissions: ['publish', 'hear'],
      profile: 'help',
    });
  });

  it.each([
    ['is unknown', { widgetKey: 'shop-kez', profile: 'help' }, 'https://shop.test'],
    ['is a part of one', { widgetKey: 'shop', profile: 'help' }, 'https://shop.test'],
    ['is empty', { widgetKey: '', profile: 'help' }, 'https://shop.test'],
    ["is another site's", { widgetKey: 'shop-key', profile: 'help' }, 'https://clinic.test'],
    ['comes from no site', { widgetKey: 'shop-key', profile: 'help' }, undefined],
    ['is for other profiles', { widgetKey: 'shop-key', profile: 'receptionist' }, 'https://shop.test'],
  ])('that %s is refused', async (_what, entry, origin) => {
    await expect(enter(entry, origin)).rejects.toMatchObject({ code: 'WEB_KEY_INVALID' });
  });
});

describe('a token', () => {
  it('says itself what it grants, whatever the page', async () => {
    const grant = { tenant: 'clinic', role: 'observer', permissions: ['hear'], roomId: 'call_1' } as const;
    const token = await tokens.mint(grant, 60);
    expect(await enter({ token })).toEqual(grant);
    expect(await enter({ token }, 'https://shop.test')).toEqual(grant);
  });

  it('that is none is refused', async () => {
    await expect(enter({ token: 'x' })).rejects.toMatchObject({ code: 'WEB_TOKEN_INVALID' });
  });
});

describe('a key among many', () => {
  const entries = Array.from({ length: 20 }, (_, index) => ({ key: `key-${index}`, index }));

  it('is found wherever it stands', () => {
    for (const entry of entries) expect(findByKey(entries, entry.key)).toBe(entry);
  });

  it.each(['key-20', 'key-', 'KEY-1', 'key-1 ', '', 'x'.repeat(10_000)])('is not found for %j', (given) => {
    expect(findByKey(entries, given)).toBeUndefined();
  });

  it('is not found where there are none', () => {
    expect(findByKey<{ key: string }>([], 'key-1')).toBeUndefined();
  });
});
