import { describe, expect, it } from 'vitest';

import {
  canonicalName,
  parseNameAddress,
  parseParams,
  splitOutside,
  tagOf,
} from '../../../sip/server/header.ts';
import { LIMITS } from '../../../sip/server/limits.ts';
import { SipRequest, SipResponse, newToken, responseTo } from '../../../sip/server/message.ts';
import { applyContentLength, parseMessage, requestDefect } from '../../../sip/server/parse.ts';

const INVITE = [
  'INVITE sip:+15551234@gw.example.com;user=phone SIP/2.0',
  'v: SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bK1;rport, SIP/2.0/TCP proxy.example.com;branch=z9hG4bK0',
  'Max-Forwards: 70',
  'f: "Alice, the first" <sip:alice@example.com;x=1>;tag=a1',
  't: <sip:+15551234@gw.example.com>',
  'i: call-1@192.0.2.1',
  'CSeq: 7 INVITE',
  'm: <sip:alice@192.0.2.1:5060>, <sip:alice@192.0.2.2>;q=0.5',
  'subject: a long',
  ' folded',
  '\tsubject',
  'x-Custom-thing: kept',
  'k: timer, 100rel',
  'Supported: replaces',
  'c: application/sdp',
  'l: 4',
].join('\r\n');

function request(text: string): SipRequest {
  const { message, defect } = parseMessage(text);
  expect(defect).toBeUndefined();
  if (!(message instanceof SipRequest)) throw new Error('not a request');
  return message;
}

/** A request that is in order, with one row replaced or added. */
function requestWith(row: string): SipRequest {
  const name = row.slice(0, row.indexOf(':'));
  const rows = [
    ...['OPTIONS sip:x@y SIP/2.0', 'Via: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK1', 'From: <sip:a@b>;tag=1'],
    ...['To: <sip:x@y>', 'Call-ID: 1', 'CSeq: 1 OPTIONS'],
  ].filter((known) => !known.startsWith(`${name}:`));
  const { message } = parseMessage([...rows, row, '', ''].join('\r\n'));
  if (!(message instanceof SipRequest)) throw new Error('not a request');
  return message;
}

describe('parseMessage', () => {
  it('reads compact, folded and listed headers', () => {
    const message = request(`${INVITE}\r\n\r\nv=0\n`);
    expect(message.method).toBe('INVITE');
    expect(message.uri).toBe('sip:+15551234@gw.example.com;user=phone');
    expect(message.all('Via')).toHaveLength(2);
    expect(message.all('Contact')).toEqual(['<sip:alice@192.0.2.1:5060>', '<sip:alice@192.0.2.2>;q=0.5']);
    expect(message.get('Subject')).toBe('a long folded subject');
    expect(message.get('x-Custom-thing')).toBe('kept');
    expect([...message.tokens('Supported')]).toEqual(['timer', '100rel', 'replaces']);
    expect(message.callId).toBe('call-1@192.0.2.1');
    expect(message.sequence).toEqual({ number: 7, method: 'INVITE' });
    expect(message.body).toBe('v=0\n');
  });

  it('writes what it read, with a Content-Length of its own', () => {
    const message = request(`${INVITE}\r\n\r\nv=0\n`);
    const again = request(message.toString());
    expect(again.headers.filter(([name]) => name !== 'Content-Length')).toEqual(
      message.headers.filter(([name]) => name !== 'Content-Length'),
    );
    expect(message.toString()).toMatch(/\r\nContent-Length: 4\r\n\r\nv=0\n$/);
  });

  it('keeps every byte of a body', () => {
    const bytes = Buffer.from(Array.from({ length: 256 }, (_, index) => index));
    const message = request(`MESSAGE sip:x@y SIP/2.0\r\nCall-ID: 1\r\n\r\n${bytes.toString('latin1')}`);
    expect(Buffer.from(message.body, 'latin1')).toEqual(bytes);
    expect(message.toString()).toContain('Content-Length: 256\r\n');
  });

  it('reads responses, with and without a reason', () => {
    const ringing = parseMessage('SIP/2.0 180 Ringing it is\r\nCall-ID: 1\r\n\r\n').message;
    expect(ringing).toBeInstanceOf(SipResponse);
    expect(ringing).toMatchObject({ status: 180, reason: 'Ringing it is' });
    expect(parseMessage('SIP/2.0 486\r\n\r\n').message).toMatchObject({ status: 486 });
  });

  it.each([
    ['', 'nothing'],
    ['\r\n\r\n', 'empty lines'],
    ['GET / HTTP/1.1\r\n\r\n', 'another protocol'],
    ['INVITE sip:x@y\r\n\r\n', 'no version'],
    ['SIP/2.0 99 Low\r\n\r\n', 'a status below 100'],
    ['SIP/2.0 700 High\r\n\r\n', 'a status above 699'],
    ['IN VITE sip:x@y SIP/2.0\r\n\r\n', 'a space in the method'],
  ])('makes nothing of %j (%s)', (text) => {
    const { message, defect } = parseMessage(text);
    expect(message).toBeUndefined();
    expect(defect?.status).toBe(400);
  });

  it.each([
    ['no colon', 'a header row has no colon'],
    ['Na me: x', 'a header name is not a token'],
    ['Subject: a\rb', 'Subject holds a control character'],
    ['Subject: a\0b', 'Subject holds a control character'],
    ['Subject: a\nFrom: b', 'Subject holds a control character'],
  ])('finds fault with the row %j', (row, text) => {
    const { message, defect } = parseMessage(`OPTIONS sip:x@y SIP/2.0\r\nCall-ID: 1\r\n${row}\r\n\r\n`);
    expect(defect).toEqual({ status: 400, text });
    expect(message?.callId).toBe('1');
  });

  it('refuses another version of SIP, and more header rows than it wants to read', () => {
    expect(parseMessage('OPTIONS sip:x@y SIP/3.0\r\nCall-ID: 1\r\n\r\n').defect?.status).toBe(505);
    const rows = Array.from({ length: LIMITS.headersMax + 1 }, (_, index) => `X-${index}: 1`);
    const many = parseMessage(`OPTIONS sip:x@y SIP/2.0\r\n${rows.join('\r\n')}\r\n\r\n`);
    expect(many.defect?.text).toBe('too many header rows');
  });
});

describe('applyContentLength', () => {
  const withLength = (length: string, body: string) =>
    parseMessage(`MESSAGE sip:x@y SIP/2.0\r\nContent-Length: ${length}\r\n\r\n${body}`).message ??
    new SipResponse(200);

  it('cuts what is too much and refuses what is too little', () => {
    const long = withLength('3', 'abcdef');
    expect(applyContentLength(long)).toBeUndefined();
    expect(long.body).toBe('abc');
    expect(applyContentLength(withLength('7', 'abcdef'))?.text).toBe(
      'the body is shorter than Content-Length',
    );
  });

  it.each(['-1', 'x', '', '1e3', '99999999999'])('refuses %j', (length) => {
    expect(applyContentLength(withLength(length, 'abc'))?.text).toBe('Content-Length is not one number');
  });

  it('refuses two that differ and takes two that agree', () => {
    expect(applyContentLength(withLength('3\r\nContent-Length: 2', 'abc'))?.status).toBe(400);
    expect(applyContentLength(withLength('3\r\nl: 3', 'abc'))).toBeUndefined();
  });
});

describe('requestDefect', () => {
  it('finds nothing wrong with a request in order', () => {
    expect(requestDefect(requestWith('Max-Forwards: 70'))).toBeUndefined();
  });

  it.each([
    ['CSeq: 1 INVITE', 'CSeq names another method'],
    ['CSeq: x OPTIONS', 'CSeq is not a number and a method'],
    ['CSeq: 4294967296 OPTIONS', 'CSeq is not a number and a method'],
    ['Max-Forwards: lots', 'Max-Forwards is not a number'],
    ['Call-ID:', 'Call-ID is empty'],
    ['Via: nonsense', 'Via cannot be read'],
    ['To: <sip:x@y>\r\nTo: <sip:z@y>', 'more than one To'],
  ])('refuses %j', (row, text) => {
    expect(requestDefect(requestWith(row))).toEqual({ status: 400, text });
  });

  it.each(['From', 'To', 'Call-ID', 'CSeq'])('refuses a request without %s', (name) => {
    expect(requestDefect(requestWith('Max-Forwards: 70').remove(name))?.text).toBe(`${name} is missing`);
  });

  it('refuses a request-URI without a scheme', () => {
    const broken = requestWith('Max-Forwards: 70');
    broken.uri = 'x@y';
    expect(requestDefect(broken)?.text).toBe('the request-URI has no scheme');
  });
});

describe('responseTo', () => {
  it('copies what RFC 3261 §8.2.6.2 names and adds the tag', () => {
    const invite = request(`${INVITE}\r\nRecord-Route: <sip:p1;lr>,<sip:p2;lr>\r\n\r\nv=0\n`);
    const ringing = responseTo(invite, 180, undefined, 'ours');
    expect(ringing.all('Via')).toEqual(invite.all('Via'));
    expect(ringing.get('To')).toBe('<sip:+15551234@gw.example.com>;tag=ours');
    expect(ringing.all('Record-Route')).toEqual(['<sip:p1;lr>', '<sip:p2;lr>']);
    expect(ringing.startLine()).toBe('SIP/2.0 180 Ringing');
    expect(responseTo(invite, 486, 'Not now').all('Record-Route')).toEqual([]);
    expect(responseTo(invite, 486, 'Not now').startLine()).toBe('SIP/2.0 486 Not now');
  });

  it('keeps a tag that is there', () => {
    const bye = requestWith('To: <sip:x@y>;tag=there');
    expect(responseTo(bye, 200, undefined, 'other').get('To')).toBe('<sip:x@y>;tag=there');
  });
});

describe('headers', () => {
  it.each([
    ['call-id', 'Call-ID'],
    ['I', 'Call-ID'],
    ['cseq', 'CSeq'],
    ['x', 'Session-Expires'],
    ['p-asserted-identity', 'P-Asserted-Identity'],
    ['www-authenticate', 'WWW-Authenticate'],
    ['X-mine', 'X-mine'],
    ['some-new-header', 'Some-New-Header'],
  ])('writes %s as %s', (given, canonical) => {
    expect(canonicalName(given)).toBe(canonical);
  });

  it('splits outside quotes and brackets only', () => {
    expect(splitOutside('"a, \\" b" <sip:x,y@z>, <sip:q>;a="1,2"', ',')).toEqual([
      '"a, \\" b" <sip:x,y@z>',
      '<sip:q>;a="1,2"',
    ]);
  });

  it('reads parameters, the first of two', () => {
    expect([...parseParams(';Tag=a;lr;x = 1 ;tag=b;')]).toEqual([
      ['tag', 'a'],
      ['lr', ''],
      ['x', '1'],
    ]);
  });

  it.each([
    ['"<not>;tag=x" <sip:a@b;tag=uri>;tag=y', 'sip:a@b;tag=uri', 'y'],
    ['sip:a@b;tag=y', 'sip:a@b', 'y'],
    ['<sip:a@b>', 'sip:a@b', undefined],
    ['<sip:a@b>;tag=', 'sip:a@b', undefined],
    ['<sip:a@b', 'sip:a@b', undefined],
  ])('reads the address %j', (value, uri, tag) => {
    expect(parseNameAddress(value).uri).toBe(uri);
    expect(tagOf(value)).toBe(tag);
  });

  it('makes tokens that differ', () => {
    expect(new Set(Array.from({ length: 100 }, newToken)).size).toBe(100);
  });
});
