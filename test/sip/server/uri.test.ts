import { describe, expect, it } from 'vitest';

import { contactFor, contactHeader, hostFor, resolvedContact } from '../../../sip/server/contact.ts';
import { Resolver } from '../../../sip/server/resolve.ts';
import { formatUri, hostPort, parseHostPort, parseUri, type SipUri } from '../../../sip/server/uri.ts';
import { formatVia, parseVia, stampVia } from '../../../sip/server/via.ts';

function uri(text: string): SipUri {
  const parsed = parseUri(text);
  if (parsed === undefined) throw new Error(`unreadable: ${text}`);
  return parsed;
}

describe('parseUri', () => {
  it.each([
    'sip:alice@example.com',
    'sips:+15551234@10.0.0.1:5061;transport=tcp;lr',
    'sip:[2001:db8::1]:5060',
    'sip:a;b=c@example.com',
  ])('reads and writes %s', (text) => {
    expect(formatUri(uri(text))).toBe(text);
  });

  it('takes the last @, drops URI headers and lowers the host', () => {
    expect(uri('sip:user@home@Example.COM?Subject=x')).toMatchObject({
      user: 'user@home',
      host: 'example.com',
    });
    expect(uri('sip:x@y;transport=TCP?a=b').params.get('transport')).toBe('TCP');
  });

  it.each([
    'tel:+15551234',
    'sip:',
    'sip:x@',
    'sip:x@y:0',
    'sip:x@y:65536',
    'sip:x@[::1',
    'sip:x@[zz]',
    'mailto:a@b',
    '',
  ])('makes nothing of %j', (text) => {
    expect(parseUri(text)).toBeUndefined();
  });

  it('brackets IPv6', () => {
    expect(hostPort('::1', 5060)).toBe('[::1]:5060');
    expect(parseHostPort('[::1]:5060')).toEqual({ host: '::1', port: 5060 });
  });
});

describe('Via', () => {
  it('reads and writes', () => {
    const via = parseVia('SIP / 2.0 / udp  host.example.com : 5070 ;rport;branch=z9hG4bK1');
    expect(via).toMatchObject({ transport: 'UDP', host: 'host.example.com', port: 5070 });
    expect(via === undefined ? '' : formatVia(via)).toBe(
      'SIP/2.0/UDP host.example.com:5070;rport;branch=z9hG4bK1',
    );
  });

  it.each(['', 'SIP/2.0/UDP', 'SIP/3.0/UDP a', 'SIP/2.0/UDP a:99999', 'UDP a:1'])('refuses %j', (text) => {
    expect(parseVia(text)).toBeUndefined();
  });

  const source = { address: '198.51.100.7', port: 40_000 };
  const stamped = (text: string): string => {
    const via = parseVia(text);
    return via === undefined ? '' : formatVia(stampVia(via, source));
  };

  it('notes received and rport as RFC 3581 wants', () => {
    expect(stamped('SIP/2.0/UDP 10.0.0.1;branch=b;rport')).toBe(
      'SIP/2.0/UDP 10.0.0.1;branch=b;rport=40000;received=198.51.100.7',
    );
    expect(stamped('SIP/2.0/UDP 10.0.0.1;branch=b')).toBe(
      'SIP/2.0/UDP 10.0.0.1;branch=b;received=198.51.100.7',
    );
    expect(stamped('SIP/2.0/UDP 198.51.100.7;branch=b')).toBe('SIP/2.0/UDP 198.51.100.7;branch=b');
  });

  it('does not believe a received that the sender wrote', () => {
    expect(stamped('SIP/2.0/UDP 198.51.100.7;received=1.2.3.4;branch=b')).toBe(
      'SIP/2.0/UDP 198.51.100.7;branch=b',
    );
  });
});

describe('Resolver', () => {
  const resolver = new Resolver(new Set(['udp', 'tcp', 'tls']));

  it.each([
    ['sip:x@192.0.2.1', 'udp', '192.0.2.1', 5060],
    ['sip:x@192.0.2.1:5070;transport=TCP', 'tcp', '192.0.2.1', 5070],
    ['sips:x@192.0.2.1', 'tls', '192.0.2.1', 5061],
    ['sip:x@192.0.2.1;transport=tls', 'tls', '192.0.2.1', 5061],
    ['sip:x@nowhere.invalid;maddr=192.0.2.9', 'udp', '192.0.2.9', 5060],
    ['sip:x@[2001:db8::1]', 'udp', '2001:db8::1', 5060],
    ['sip:x@localhost', 'udp', '127.0.0.1', 5060],
  ])('sends %s to %s %s %d', async (text, transport, address, port) => {
    expect(await resolver.nextHop(uri(text))).toMatchObject({ transport, address, port });
  });

  it('refuses transports that nobody listens on, and names without address', async () => {
    const udpOnly = new Resolver(new Set(['udp']));
    const unavailable = 'requested protocol/transport not available';
    await expect(udpOnly.nextHop(uri('sip:x@192.0.2.1;transport=tcp'))).rejects.toThrow(unavailable);
    await expect(udpOnly.nextHop(uri('sips:x@192.0.2.1'))).rejects.toThrow(unavailable);
    await expect(udpOnly.nextHop(uri('sip:x@nowhere.invalid'))).rejects.toThrow(
      'nowhere.invalid has no address',
    );
  });

  it('prefers what it listens on when the URI leaves it open', async () => {
    const tcpOnly = new Resolver(new Set(['tcp']));
    expect((await tcpOnly.nextHop(uri('sip:x@192.0.2.1'))).transport).toBe('tcp');
  });
});

describe('contacts', () => {
  const loopback = resolvedContact({ transport: 'udp', host: '127.0.0.1', port: 0 }, 5060);
  const outside = resolvedContact(
    { transport: 'udp', host: '192.0.2.5', port: 0, externalAddress: '203.0.113.1' },
    5060,
  );
  const everywhere = resolvedContact({ transport: 'tcp', host: '0.0.0.0', port: 0 }, 5070);

  it('advertise the external address, and loopback to this machine', () => {
    expect(contactHeader(outside, '198.51.100.1')).toBe('<sip:203.0.113.1:5060>');
    expect(hostFor(everywhere, '127.0.0.1')).toBe('127.0.0.1');
    expect(contactHeader(everywhere, '127.0.0.1')).toBe('<sip:127.0.0.1:5070;transport=tcp>');
    expect(hostFor(everywhere, '198.51.100.1')).not.toBe('0.0.0.0');
  });

  it('are chosen by transport and side', () => {
    const all = [loopback, outside, everywhere];
    expect(contactFor(all, { transport: 'udp', address: '127.0.0.9' })).toBe(loopback);
    expect(contactFor(all, { transport: 'udp', address: '198.51.100.1' })).toBe(outside);
    expect(contactFor(all, { transport: 'tcp', address: '198.51.100.1' })).toBe(everywhere);
    expect(contactFor(all, { transport: 'tls', address: '198.51.100.1' })).toBeUndefined();
  });
});
