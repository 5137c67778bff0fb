import { describe, expect, it } from 'vitest';
import { Routes } from '../../../src/phone/routing.ts';
import { numberKey, tagOf, uriOf, userOf } from '../../../src/phone/sip-uri.ts';

describe('uriOf', () => {
  const table: [string, string][] = [
    ['<sip:a@b>;tag=1', 'sip:a@b'],
    ['"A <x> \\" B" <sip:a@b>', 'sip:a@b'],
    ['sip:a@b;tag=1', 'sip:a@b'],
    ['Alice <sip:a@b;user=phone>', 'sip:a@b;user=phone'],
    ['<sip:a@b', 'sip:a@b'],
    ['"never closed <sip:a@b>', '"never closed <sip:a@b>'],
    ['', ''],
  ];
  for (const [header, uri] of table)
    it(`of ${header || 'nothing'}`, () => {
      expect(uriOf(header)).toBe(uri);
    });
});

describe('tagOf', () => {
  const table: [string, string | undefined][] = [
    ['<sip:a@b>;tag=x1', 'x1'],
    ['<sip:a@b>; Tag = x1 ;p=q', 'x1'],
    ['sip:a@b;tag=x1', 'x1'],
    ['<sip:a@b;tag=inside>', undefined],
    ['<sip:a@b>', undefined],
  ];
  for (const [header, tag] of table)
    it(`of ${header}`, () => {
      expect(tagOf(header)).toBe(tag);
    });
});

describe('userOf', () => {
  const table: [string, string][] = [
    ['sip:+15550100@gw', '+15550100'],
    ['sips:+15550100:secret@gw:5061;transport=tls', '+15550100'],
    ['sip:%2B15550100@gw', '+15550100'],
    ['sip:5550100;npdi;rn=1@gw;user=phone', '5550100'],
    ['tel:+1-555-0100;phone-context=example.com', '+1-555-0100'],
    ['SIP:A@gw', 'A'],
    ['sip:gw', ''],
    ['sip:%zz@gw', '%zz'],
    ['mailto:a@b', ''],
    ['', ''],
  ];
  for (const [uri, user] of table)
    it(`of ${uri || 'nothing'}`, () => {
      expect(userOf(uri)).toBe(user);
    });
});

describe('numberKey', () => {
  it('is the same for all ways to write a number', () => {
    for (const text of ['+15550100', '15550100', '0015550100', '+1 (555) 0100', '1.555.0100', '1-555-0100'])
      expect(numberKey(text)).toBe('15550100');
  });

  it('leaves short numbers, feature codes and names alone', () => {
    expect(['0011', '*72', '#9', 'Alice', '+alice'].map(numberKey)).toEqual([
      '0011',
      '*72',
      '#9',
      'alice',
      '+alice',
    ]);
  });
});

describe('routes', () => {
  const line = (number: string): { number: string; tenant: string; profile: string } => ({
    number,
    tenant: 'default',
    profile: number,
  });
  const routes = new Routes([line('+15550100'), line('100'), line('0015550100')]);
  const find = (requestUri: string, to = '<sip:nobody@gw>'): string | undefined =>
    routes.find({ requestUri, to })?.number;

  const table: [string, string | undefined, string?][] = [
    ['sip:+15550100@gw', '+15550100'],
    ['sip:15550100@gw', '+15550100'],
    ['sip:0015550100@gw', '+15550100'],
    ['tel:+1-555-0100', '+15550100'],
    ['sip:100@gw', '100'],
    ['sip:trunk-account@gw', '+15550100', '<sip:+15550100@gw>;tag=1'],
    ['sip:100@gw', '100', '<sip:+15550100@gw>'],
    ['sip:5550100@gw', undefined],
    ['sip:gw', undefined],
  ];
  for (const [uri, number, to] of table)
    it(`${uri}${to === undefined ? '' : ` to ${to}`} reach ${number ?? 'nobody'}`, () => {
      expect(find(uri, to)).toBe(number);
    });
});
