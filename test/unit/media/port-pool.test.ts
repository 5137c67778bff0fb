import { describe, expect, it } from 'vitest';
import { PortPool } from '../../../src/media/port-pool.ts';
import { bindUdp, SocketLedger } from '../../../src/media/udp.ts';
import { ManualClock } from '../../support/manual-clock.ts';

const free = (): Promise<null> => Promise.resolve(null);

function pool(options: { min?: number; max?: number; quarantineMs?: number } = {}): {
  pool: PortPool;
  clock: ManualClock;
} {
  const clock = new ManualClock();
  const { min = 20_000, max = 20_009, quarantineMs = 1000 } = options;
  return { pool: new PortPool({ min, max, quarantineMs }, clock), clock };
}

async function lendAll(from: PortPool, count: number): Promise<number[]> {
  const ports: number[] = [];
  for (let i = 0; i < count; i++) ports.push((await from.lend(free)).port);
  return ports;
}

function taken(code: string): Error {
  return Object.assign(new Error(`bind ${code}`), { code });
}

describe('ports', () => {
  it('are even, each lent once, all of the range', async () => {
    const ports = await lendAll(pool().pool, 5);
    expect(ports.toSorted()).toEqual([20_000, 20_002, 20_004, 20_006, 20_008]);
  });

  it.each([
    [20_001, 20_004, [20_002]],
    [20_001, 20_005, [20_002, 20_004]],
    [20_000, 20_002, [20_000]],
    [20_000, 20_001, [20_000]],
  ])('come in whole pairs: %i to %i', async (min, max, expected) => {
    const { pool: some } = pool({ min, max });
    expect((await lendAll(some, expected.length)).toSorted()).toEqual(expected);
    await expect(some.lend(free)).rejects.toMatchObject({ code: 'RTP_PORTS_EXHAUSTED' });
  });

  it('start at a place nobody can guess, and go on from there', async () => {
    const starts = new Set<number>();
    for (let round = 0; round < 40; round++) {
      const [first = 0, second = 0] = await lendAll(pool({ max: 20_199 }).pool, 2);
      starts.add(first);
      expect(second).toBe(first === 20_198 ? 20_000 : first + 2);
    }
    expect(starts.size).toBeGreaterThan(10);
  });

  it('that do not exist are exhausted', async () => {
    await expect(pool({ min: 20_001, max: 20_001 }).pool.lend(free)).rejects.toMatchObject({
      code: 'RTP_PORTS_EXHAUSTED',
    });
  });
});

describe('quarantine', () => {
  it('keeps a port from the next call until it has rested', async () => {
    const { pool: one, clock } = pool({ max: 20_001 });
    const { port } = await one.lend(free);
    one.giveBack(port);
    expect([one.used, one.quarantined]).toEqual([0, 1]);
    clock.advance(999);
    await expect(one.lend(free)).rejects.toMatchObject({
      code: 'RTP_PORTS_EXHAUSTED',
      detail: 'range 20000-20001: 0 in use, 1 resting',
    });
    clock.advance(1);
    expect(one.quarantined).toBe(0);
    expect((await one.lend(free)).port).toBe(port);
  });

  it('takes the longest unused port first', async () => {
    const { pool: some, clock } = pool();
    const ports = await lendAll(some, 5);
    const order = [3, 0, 4, 1, 2].map((i) => ports[i] ?? 0);
    for (const port of order) some.giveBack(port);
    clock.advance(1000);
    expect(await lendAll(some, 5)).toEqual(order);
  });

  it('ignores a port that is not lent, and one given back twice', async () => {
    const { pool: some } = pool();
    const { port } = await some.lend(free);
    some.giveBack(port);
    some.giveBack(port);
    some.giveBack(9);
    expect(some.quarantined).toBe(1);
  });
});

describe('a port that another program holds', () => {
  it('is passed over, and tried again later', async () => {
    const { pool: some, clock } = pool();
    const tried: number[] = [];
    const { port } = await some.lend((candidate) => {
      tried.push(candidate);
      return tried.length < 3 ? Promise.reject(taken('EADDRINUSE')) : Promise.resolve(null);
    });
    expect(port).toBe(tried[2]);
    expect([some.used, some.quarantined]).toEqual([1, 2]);
    clock.advance(1000);
    expect(some.quarantined).toBe(0);
  });

  it('ends in RTP_PORTS_EXHAUSTED when all are like that', async () => {
    const { pool: some } = pool();
    await expect(some.lend(() => Promise.reject(taken('EADDRINUSE')))).rejects.toMatchObject({
      code: 'RTP_PORTS_EXHAUSTED',
    });
    expect(some.used).toBe(0);
  });

  it('is told from a fault of another kind, which is not hidden', async () => {
    const { pool: some } = pool();
    await expect(some.lend(() => Promise.reject(taken('EADDRNOTAVAIL')))).rejects.toThrow('EADDRNOTAVAIL');
    expect([some.used, some.quarantined]).toEqual([0, 1]);
  });

  it('is found with real sockets', async () => {
    const ledger = new SocketLedger();
    const onError = (error: unknown): never => {
      throw error;
    };
    const bind = (port: number): ReturnType<typeof bindUdp> =>
      bindUdp({ address: '127.0.0.1', port, ledger, onPacket: () => undefined, onError });
    const other = await bind(0);
    const { pool: some } = pool({
      min: other.port - (other.port % 2),
      max: other.port - (other.port % 2) + 1,
    });
    await expect(some.lend(() => bind(other.port))).rejects.toMatchObject({ code: 'RTP_PORTS_EXHAUSTED' });
    expect(ledger.open).toBe(1);
    await Promise.all([other.close(), other.close()]);
    expect(ledger.open).toBe(0);
  });
});
