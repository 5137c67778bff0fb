import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { packageRoot } from '../../../src/config.ts';
import { limitsSection } from '../../../src/config/limits.ts';

function problemsOf(value: unknown): string {
  const parsed = limitsSection.safeParse(value);
  return parsed.success ? '' : z.prettifyError(parsed.error);
}

describe('limits of tenants', () => {
  it('are none unless they are given', () => {
    expect(limitsSection.parse(undefined)).toEqual({ tenants: [] });
    const none = { calls_max: 0, calls_per_second_max: 0, messages_per_day_max: 0 };
    expect(limitsSection.parse({ tenants: [{ tenant: 'acme' }] }).tenants).toEqual([
      { tenant: 'acme', ...none },
    ]);
  });

  it.each([
    ['a tenant twice', { tenants: [{ tenant: 'a' }, { tenant: 'a' }] }, '"a" is there twice'],
    ['less than none', { tenants: [{ tenant: 'a', calls_max: -1 }] }, 'calls_max'],
    ['half a call', { tenants: [{ tenant: 'a', calls_per_second_max: 0.5 }] }, 'calls_per_second_max'],
    ['a word that means nothing', { tenants: [{ tenant: 'a', calls: 3 }] }, 'calls'],
    ['a name that is none', { tenants: [{ tenant: 'A b' }] }, 'lower case'],
  ])('are refused with %s', (_what, value, problem) => expect(problemsOf(value)).toContain(problem));

  it('are explained by an example that is right', () => {
    const file = readFileSync(join(packageRoot, 'config', 'trunkline.yaml'), 'utf8');
    const example = /^ +# - (\{ tenant: default, calls_max.*\})$/m.exec(file)?.[1] ?? '';
    for (const key of Object.keys(limitsSection.parse({ tenants: [{ tenant: 'a' }] }).tenants[0] ?? {}))
      expect(example).toContain(`${key}: `);
  });
});
