import { beforeEach, describe, expect, it } from 'vitest';
import { TenantLimits } from '../../../src/phone/tenant-limits.ts';
import { ManualClock } from '../../support/manual-clock.ts';

let clock: ManualClock;
beforeEach(() => {
  clock = new ManualClock();
});

const limitsOf = (calls_max: number, calls_per_second_max: number, tenant = 'acme'): TenantLimits =>
  new TenantLimits([{ tenant, calls_max, calls_per_second_max }], clock);

describe('the limits of a tenant', () => {
  it('do not bind a tenant without an entry, nor one whose limits are 0', () => {
    const limits = limitsOf(0, 0);
    for (let calls = 0; calls < 1000; calls += 1) {
      expect(limits.refusalOf('acme', () => calls)).toBeUndefined();
      expect(limits.refusalOf('stranger', () => calls)).toBeUndefined();
    }
  });

  it('let so many calls be open at a time', () => {
    const limits = limitsOf(2, 0);
    expect(limits.refusalOf('acme', () => 1)).toBeUndefined();
    expect(limits.refusalOf('acme', () => 2)).toBe('calls_max (2) of tenant acme is reached');
    expect(limits.refusalOf('acme', () => 3)).toContain('calls_max');
    expect(limits.refusalOf('acme', () => 0)).toBeUndefined();
  });

  it('let so many calls begin in a second', () => {
    const limits = limitsOf(0, 3);
    const ask = (): string | undefined => limits.refusalOf('acme', () => 0);
    expect([ask(), ask(), ask()]).toEqual([undefined, undefined, undefined]);
    expect(ask()).toBe('calls_per_second_max (3) of tenant acme is reached');
    clock.advance(334);
    expect([ask(), ask()]).toEqual([undefined, expect.any(String)]);
  });

  it('take no turn for a call that finds no room', () => {
    const limits = limitsOf(1, 1);
    expect(limits.refusalOf('acme', () => 1)).toContain('calls_max');
    expect(limits.refusalOf('acme', () => 0)).toBeUndefined();
  });

  it('are apart from those of others', () => {
    const [one, other] = ['one', 'other'].map((tenant) => ({
      ...{ tenant, calls_max: 0, calls_per_second_max: 1 },
    }));
    if (one === undefined || other === undefined) throw new Error('two tenants');
    const limits = new TenantLimits([one, other], clock);
    expect(limits.refusalOf('one', () => 0)).toBeUndefined();
    expect(limits.refusalOf('one', () => 0)).toContain('tenant one');
    expect(limits.refusalOf('other', () => 0)).toBeUndefined();
  });
});
