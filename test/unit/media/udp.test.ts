import { describe, expect, it } from 'vitest';
import { bindUdp, SocketLedger } from '../../../src/media/udp.ts';
import type { OnPacket, UdpSocket } from '../../../src/media/udp.ts';
import { until } from '../../support/until.ts';

const ledger = new SocketLedger();
const errors: unknown[] = [];

function bind(onPacket: OnPacket = () => undefined, port = 0, address = '127.0.0.1'): Promise<UdpSocket> {
  return bindUdp({ address, port, ledger, onPacket, onError: (error) => errors.push(error) });
}

describe('a socket', () => {
  it('sends to an IP literal, and tells who sent', async () => {
    const heard: [string, number, string][] = [];
    const one = await bind((packet, from) => heard.push([from.address, from.port, packet.toString()]));
    const other = await bind();
    other.send(Buffer.from('hello'), one.port, '127.0.0.1');
    await until('heard', () => heard.length === 1);
    expect(heard).toEqual([['127.0.0.1', other.port, 'hello']]);
    await Promise.all([one.close(), other.close()]);
  });

  it('survives a handler that throws, and tells it', async () => {
    let packets = 0;
    const one = await bind(() => {
      packets++;
      throw new Error(`handler ${packets}`);
    });
    for (const text of ['a', 'b']) one.send(Buffer.from(text), one.port, '127.0.0.1');
    await until('both', () => packets === 2);
    expect(errors.splice(0).map(String)).toEqual(['Error: handler 1', 'Error: handler 2']);
    await one.close();
  });

  it('is counted from bind to close, and closes once', async () => {
    const one = await bind();
    expect(ledger.open).toBe(1);
    await expect(bind(undefined, one.port)).rejects.toMatchObject({ code: 'EADDRINUSE' });
    await expect(bind(undefined, 0, '192.0.2.1')).rejects.toMatchObject({ code: 'EADDRNOTAVAIL' });
    expect(ledger.open).toBe(1);
    await Promise.all([one.close(), one.close()]);
    expect(ledger.open).toBe(0);
    one.send(Buffer.from('too late'), 9, '127.0.0.1');
    expect(errors).toEqual([]);
  });
});
