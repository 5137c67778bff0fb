import { describe, expect, it } from 'vitest';
import { AddressGuard, isPublicAddress } from '../../../src/base/addresses.ts';

describe('public addresses', () => {
  it.each(['8.8.8.8', '1.1.1.1', '93.184.216.34', '172.32.0.1', '2606:4700:4700::1111', '[2a00:1450::1]'])(
    'are these: %s',
    (address) => expect(isPublicAddress(address)).toBe(true),
  );

  it.each([
    ['loopback', '127.0.0.1'],
    ['loopback', '127.255.0.9'],
    ['this network', '0.0.0.0'],
    ['private', '10.1.2.3'],
    ['private', '172.16.0.1'],
    ['private', '172.31.255.255'],
    ['private', '192.168.1.1'],
    ['carrier-grade NAT', '100.64.0.1'],
    ['link-local, cloud metadata', '169.254.169.254'],
    ['multicast', '224.0.0.1'],
    ['reserved', '240.0.0.1'],
    ['broadcast', '255.255.255.255'],
    ['documentation', '192.0.2.1'],
    ['documentation', '198.51.100.7'],
    ['benchmarking', '198.18.0.1'],
    ['IETF assignments', '192.0.0.8'],
    ['IPv6 loopback', '::1'],
    ['IPv6 unspecified', '::'],
    ['IPv6 link-local', 'fe80::1'],
    ['IPv6 link-local with a zone', 'fe80::1%eth0'],
    ['IPv6 unique local', 'fd00:ec2::254'],
    ['IPv6 unique local', 'fc00::1'],
    ['IPv6 site-local', 'fec0::1'],
    ['IPv6 multicast', 'ff02::1'],
    ['IPv6 documentation', '2001:db8::1'],
    ['IPv6 documentation', '3fff::1'],
    ['IPv6 discard', '100::1'],
    ['IPv4-mapped loopback', '::ffff:127.0.0.1'],
    ['IPv4-mapped loopback in hexadecimal', '::ffff:7f00:1'],
    ['IPv4-mapped private', '::ffff:10.0.0.1'],
    ['IPv4-mapped metadata, in brackets', '[::ffff:169.254.169.254]'],
    ['IPv4-compatible', '::127.0.0.1'],
    ['NAT64', '64:ff9b::7f00:1'],
    ['6to4 of a private address', '2002:0a00:0001::1'],
    ['Teredo', '2001::1'],
    ['octal', '0177.0.0.1'],
    ['hexadecimal', '0x7f.0.0.1'],
    ['short', '127.1'],
    ['one number', '2130706433'],
    ['a name', 'localhost'],
    ['nothing', ''],
    ['too large', '256.1.1.1'],
  ])('are not: %s (%s)', (_, address) => {
    expect(isPublicAddress(address)).toBe(false);
    expect(new AddressGuard().allows(address)).toBe(false);
  });
});

describe('AddressGuard', () => {
  it('allows public addresses and the networks that are named, however they are written', () => {
    const guard = new AddressGuard(['10.1.0.0/16', '127.0.0.1', 'fd00::/8', '::1']);
    const allowed = [
      '8.8.8.8',
      '10.1.255.1',
      '127.0.0.1',
      '::ffff:127.0.0.1',
      '::ffff:a01:1',
      'fd00::5',
      '[::1]',
    ];
    expect(allowed.filter((address) => !guard.allows(address))).toEqual([]);
    const refused = ['10.2.0.1', '127.0.0.2', '::2', 'fc00::1', '169.254.169.254', '127.1', 'intranet'];
    expect(refused.filter((address) => guard.allows(address))).toEqual([]);
  });

  it.each(['10.0.0.0/33', 'intranet', '10.0.0/8', ''])(
    'refuses an entry that is no network: "%s"',
    (entry) => {
      expect(() => new AddressGuard([entry])).toThrow();
    },
  );
});
