import { describe, expect, it } from 'vitest';

import {
  FrameError,
  FrameReader,
  formatDelivery,
  formatFrame,
  formatSent,
  parseCommand,
} from '../../../sip/server/admin-protocol.ts';
import { LIMITS } from '../../../sip/server/limits.ts';
import { SipRequest, SipResponse } from '../../../sip/server/message.ts';
import { StreamFramer, type StreamItem } from '../../../sip/server/stream-framer.ts';

const latin1 = (text: string): Buffer => Buffer.from(text, 'latin1');

describe('FrameReader', () => {
  const payloads = ['a|ping', 'b|route|invite', `c|sip||\r\n${'x'.repeat(5_000)}`, 'd|ünï|✓'];
  const stream = Buffer.concat(
    payloads.map((payload) => Buffer.from(`${Buffer.byteLength(payload)}#${payload}`)),
  );
  const expected = payloads.map((payload) => Buffer.from(payload).toString('latin1'));

  it.each([1, 2, 3, 7, 100, 100_000])('takes frames out of chunks of %d bytes', (size) => {
    const reader = new FrameReader();
    const got: string[] = [];
    for (let at = 0; at < stream.length; at += size) got.push(...reader.push(stream.subarray(at, at + size)));
    expect(got).toEqual(expected);
  });

  it('takes the longest frame that drachtio takes', () => {
    const payload = 'x'.repeat(LIMITS.frameBytesMax);
    expect(new FrameReader().push(latin1(formatFrame(payload)))).toEqual([payload]);
  });

  it.each(['100000#x', 'x', '12x#', '#abc', '0#', '-1#', '123456', '1 #a', '99999999999999'])(
    'refuses %j',
    (text) => {
      expect(() => new FrameReader().push(latin1(text))).toThrow(FrameError);
      const bytewise = new FrameReader();
      expect(() => {
        for (const byte of latin1(text)) bytewise.push(Buffer.from([byte]));
      }).toThrow(FrameError);
    },
  );
});

describe('admin messages', () => {
  it('are taken apart', () => {
    expect(parseCommand('id|sip|txn|dlg|sip:proxy\r\nACK sip:x SIP/2.0\r\n\r\n')).toEqual({
      id: 'id',
      type: 'sip',
      fields: ['txn', 'dlg', 'sip:proxy'],
      text: 'ACK sip:x SIP/2.0\r\n\r\n',
    });
    expect(parseCommand('')).toEqual({ id: '', type: '', fields: [], text: '' });
  });

  const network = { source: 'network', transport: 'udp', address: '192.0.2.1', port: 5070 } as const;

  it('deliver a new request with the address it came to', () => {
    const names = { transactionId: 't', dialogId: '', receivedOn: { address: '10.0.0.1', port: 5060 } };
    const message = new SipRequest('OPTIONS', 'sip:x@y');
    const line = formatDelivery(message, network, names).split('\r\n')[0];
    const bytes = message.toString().length;
    expect(line).toMatch(/^sip\|network\|\d+\|udp\|192\.0\.2\.1\|5070\|[\d:.]+\|t\|\|10\.0\.0\.1\|5060\|$/);
    expect(line?.split('|')[2]).toBe(String(bytes));
    expect(line?.split('|')).toHaveLength(12);
  });

  it('deliver what belongs to a dialog with its id', () => {
    const line = formatDelivery(new SipResponse(200), network, { transactionId: 't', dialogId: 'd' }).split(
      '\r\n',
    )[0];
    expect(line?.split('|').slice(7)).toEqual(['t', 'd', '']);
  });

  it('echo requests and responses in their two forms', () => {
    const request = formatSent(new SipRequest('BYE', 'sip:x'), network, { transactionId: 't' });
    expect(request.split('\r\n')[0]).toMatch(/^OK\|application\|.*\|t\|Msg sent:\|$/);
    const response = formatSent(new SipResponse(200), network, { transactionId: 't', dialogId: 'd' });
    expect(response.split('\r\n')[0]).toMatch(/^OK\|application\|.*\|t\|d\|\|Msg sent:\|$/);
  });
});

describe('StreamFramer', () => {
  const message = (id: number, body: string): string =>
    `OPTIONS sip:x@y SIP/2.0\r\nCall-ID: ${id}\r\nContent-Length: ${body.length}\r\n\r\n${body}`;

  function feed(text: string, size: number): StreamItem[] {
    const framer = new StreamFramer();
    const items: StreamItem[] = [];
    const bytes = latin1(text);
    for (let at = 0; at < bytes.length; at += size) items.push(...framer.push(bytes.subarray(at, at + size)));
    return items;
  }

  const three = [message(1, ''), message(2, 'body\r\n\r\nwith lines'), message(3, 'y'.repeat(9_000))];

  it.each([1, 2, 5, 64, 4_096, 100_000])('cuts messages out of chunks of %d bytes', (size) => {
    expect(feed(three.join(''), size)).toEqual(three.map((text) => ({ kind: 'message', text })));
  });

  it.each([1, 3, 1_000])('answers double line ends and skips single ones (chunks of %d)', (size) => {
    const items = feed(`\r\n\r\n${three[0] ?? ''}\r\n${three[1] ?? ''}\r\n\r\n\r\n\r\n`, size);
    expect(items.map(({ kind }) => kind)).toEqual(['ping', 'message', 'message', 'ping', 'ping']);
  });

  it('is partial only within a message', () => {
    const framer = new StreamFramer();
    framer.push(latin1('\r\n'));
    expect(framer.partial).toBe(false);
    framer.push(latin1('OPTIONS'));
    expect(framer.partial).toBe(true);
  });

  it('takes a message without Content-Length as one without body, and the compact form', () => {
    const bare = 'OPTIONS sip:x@y SIP/2.0\r\nCall-ID: 1\r\n\r\n';
    const compact = 'MESSAGE sip:x@y SIP/2.0\r\nl : 2\r\n\r\nhi';
    expect(feed(bare + compact, 10).map((item) => (item.kind === 'message' ? item.text : item.kind))).toEqual(
      [bare, compact],
    );
  });

  it.each(['abc', '-1', '1\r\nContent-Length: 2'])('gives up on Content-Length %j', (length) => {
    const items = feed(`OPTIONS sip:x@y SIP/2.0\r\nContent-Length: ${length}\r\n\r\nx`, 1_000);
    expect(items).toMatchObject([{ kind: 'broken', tooLong: false }]);
  });

  it('gives up on what is too long, announced or not', () => {
    const announced = feed(
      `OPTIONS sip:x@y SIP/2.0\r\nContent-Length: ${LIMITS.messageBytesMax}\r\n\r\n`,
      1_000,
    );
    expect(announced).toMatchObject([{ kind: 'broken', tooLong: true }]);
    const endless = feed('x'.repeat(LIMITS.messageBytesMax + 1), 10_000);
    expect(endless).toMatchObject([{ kind: 'broken', tooLong: true }]);
  });

  it('takes the longest message there may be', () => {
    const head = 'MESSAGE sip:x@y SIP/2.0\r\nContent-Length: 65000\r\n\r\n';
    const text = head + 'z'.repeat(65_000);
    expect(feed(text, 1_460)).toEqual([{ kind: 'message', text }]);
  });
});
