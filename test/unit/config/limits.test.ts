import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { z } from 'zod';
import { CalDav } from '../../../src/jobs/drivers/calendar/caldav.ts';
import { HubSpot } from '../../../src/jobs/drivers/crm/hubspot.ts';
import { Telnyx } from '../../../src/jobs/drivers/sms/telnyx.ts';
import { Twilio } from '../../../src/jobs/drivers/sms/twilio.ts';
import { packageRoot } from '../../../src/config.ts';
import { dayZoneOf, limitsSection } from '../../../src/config/limits.ts';

function problemsOf(value: unknown): string {
  const parsed = limitsSection.safeParse(value);
  return parsed.success ? '' : z.prettifyError(parsed.error);
}

describe('limits of tenants', () => {
  it('are none unless they are given', () => {
    expect(limitsSection.parse(undefined).tenants).toEqual([]);
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

describe('the pace of providers', () => {
  it('is known for every driver, and explained as it is', () => {
    const { providers } = limitsSection.parse(undefined);
    const http = { baseUrl: 'http://127.0.0.1', timeoutMs: 1000 };
    const drivers = [
      new Twilio({ ...http, accountSid: 'AC1', authToken: 'x', statusCallback: '' }),
      new Telnyx({ ...http, apiKey: 'x', messagingProfileId: '', statusCallback: '' }),
      new HubSpot({ ...http, accessToken: 'x' }),
      new CalDav({ url: http.baseUrl, username: 'x', password: 'x', timeZone: 'UTC', timeoutMs: 1000 }),
    ];
    const names = [...drivers.map((one) => one.name), 'smpp', 'webhook'];
    expect(Object.keys(providers).sort()).toEqual(names.sort());
    const file = readFileSync(join(packageRoot, 'config', 'trunkline.yaml'), 'utf8');
    expect((parse(file) as { limits: { providers: unknown } }).limits.providers).toEqual(providers);
  });

  it('may be said for one of them alone', () => {
    const { providers } = limitsSection.parse({ providers: { twilio: { per_tenant_max: 100 } } });
    expect(providers.twilio).toEqual({ per_tenant_max: 100, in_all_max: 0, window_ms: 1000 });
    expect(providers.hubspot).toEqual({ per_tenant_max: 100, in_all_max: 0, window_ms: 10_000 });
  });

  it.each([
    [{ twillio: {} }, 'twillio'],
    [{ twilio: { per_tenant_max: -1 } }, 'per_tenant_max'],
    [{ twilio: { window_ms: 0 } }, 'window_ms'],
  ])('is refused with %j', (providers, problem) => expect(problemsOf({ providers })).toContain(problem));
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
