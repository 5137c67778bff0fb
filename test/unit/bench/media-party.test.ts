import { describe, expect, it, onTestFinished } from 'vitest';
import { Account, MediaParty, dropsOf, noise, PARTY_FORMAT } from '../../../bench/media-party.ts';
import { until } from '../../support/until.ts';

function account(sequences: readonly number[], ssrc = 1): Account {
  const found = new Account();
  for (const sequence of sequences) found.take(ssrc, sequence);
  return found;
}

describe('an account', () => {
  it.each([
    ['a whole line', [1, 2, 3], 0],
    ['a gap', [1, 2, 5], 2],
    ['a turn of the number', [65_534, 65_535, 0, 1], 0],
    ['a gap over the turn', [65_534, 1], 2],
    ['one that was late', [1, 3, 2, 4], 0],
  ])('of %s', (_what, sequences, missing) => {
    expect(account(sequences)).toMatchObject({ received: sequences.length, missing });
  });

  it('keeps streams apart, and goes on after a reset', () => {
    const found = account([1, 2]);
    found.take(2, 900);
    found.reset();
    found.take(1, 4);
    found.take(2, 901);
    expect(found).toMatchObject({ received: 2, missing: 1 });
  });
});

describe('a party', () => {
  it.each(['opus', 'pcmu'] as const)(
    'sends %s, packet after packet, and counts what comes',
    async (codec) => {
      const payloads = noise(codec);
      expect(payloads).toHaveLength(50);
      const [one, other] = [await MediaParty.open(codec, payloads), await MediaParty.open(codec, payloads)];
      onTestFinished(() => {
        one.close();
        other.close();
      });
      one.tick();
      one.sendTo(other.port);
      for (let tick = 0; tick < 120; tick += 1) one.tick();
      await until('all have come', () => other.account.received === 120);
      expect(other.account.missing).toBe(0);
      expect(PARTY_FORMAT[codec].clockRate / 50).toBe(PARTY_FORMAT[codec].steps);
    },
  );
});

describe('drops of the kernel', () => {
  const row = (port: string, drops: number): string =>
    `  100: 0100007F:${port} 00000000:0000 07 00000000:00000000 00:00000000 00000000 0 0 1 2 0 ${drops}`;
  const table = ['  sl  local_address …  drops', row('9C40', 7), row('9C41', 5), row('9C42', 100), ''].join(
    '\n',
  );

  it('are summed over the ports that are asked for', () => {
    expect(dropsOf([40_000, 40_001], table)).toBe(12);
    expect(dropsOf([1], table)).toBe(0);
    expect(dropsOf([1])).toBe(0);
  });
});
