import { describe, expect, it } from 'vitest';
import { Network, addressBytes } from '../../../src/phone/networks.ts';
import type { TrunkConfig } from '../../../src/phone/settings.ts';
import { Trunks, realmOf } from '../../../src/phone/trunks.ts';
import { LOCAL_TRUNK } from '../../support/phone-door/stage.ts';

const trunk = (name: string, allow: string[], auth?: TrunkConfig['auth']): TrunkConfig => ({
  ...LOCAL_TRUNK,
  name,
  allow,
  auth,
});

describe('networks', () => {
  const table: [string, string, boolean][] = [
    ['192.0.2.0/24', '192.0.2.255', true],
    ['192.0.2.0/24', '192.0.3.0', false],
    ['192.0.2.128/25', '192.0.2.127', false],
    ['192.0.2.7', '192.0.2.7', true],
    ['192.0.2.7', '192.0.2.8', false],
    ['0.0.0.0/0', '203.0.113.9', true],
    ['0.0.0.0/0', '2001:db8::1', false],
    ['2001:db8::/32', '2001:db8:ffff::1', true],
    ['2001:db8::/32', '2001:db9::1', false],
    ['2001:db8::/33', '2001:db8:8000::1', false],
    ['::/0', '2001:db8::1', true],
    ['::1', '::1', true],
    ['192.0.2.0/24', '::ffff:192.0.2.9', true],
    ['::ffff:192.0.2.0/120', '192.0.2.9', true],
    ['fe80::/10', 'fe80::1%eth0', true],
    ['2001:db8::1:0:0:1', '2001:db8:0:0:1:0:0:1', true],
  ];
  for (const [network, address, expected] of table)
    it(`${network} ${expected ? 'holds' : 'does not hold'} ${address}`, () => {
      const bytes = addressBytes(address);
      expect(bytes).toBeDefined();
      expect(new Network(network).has(bytes ?? [])).toBe(expected);
    });

  it('are no names', () => {
    expect(addressBytes('example.org')).toBeUndefined();
    expect(addressBytes('')).toBeUndefined();
    expect(() => new Network('example.org/24')).toThrow(TypeError);
  });
});

describe('trunks', () => {
  it('are found by the most specific network, whatever their order', () => {
    const wide = trunk('wide', ['192.0.0.0/16', '2001:db8::/32']);
    const narrow = trunk('narrow', ['192.0.2.0/24']);
    const host = trunk('host', ['192.0.2.7']);
    for (const order of [
      [wide, narrow, host],
      [host, narrow, wide],
    ]) {
      const trunks = new Trunks(order);
      expect(trunks.byAddress('192.0.2.7')?.name).toBe('host');
      expect(trunks.byAddress('192.0.2.8')?.name).toBe('narrow');
      expect(trunks.byAddress('192.0.9.1')?.name).toBe('wide');
      expect(trunks.byAddress('2001:db8::5')?.name).toBe('wide');
      expect(trunks.byAddress('203.0.113.1')).toBeUndefined();
      expect(trunks.byAddress('nonsense')).toBeUndefined();
    }
  });

  it('of equal networks count in the order of the configuration', () => {
    const trunks = new Trunks([trunk('first', ['192.0.2.0/24']), trunk('second', ['192.0.2.0/24'])]);
    expect(trunks.byAddress('192.0.2.1')?.name).toBe('first');
  });

  it('with credentials are listed, with their realm', () => {
    const plain = { username: 'u', password: 'p' };
    const trunks = new Trunks([
      trunk('a', [], plain),
      trunk('b', ['192.0.2.1']),
      trunk('c', [], { ...plain, realm: 'carrier.example' }),
    ]);
    expect(trunks.withCredentials.map((one) => [one.name, realmOf(one)])).toEqual([
      ['a', 'trunkline'],
      ['c', 'carrier.example'],
    ]);
  });
});
