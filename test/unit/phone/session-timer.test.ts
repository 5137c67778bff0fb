import { describe, expect, it } from 'vitest';
import { tokensOf } from '../../../src/phone/capabilities.ts';
import { sessionTimerHeaders } from '../../../src/phone/session-timer.ts';
import { requestOf } from '../../support/phone-door/request.ts';

const knows = { Supported: 'replaces, timer' };

describe('sessionTimerHeaders', () => {
  const table: [string, Record<string, string>, string | undefined, boolean][] = [
    ['no timer asked', knows, undefined, false],
    ['nonsense', { ...knows, 'Session-Expires': 'soon' }, undefined, false],
    ['refresher open', { ...knows, 'Session-Expires': '600' }, '600;refresher=uac', true],
    ['caller refreshes', { ...knows, 'Session-Expires': '600;refresher=uac' }, '600;refresher=uac', true],
    ['we refresh', { ...knows, 'Session-Expires': '600 ; refresher=uas' }, '600;refresher=uas', false],
    ['longer than ours', { ...knows, 'Session-Expires': '7200' }, '1800;refresher=uac', true],
    [
      'a minimum above ours',
      { ...knows, 'Session-Expires': '7200', 'Min-SE': '3600' },
      '3600;refresher=uac',
      true,
    ],
    ['shorter than RFC 4028 allows', { ...knows, 'Session-Expires': '30' }, '90;refresher=uac', true],
    ['put in by a proxy', { 'Session-Expires': '600;refresher=uac' }, '600;refresher=uas', false],
    ['the short name', { ...knows, x: '600' }, '600;refresher=uac', true],
    ['required', { Require: 'timer', 'Session-Expires': '600' }, '600;refresher=uac', true],
  ];
  for (const [what, headers, expected, required] of table)
    it(`answers ${what} with ${expected ?? 'nothing'}`, () => {
      const answer = sessionTimerHeaders(requestOf({ headers }).request, 1800);
      expect(answer['Session-Expires']).toBe(expected);
      expect(answer['Require']).toBe(required ? 'timer' : undefined);
    });
});

describe('tokensOf', () => {
  it('splits, trims and lowers', () => {
    expect(tokensOf(' Timer ,100REL,, ')).toEqual(['timer', '100rel']);
    expect(tokensOf(undefined)).toEqual([]);
  });
});
