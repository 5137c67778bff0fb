import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { z } from 'zod';
import { packageRoot } from '../../../src/config.ts';
import { dayZoneOf, limitsSection } from '../../../src/config/limits.ts';

function problemsOf(value: unknown): string {
  const parsed = limitsSection.safeParse(value);
  return parsed.success ? '' : z.prettifyError(parsed.error);
}

describe('limits of tenants', () => {
  it('are none unless they are given', () => {
    expect(limitsSection.parse(undefined)).toEqual({ tenants: [] });
    const none = {
      ...{ calls_max: 0, calls_per_second_max: 0, visits_max: 0, visits_per_minute_max: 0 },
      ...{ minutes_per_day_max: 0, minutes_end_calls: false, messages_per_day_max: 0, time_zone: '' },
    };
    expect(limitsSection.parse({ tenants: [{ tenant: 'acme' }] }).tenants).toEqual([
      { tenant: 'acme', ...none },
    ]);
  });

  it.each([
    ['a tenant twice', { tenants: [{ tenant: 'a' }, { tenant: 'a' }] }, '"a" is there twice'],
    ['less than none', { tenants: [{ tenant: 'a', calls_max: -1 }] }, 'calls_max'],
    ['half a call', { tenants: [{ tenant: 'a', calls_per_second_max: 0.5 }] }, 'calls_per_second_max'],
    ['a word that means nothing', { tenants: [{ tenant: 'a', calls: 3 }] }, 'calls'],
    ['a zone that is none', { tenants: [{ tenant: 'a', time_zone: 'Mars/Olympus' }] }, 'time_zone'],
    ['a name that is none', { tenants: [{ tenant: 'A b' }] }, 'lower case'],
  ])('are refused with %s', (_what, value, problem) => expect(problemsOf(value)).toContain(problem));

  it('are explained by an example that is right', () => {
    const file = readFileSync(join(packageRoot, 'config', 'trunkline.yaml'), 'utf8');
    const shape = /^ {2}# (- tenant: default\n(?: {2}# {3}\w+: .*\n)*? {2}#.*time_zone.*)$/m;
    const lines = shape.exec(file)?.[1] ?? '';
    const example: unknown = parse(lines.replace(/^ {2}# /gm, ''));
    const { tenants } = limitsSection.parse({ tenants: example });
    const [{ tenant: _tenant, ...keys } = {}] = example as Record<string, unknown>[];
    const [one] = limitsSection.parse({ tenants: [{ tenant: 'default' }] }).tenants;
    expect(Object.keys({ tenant: '', ...keys }).sort()).toEqual(Object.keys(one ?? {}).sort());
    expect(tenants).toHaveLength(1);
  });
});

describe("a tenant's day", () => {
  const config = (limits: string, sms: string) => ({
    limits: { tenants: [{ tenant: 'acme', time_zone: limits }] },
    sms: { tenants: [{ tenant: 'acme', time_zone: sms }] },
  });

  it('is that of its limits, else that of its texts, else that of UTC', () => {
    expect(dayZoneOf('acme', config('Asia/Tokyo', 'Europe/London'))).toBe('Asia/Tokyo');
    expect(dayZoneOf('acme', config('', 'Europe/London'))).toBe('Europe/London');
    expect(dayZoneOf('other', config('Asia/Tokyo', 'Europe/London'))).toBe('UTC');
  });
});
